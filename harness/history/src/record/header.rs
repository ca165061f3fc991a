//! The header of a history.

use serde::{Deserialize, Serialize};

use super::cell::DaemonKind;
use crate::scenario::{FindingId, Scenario, VmMode};

/// The scenario, the daemon under test and the conditions of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// Version of the journal's format.
    pub format: u32,
    /// Version of the harness.
    pub harness: String,
    /// The finding.
    pub finding: FindingId,
    /// The complete scenario. So the journal alone suffices to repeat the run, and a record can name its
    /// step by index.
    pub scenario: Box<Scenario>,
    /// Path of the daemon's program.
    pub daemon: String,
    /// Defects that are switched on in a reference daemon.
    pub defects: Vec<String>,
    /// What plays the daemon's VM.
    pub vm: VmMode,
    /// Wall-clock time of the start, RFC 3339.
    pub started: String,
    /// Number of earlier runs in the same world. After each of them, the harness reset the world and proved
    /// that it was clean.
    #[serde(default)]
    pub reused: u32,
    /// The command that repeats the run; empty in journals that are older than this field.
    #[serde(default)]
    pub again: String,
    /// A limit of the machine that is lower than a world needs, in words. A failure in such a run may
    /// be the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_limit: Option<String>,
    /// The daemon of the cell, if a matrix made the run. The cell under the finding's own defect must
    /// fail, and a report that is made later must know that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<DaemonKind>,
}
