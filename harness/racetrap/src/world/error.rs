//! Why a world could not be started.

use std::io;

use racetrap_history::Protocol;
use racetrap_wire::WireError;

use super::slot::SlotError;
use crate::daemon::DaemonError;
use crate::docker_cli::DockerCliError;
use crate::engine::{EngineError, TruthError};
use crate::process::NotBuilt;

/// A world could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// No instance number and directory could be claimed.
    #[error("no slot for a world could be claimed")]
    Slot(#[from] SlotError),
    /// The engine did not start.
    #[error("the engine did not start")]
    Engine(#[from] EngineError),
    /// The engine's own socket does not answer.
    #[error("the engine cannot be observed")]
    Truth(#[from] TruthError),
    /// The wire could not listen.
    #[error("the wire between daemon and engine did not start")]
    Wire(#[from] WireError),
    /// The daemon did not start.
    #[error("the daemon did not start")]
    Daemon(#[from] DaemonError),
    /// The scenario's VM modes and the daemon's have none in common.
    #[error("there is no VM mode that scenario and daemon both support")]
    NoVmMode,
    /// The daemon's API takes the desired state of a container in another way than the scenario
    /// needs.
    #[error("the scenario needs the protocol `{needed}`, and this daemon has `{had}`")]
    Protocol {
        /// The protocol that the scenario needs.
        needed: Protocol,
        /// The protocol of the daemon's API.
        had: Protocol,
    },
    /// The user of the docker command could not be set up.
    #[error("the user of the docker command could not be set up")]
    Docker(#[from] DockerCliError),
    /// The watcher or the stand-in for QEMU is not built.
    #[error("a program that the world needs is missing")]
    Companion(#[from] NotBuilt),
    /// The file system refused.
    #[error("{what} could not be created")]
    Io {
        /// The file or directory, in words.
        what: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

impl WorldError {
    /// Whether something is broken. `false` if the daemon works, but lacks what the scenario needs;
    /// such a world leaves nothing worth capturing.
    pub(super) fn is_failure(&self) -> bool {
        !matches!(
            self,
            Self::Daemon(DaemonError::VmMode { .. }) | Self::NoVmMode | Self::Protocol { .. }
        )
    }
}

/// Makes an I/O error a [`WorldError`] that names what could not be created.
pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> WorldError {
    let what = what.into();
    move |source| WorldError::Io { what, source }
}
