//! Why an engine could not be had.

use std::io;

use super::choice::EngineChoice;
use super::install::InstallError;
use super::truth::TruthError;
use super::users_docker::UsersDockerError;
use crate::wait::NotReached;

/// The engine could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// There is no dockerd.
    #[error("there is no dockerd on PATH")]
    Missing,
    /// A private dockerd needs namespaces and control groups.
    #[error("a private dockerd needs root, and this is not root")]
    NotRoot,
    /// The version that was chosen cannot be used.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The user's Docker, on which it was to run, cannot be used.
    #[error(transparent)]
    UsersDocker(#[from] UsersDockerError),
    /// Its container could not be made or changed.
    #[error("the engine's container could not be had as it was asked for")]
    Container(#[from] testcontainers::TestcontainersError),
    /// It did not become ready.
    #[error("dockerd did not become ready; the end of its log:\n{log}")]
    NotReady {
        /// What was waited for.
        #[source]
        source: NotReached,
        /// The last lines of its log.
        log: String,
    },
    /// It did not say what it is.
    #[error("the engine does not say what it is")]
    Unasked(#[from] TruthError),
    /// It is not what was chosen.
    #[error("`{chosen}` was chosen, and the engine says that it is {is}")]
    NotChosen {
        /// What was asked for.
        chosen: EngineChoice,
        /// What the engine says of itself.
        is: String,
    },
    /// What lives in a container ends with it.
    #[error("an engine in a container cannot leave its containers running when it ends")]
    NoLiveRestore,
    /// It could not be started or signalled.
    #[error("dockerd could not be {what}")]
    Process {
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
}
