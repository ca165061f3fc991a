//! Why an engine could not be started, checked or ended.

use std::io;

use super::choice::EngineChoice;
use super::install::InstallError;
use super::truth::TruthError;
use super::users_docker::UsersDockerError;
use crate::vm::VmError;
use crate::wait::NotReached;

/// An engine could not be started, checked or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// There is no dockerd on PATH.
    #[error("there is no dockerd on PATH")]
    Missing,
    /// The harness does not run as root, which namespaces and control groups need.
    #[error("an engine needs root to run, and Racetrap does not run as root")]
    NotRoot,
    /// The installed engine cannot be used.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The guest could not be started or asked.
    #[error(transparent)]
    Vm(#[from] VmError),
    /// The user's Docker, which runs the engine's container, cannot be used.
    #[error(transparent)]
    UsersDocker(#[from] UsersDockerError),
    /// The engine's container could not be created, started or changed.
    #[error("the engine's container could not be created or changed")]
    Container(#[from] testcontainers::TestcontainersError),
    /// dockerd did not become ready.
    #[error("dockerd did not become ready; the end of its log:\n{log}")]
    NotReady {
        /// What the harness waited for.
        #[source]
        source: NotReached,
        /// The last lines of its log.
        log: String,
    },
    /// The engine did not answer when it was asked for its version.
    #[error("the engine did not answer when it was asked for its version")]
    Unidentified(#[from] TruthError),
    /// The engine is not the one that was chosen.
    #[error("`{chosen}` was chosen, and the engine says that it is {is}")]
    NotChosen {
        /// What was chosen.
        chosen: EngineChoice,
        /// What the engine says that it is.
        is: String,
    },
    /// The scenario needs `live_restore`, and the containers of an engine in a container end with
    /// it.
    #[error("an engine in a container cannot leave its containers running when it ends")]
    NoLiveRestore,
    /// A step is about a virtual machine, and the engine does not run in one.
    #[error("the engine runs in no virtual machine")]
    NoGuest,
    /// A step is about the hostagent, and the daemon does not run the virtual machine.
    #[error("the daemon runs no hostagent for this machine; it does in VM mode `guest`")]
    NoHostagent,
    /// A step is for a virtual machine that the harness starts, and Lima has started this one.
    #[error("this cannot be done to a machine that Lima has started")]
    NotOurMachine,
    /// A fault of the virtual machine was injected, or ended, and the guest does not show it.
    #[error("the guest does not show the effect: {why}")]
    NoEffect {
        /// What it shows.
        why: String,
    },
    /// The virtual machine that Lima has started is not as it is needed.
    #[error("Lima's machine could not be {what}")]
    Machine {
        /// What was tried, as a past participle.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// dockerd could not be started, signalled or ended.
    #[error("dockerd could not be {what}")]
    Process {
        /// What was tried, as a past participle.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
}
