//! The one language of schedules: what a Rust test builds, a YAML file holds, a replay contains.
//!
//! - `finding`: what is known of a finding, and what must hold where it is repaired;
//! - `step`: what a scenario does;
//! - `message`: which messages on a wire are meant, and where on their way;
//! - `fault`: what is done to them;
//! - `api`: what a user of the daemon's API does, and which of its writes are meant;
//! - `docker`: what a user of the docker command does;
//! - `level`: what is waited for;
//! - `logs`: what clients of the log passthrough do.

mod api;
mod docker;
mod fault;
mod finding;
mod level;
mod logs;
mod message;
mod step;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::api::{ACTION, Action, MirrorRef, Protocol, UserObject, UserPatch, WriteMatch};
pub use self::docker::{
    DiskOp, DockerFileStep, DockerNeeds, DockerStep, DockerVariable, ENDPOINT, EndpointOp, FileOp,
    Moment, OURS, REGISTRY,
};
pub use self::fault::{Fault, FaultKind, FaultName};
pub use self::finding::{About, FindingId, NoFindingId, OracleName, Platform, Unshown};
pub use self::level::Await;
pub use self::logs::{ClientName, Door, LeaveHow, LeaveLog, LogCrowd, LogRequest, OpenLog};
pub use self::message::{GateName, Hold, HoldWrite, Match, Phase, Point, Side, Streams};
pub use self::step::{
    AppStep, Codes, CommandName, ContainerOp, DaemonOp, EngineOp, Prints, Returned, SetStep, Step,
    VmOp,
};

/// A schedule, what it needs, and the finding that it shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The finding that this schedule shows.
    pub finding: FindingId,
    /// What the catalogue says of the finding; a replay file leaves it out and inherits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// What the world must offer.
    #[serde(default)]
    pub needs: Needs,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// How the daemon comes to believe that its VM runs (contract 7.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmMode {
    /// The daemon's Lima controller is off, and the harness plays it through the API.
    Api,
    /// All controllers and the hostagent run; only the QEMU program is a stand-in.
    Program,
}

impl fmt::Display for VmMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Api => "api",
            Self::Program => "program",
        })
    }
}

/// What a world must offer for a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// VM modes in which the schedule makes sense; none named means any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vm: Vec<VmMode>,
    /// How the daemon must take wishes for a container's state; either, where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// A second daemon in the same home, with an engine of its own.
    #[serde(skip_serializing_if = "is_false")]
    pub neighbour: bool,
    /// The daemon's controllers of containers run in a program of their own (contract 3.3).
    #[serde(skip_serializing_if = "is_false")]
    pub standalone: bool,
    /// Containers outlive the engine's process (dockerd's live-restore).
    #[serde(skip_serializing_if = "is_false")]
    pub live_restore: bool,
    /// How the user of the docker command has it, where the scenario is about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker: Option<DockerNeeds>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(value: &bool) -> bool {
    !value
}
