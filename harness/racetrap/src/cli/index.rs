//! The page that links to all runs of a command. It lies beside their evidence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use miette::{IntoDiagnostic as _, WrapErr as _};

use super::exit::Failure;
use crate::derived::replace;
use crate::report::{self, Case};

/// File name of the page in the evidence directory.
const INDEX: &str = "index.html";

/// Writes the page into the directory that contains the evidence of these runs, and returns its
/// path. Never overwrites a file of that name that racetrap has not written.
pub(super) fn write_index(
    place: &Path,
    command: &str,
    cases: &[Case],
    titles: &BTreeMap<String, String>,
) -> Result<PathBuf, Failure> {
    let write = || -> io::Result<PathBuf> {
        fs::create_dir_all(place)?;
        let place = fs::canonicalize(place)?;
        let path = place.join(INDEX);
        match fs::read_to_string(&path) {
            Ok(text) if !report::is_index(&text) => {
                return Err(io::Error::other("there is one that racetrap has not written"));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(_) | Err(_) => {}
        }
        let link = |evidence: &Path| {
            let evidence = fs::canonicalize(evidence).ok()?;
            Some(evidence.strip_prefix(&place).ok()?.to_str()?.to_owned())
        };
        let text = report::index(command, cases, titles, link);
        replace(&place, INDEX, report::masked(&text).as_bytes())?;
        Ok(path)
    };
    write()
        .into_diagnostic()
        .wrap_err_with(|| format!("{INDEX} could not be written to {}", place.display()))
        .map_err(Failure::machine)
}
