//! A run that could not begin, or whose evidence could not be written.

use std::path::PathBuf;

use crate::chain::chain;
use crate::mask::Masker;
use crate::world::WorldError;

/// A run that could not even begin, or whose evidence could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The world could not be made.
    #[error("the world could not be made")]
    World {
        /// Why.
        #[source]
        source: WorldError,
        /// The run's evidence directory.
        evidence: PathBuf,
    },
    /// The run was ended before the world was made.
    #[error("{why}, before the world was made; what is known lies in {evidence}")]
    Ended {
        /// By what.
        why: String,
        /// The run's evidence directory.
        evidence: PathBuf,
    },
    /// A secret that was planted in the world was left in the evidence: masking has failed.
    #[error("masking has failed in {}, which are left out of {evidence}", files.join(", "))]
    Leaked {
        /// The files that had it.
        files: Vec<String>,
        /// The run's evidence directory.
        evidence: PathBuf,
    },
    /// The evidence directory could not be written.
    #[error("no evidence could be written to {path}")]
    Evidence {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl RunError {
    /// The error and its causes, masked as records are: an error may quote the daemon, and it does not
    /// pass through the recorder, which masks records.
    #[must_use]
    pub fn told(&self) -> String {
        Masker::default().message(&chain(self))
    }
}
