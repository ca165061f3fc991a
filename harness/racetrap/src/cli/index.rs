//! The page that links to all runs of a command. It lies beside their evidence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use miette::{IntoDiagnostic as _, WrapErr as _};

use super::exit::Failure;
use crate::clock::Clock;
use crate::derived::{PAGE, replace};
use crate::known::KnownFailures;
use crate::process::command_line;
use crate::report::{self, Case, DaemonFacts, Head};
use crate::search::State;

/// File name of the page in the evidence directory.
const INDEX: &str = "index.html";

/// File name of the page of `report`, if there is a page of the command that made the runs: that one
/// also shows the runs that passed, whose evidence is gone.
const REPORT: &str = "report.html";

/// The command that judges evidence again.
const JUDGES_AGAIN: &str = "report";

/// Writes the page into the directory that contains the evidence of these runs, and returns its
/// path. Never overwrites a file of that name that racetrap has not written.
pub(super) fn write_index(
    place: &Path,
    command: &str,
    daemon: Option<&DaemonFacts>,
    cases: &[Case],
    titles: &BTreeMap<String, String>,
) -> Result<PathBuf, Failure> {
    let write = || -> io::Result<PathBuf> {
        fs::create_dir_all(place)?;
        let place = fs::canonicalize(place)?;
        let of_runs = fs::read_to_string(place.join(INDEX)).ok().and_then(|text| {
            report::command_of_index(&text).map(|made_by| made_by != JUDGES_AGAIN)
        });
        let is_second = command == JUDGES_AGAIN && of_runs == Some(true);
        let name = if is_second { REPORT } else { INDEX };
        let link = |evidence: &Path| {
            let evidence = fs::canonicalize(evidence).ok()?;
            // There is none if the journal could not be read.
            evidence.join(PAGE).exists().then_some(())?;
            Some(evidence.strip_prefix(&place).ok()?.to_str()?.to_owned())
        };
        let head =
            Head { command, line: command_line(), written: Clock::start().calendar(), daemon };
        let text = report::index(&head, cases, titles, link);
        write_page(&place, name, &text)
    };
    write()
        .into_diagnostic()
        .wrap_err_with(|| format!("{INDEX} could not be written to {}", place.display()))
        .map_err(Failure::machine)
}

/// Writes the page of all searches of a state beside its file, and returns its path. `known` replaces what
/// the searches themselves have known.
pub(super) fn write_search_page(
    state_file: &Path,
    state: &State,
    known: Option<&KnownFailures>,
) -> Result<PathBuf, Failure> {
    let write = || -> io::Result<PathBuf> {
        let page = state_file.with_extension("html");
        let name = page.file_name().and_then(|name| name.to_str());
        let (Some(place), Some(name)) = (page.parent(), name) else {
            return Err(io::Error::other("this is no name of a file"));
        };
        let exists = |path: &str| place.join(path).exists();
        let text = report::search_page(&Clock::start().calendar(), state, known, exists);
        write_page(place, name, &text)
    };
    write()
        .into_diagnostic()
        .wrap_err_with(|| format!("the page of {} could not be written", state_file.display()))
        .map_err(Failure::machine)
}

/// Writes a page, unless there is a file of that name that racetrap has not written.
fn write_page(place: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let path = place.join(name);
    match fs::read_to_string(&path) {
        Ok(text) if !report::is_index(&text) => {
            return Err(io::Error::other("there is one that racetrap has not written"));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(_) | Err(_) => {}
    }
    replace(place, name, report::masked(text).as_bytes())?;
    Ok(path)
}
