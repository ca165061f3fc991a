//! The page that leads to all runs of a command, beside their evidence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use miette::{IntoDiagnostic as _, WrapErr as _};

use super::exit::Failure;
use crate::derived::replace;
use crate::report::{self, Case};

/// Its name in the directory of the evidence.
const INDEX: &str = "index.html";

/// Writes it into the directory in which the evidence of these runs lies, and returns its path. A file of
/// that name that is not ours stays as it is.
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
