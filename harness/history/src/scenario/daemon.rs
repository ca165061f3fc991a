//! What happens to the daemon's process and to its VM.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::wsl::WslStep;

/// The name of the App's VM (contract 3.6).
pub(crate) const APP_VM: &str = "rd";

/// A step that is done to the daemon's process or to its VM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DaemonStep {
    /// Does something to the daemon's process.
    #[serde(rename = "daemon")]
    Process(DaemonOp),
    /// Lets the VM wait with what it was told to do, or go on; in VM mode `api` only.
    Vm(VmOp),
    /// Does something to a process of a VM that the daemon runs; not in VM mode `api`.
    VmProcess(VmProcessStep),
    /// Lets innocent processes have the process IDs that pid files of a VM name. The processes that had
    /// them must have ended.
    Bystander(Bystander),
    /// Puts the pair of SSH keys of the VMs' user into a state.
    SshKeys(KeysOp),
    /// Decides what the next call of `wsl.exe` does.
    Wsl(WslStep),
}

/// Does something to a process of a VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmProcessStep {
    /// Which process.
    pub of: VmRole,
    /// What is done to it.
    pub op: VmProcessOp,
    /// Name of the VM.
    #[serde(default = "rd", skip_serializing_if = "is_rd")]
    pub vm: String,
}

/// What a process is to a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmRole {
    /// The daemon's process that runs the VM.
    Hostagent,
    /// QEMU or a session of WSL, or what stands in for it.
    Driver,
    /// A process that has nothing to do with the VM, and whose ID is in one of its pid files.
    Bystander,
}

impl fmt::Display for VmRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hostagent => "hostagent",
            Self::Driver => "driver",
            Self::Bystander => "bystander",
        })
    }
}

/// What is done to a process of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmProcessOp {
    /// SIGKILL, and its end awaited.
    Kill,
    /// SIGSTOP, and its stop awaited.
    Freeze,
    /// SIGCONT.
    Thaw,
}

/// Lets innocent processes have the process IDs that pid files name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bystander {
    /// The pid files of these processes.
    pub files_of: Vec<VmRole>,
    /// Name of the VM.
    #[serde(default = "rd", skip_serializing_if = "is_rd")]
    pub vm: String,
}

fn rd() -> String {
    APP_VM.to_owned()
}

fn is_rd(vm: &str) -> bool {
    vm == APP_VM
}

/// What is done to the pair of SSH keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysOp {
    /// Both are removed.
    Remove,
    /// The private key is removed.
    RemovePrivate,
    /// The public key is removed.
    RemovePublic,
    /// The private key loses its content.
    EmptyPrivate,
    /// The private key loses its second half.
    TruncatePrivate,
    /// The public key loses its content.
    EmptyPublic,
    /// Everybody may read the private key.
    OpenPrivate,
}

/// What is done to the daemon's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DaemonOp {
    /// SIGKILL, and its end awaited.
    Kill,
    /// `svc stop`, and its end awaited.
    Stop,
    /// SIGSTOP, then `svc stop` with a time limit that passes, which must end with 4; then SIGCONT, and
    /// a second `svc stop`, which must end with 0.
    StopLate,
    /// `svc start` after `kill` or `stop`; the App has kept what it wants.
    Start,
    /// SIGSTOP.
    Freeze,
    /// SIGCONT.
    Thaw,
}

/// What the VM does with what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmOp {
    /// It stays as it is.
    Wait,
    /// It does what it was told meanwhile, and from here on at once.
    Go,
}
