//! What happens to the daemon's process and to its VM.

use serde::{Deserialize, Serialize};

/// A step that is done to the daemon's process or to its VM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DaemonStep {
    /// Does something to the daemon's process.
    #[serde(rename = "daemon")]
    Process(DaemonOp),
    /// Lets the VM wait with what it was told to do, or go on; in VM mode `api` only.
    Vm(VmOp),
}

/// What is done to the daemon's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DaemonOp {
    /// SIGKILL, and its end awaited.
    Kill,
    /// `svc stop`, and its end awaited.
    Stop,
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
