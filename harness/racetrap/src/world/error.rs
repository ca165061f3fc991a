//! Why a world could not be started.

use std::error::Error as _;
use std::io;

use racetrap_history::{Protocol, What};
use racetrap_wire::WireError;

use super::slot::SlotError;
use crate::chain::chain;
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
    /// Whether the scenario is not for this daemon, or not for the engine that was chosen: nothing is
    /// broken, and such a world leaves nothing worth capturing.
    pub(crate) fn is_not_applicable(&self) -> bool {
        matches!(
            self,
            Self::Daemon(DaemonError::VmMode { .. } | DaemonError::NoControllers(_))
                | Self::Engine(EngineError::NoLiveRestore)
                | Self::Protocol { .. }
        )
    }

    /// The record of this error in the history of the run.
    pub(crate) fn record(&self) -> What {
        let why = chain(self);
        if !self.is_not_applicable() {
            return What::Unmade { why };
        }
        // The outer error says that something did not start, which is true and not the point.
        let why = self.source().map_or(why, chain);
        What::NotApplicable { why }
    }
}

/// Makes an I/O error a [`WorldError`] that names what could not be created.
pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> WorldError {
    let what = what.into();
    move |source| WorldError::Io { what, source }
}
