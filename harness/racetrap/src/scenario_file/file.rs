//! A scenario file on disk.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use racetrap_history::Scenario;

use super::invalid::Invalid;
use super::parse::parse;
use crate::process::called;

/// Largest scenario that is read, in bytes.
pub const SIZE_MAX: u64 = 1024 * 1024;

/// A file that holds no scenario.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum ScenarioFileError {
    /// It could not be read.
    #[error("{} could not be read", path.display())]
    #[diagnostic(help("name a file that exists, or an entry that `{} list` shows", called()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is larger than [`SIZE_MAX`].
    #[error("{} is larger than {SIZE_MAX} bytes", path.display())]
    #[diagnostic(help("a scenario is a short text; is this the right file?"))]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It was read, but is no scenario.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] Box<Invalid>),
}

/// Several files that hold no scenario.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{} files hold no scenario that can be run", errors.len())]
pub(crate) struct SeveralBadFiles {
    /// What is wrong with each.
    #[related]
    pub(crate) errors: Vec<ScenarioFileError>,
}

/// A scenario and the text that it was read from.
#[derive(Debug)]
pub(crate) struct ScenarioFile {
    /// The path, as errors show it.
    name: String,
    text: String,
    /// The scenario; its `about` is missing if the file does not describe its finding.
    pub(crate) scenario: Scenario,
}

impl ScenarioFile {
    /// Reads the scenario in `path`, and checks its schedule.
    ///
    /// # Errors
    /// A file that cannot be read, is larger than [`SIZE_MAX`], or holds no scenario.
    pub(crate) fn read(path: &Path) -> Result<Self, ScenarioFileError> {
        let (name, text) = read_text(path)?;
        let scenario = parse(&name, &text)?;
        Ok(Self { name, text, scenario })
    }

    /// The error for a file that neither describes its finding nor names one of the `known`
    /// findings.
    pub(crate) fn unknown_finding<'a>(
        &self,
        known: impl Iterator<Item = &'a str>,
    ) -> ScenarioFileError {
        Invalid::unknown_finding(&self.name, &self.text, &self.scenario, known).into()
    }
}

/// The text of a scenario file.
///
/// # Errors
/// If the scenario cannot be written as YAML.
pub(crate) fn to_yaml(scenario: &Scenario) -> io::Result<String> {
    serde_yaml::to_string(scenario).map_err(io::Error::other)
}

/// The name and the text of a file, up to a limit.
///
/// # Errors
/// A file that cannot be read, is larger than [`SIZE_MAX`], or is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<(String, String), ScenarioFileError> {
    let bytes = load(path)?;
    let name = path.display().to_string();
    let text = String::from_utf8(bytes);
    let text = text.map_err(|error| Invalid::not_utf8(&name, error.as_bytes()))?;
    Ok((name, text))
}

fn load(path: &Path) -> Result<Vec<u8>, ScenarioFileError> {
    let unreadable = |source| ScenarioFileError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(SIZE_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(ScenarioFileError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}
