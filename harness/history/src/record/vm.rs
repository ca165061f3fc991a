//! The VMs that the daemon runs: their processes and files.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::wsl::WslDistribution;
use crate::scenario::{APP_VM, VmRole};

/// Something happened to a process of a VM, or to a bystander.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmProcess {
    /// Name of the VM, such as `rd`.
    pub vm: String,
    /// What the process is to the VM.
    pub role: VmRole,
    /// Process ID.
    pub pid: u32,
    /// When it started, in clock ticks since boot. Process ID and start time identify a process.
    pub started: u64,
    /// ID of its process group when it was seen first.
    pub group: u32,
    /// What happened to it.
    pub change: VmProcessChange,
}

/// What happened to a process of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmProcessChange {
    /// The harness saw it for the first time; it may run for some 100 ms by then.
    Began,
    /// It has ended.
    Ended,
    /// The harness is about to kill it.
    Killed,
    /// The harness has stopped it by SIGSTOP.
    Frozen,
    /// The harness is about to let it go on.
    Thawed,
}

impl VmProcess {
    /// Whether the machine of the App's VM has ended, and the engine with it.
    pub(super) fn ends_app_vm(&self) -> bool {
        self.vm == APP_VM && self.role == VmRole::Driver && self.change == VmProcessChange::Ended
    }
}

impl fmt::Display for VmProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vm, role, pid, change, .. } = self;
        let change = match change {
            VmProcessChange::Began => "runs",
            VmProcessChange::Ended => "has ended",
            VmProcessChange::Killed => "is killed by the harness",
            VmProcessChange::Frozen => "is frozen",
            VmProcessChange::Thawed => "goes on",
        };
        write!(f, "{role} {pid} of {vm} {change}")
    }
}

/// The files and sockets of the VMs, as they were at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmFiles {
    /// Each `*.pid`, `*.sock` and `*.tmp` in the directory of a VM, as `VM/FILE`, in rising order.
    pub left: Vec<String>,
    /// The pair of SSH keys.
    pub keys: SshKeys,
    /// The distributions of WSL, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distributions: Vec<WslDistribution>,
    /// Where processes with a file of a VM among their arguments listen; none in older journals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listening: Vec<VmListener>,
    /// The hostagents' logs of earlier boots, as `VM/ha.stderr.N.log`; not in older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_logs: Option<Vec<String>>,
}

/// A socket on which a process of a VM listens: its hostagent, its driver, or a program that one of
/// these has started.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VmListener {
    /// Name of the VM.
    pub vm: String,
    /// Address and port, or the path of the socket below the directory of all VMs.
    pub at: String,
    /// Name of the program.
    pub program: String,
    /// Process ID.
    pub pid: u32,
}

impl fmt::Display for VmListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vm, at, program, pid } = self;
        write!(f, "{program} {pid} of {vm} listens at {at}")
    }
}

impl fmt::Display for VmFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = if self.left.is_empty() { "no files" } else { &self.left.join(", ") };
        write!(f, "{left}; {}", self.keys)?;
        self.listening.iter().try_for_each(|listener| write!(f, "; {listener}"))?;
        self.distributions.iter().try_for_each(|it| write!(f, "; {it}"))
    }
}

/// The pair of SSH keys of the VMs' user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SshKeys {
    /// There is no private key.
    None,
    /// The files are no pair that ssh can use, for this reason.
    Broken(String),
    /// The files are a pair. Digest of the public key.
    Whole(String),
}

impl fmt::Display for SshKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no SSH keys"),
            Self::Broken(why) => write!(f, "broken SSH keys: {why}"),
            Self::Whole(_) => f.write_str("a whole pair of SSH keys"),
        }
    }
}
