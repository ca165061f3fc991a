//! A step that could not be done, and whose failure that is.

use racetrap_history::Blame;
use racetrap_wire::WireError;

use crate::chain::chain;
use crate::daemon::{AdmissionError, ApiError, DaemonError};
use crate::docker_cli::{CommandFailure, DockerCliError};
use crate::engine::{EngineError, TruthError, WorkloadError};
use crate::kubernetes::StandInError;
use crate::passthrough::RouteError;
use crate::world::{ClientWireError, WorldError};

/// A step that could not be done.
#[derive(Debug)]
pub(super) struct StepError {
    pub(super) blame: Blame,
    pub(super) why: String,
}

impl StepError {
    pub(super) fn by(blame: Blame, error: &dyn std::error::Error) -> Self {
        Self { blame, why: chain(error) }
    }
}

macro_rules! world_errors {
    ($($error:ty),+) => {
        $(impl From<$error> for StepError {
            fn from(error: $error) -> Self {
                Self::by(Blame::World, &error)
            }
        })+
    };
}
world_errors!(
    AdmissionError,
    ApiError,
    ClientWireError,
    DaemonError,
    DockerCliError,
    EngineError,
    TruthError,
    RouteError,
    StandInError,
    WireError,
    WorkloadError,
    WorldError
);

impl From<CommandFailure> for StepError {
    fn from(CommandFailure { blame, why }: CommandFailure) -> Self {
        Self { blame, why }
    }
}
