//! What is run on what.

use serde::{Deserialize, Serialize};

use crate::scenario::{FindingId, Scenario, VmMode};

/// What is run on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// Version of the journal's format.
    pub format: u32,
    /// Version of the harness.
    pub harness: String,
    /// The finding.
    pub finding: FindingId,
    /// The whole scenario, so that the journal alone can repeat the run, and so that a record names its
    /// step by index.
    pub scenario: Box<Scenario>,
    /// Program of the daemon.
    pub daemon: String,
    /// Defects switched on in a reference daemon.
    pub defects: Vec<String>,
    /// How the daemon's VM is run.
    pub vm: VmMode,
    /// Wall-clock time of the start, RFC 3339.
    pub started: String,
    /// How many runs were in this world before, each followed by a reset that was proved clean.
    #[serde(default)]
    pub reused: u32,
    /// The command that repeats the run; empty where a journal is older than this.
    #[serde(default)]
    pub again: String,
    /// A limit of the machine that is lower than a world needs, in words. A failure in such a run may
    /// be the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_limit: Option<String>,
}
