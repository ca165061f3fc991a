//! What a world must offer for a scenario.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::api::Protocol;
use super::docker::DockerNeeds;
use super::wsl::WslNeeds;

/// How the daemon comes to believe that its VM runs (contract 7.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmMode {
    /// The daemon's Lima controller is off, and the harness plays it through the API.
    Api,
    /// All controllers and the hostagent run; only the QEMU program is a stand-in.
    Program,
    /// The daemon's Lima boots a guest, and the engine runs in it.
    Guest,
}

impl fmt::Display for VmMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Api => "api",
            Self::Program => "program",
            Self::Guest => "guest",
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
    /// The VM's driver is in the process group of its hostagent, and leads none; in VM mode `program` only.
    #[serde(skip_serializing_if = "is_false")]
    pub shared_group: bool,
    /// Conditions that the App of the daemon has, beside those that steps wait for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// The daemon keeps a context of the docker command (contract 5).
    #[serde(skip_serializing_if = "is_false")]
    pub contexts: bool,
    /// The daemon passes logs of containers through (contract 6).
    #[serde(skip_serializing_if = "is_false")]
    pub passthrough: bool,
    /// The history has every write to the daemon's API, as its admission sees it. Scenarios that hold or
    /// deny writes have that from the first such step on.
    #[serde(skip_serializing_if = "is_false")]
    pub reviews: bool,
    /// The guest has a Kubernetes, which a stand-in plays.
    #[serde(skip_serializing_if = "is_false")]
    pub kubernetes: bool,
    /// How the user of the docker command has it, where the scenario is about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker: Option<DockerNeeds>,
    /// The VM is a distribution of WSL, and the harness plays `wsl.exe`; in VM mode `program` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wsl: Option<WslNeeds>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(value: &bool) -> bool {
    !value
}
