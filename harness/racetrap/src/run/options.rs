//! What a run needs beside its scenario.

use std::path::PathBuf;

use racetrap_history::{DaemonKind, VmMode};

use super::first_violation::EndAt;
use super::stop::Stop;
use crate::deadline::Deadlines;
use crate::world::{EngineChoice, Pool};

/// What a run needs beside its scenario.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The daemon's program.
    pub daemon: PathBuf,
    /// Defects to switch on; only a reference daemon knows any.
    pub defects: Vec<String>,
    /// Directory under which the run makes its own evidence directory.
    pub evidence: PathBuf,
    /// Keep evidence also of a run that passed.
    pub keep: bool,
    /// Use this VM mode instead of the first one that daemon and scenario both support.
    pub vm: Option<VmMode>,
    /// Which engine the daemon mirrors.
    pub engine: EngineChoice,
    /// How long a step and the whole run may take.
    pub deadlines: Deadlines,
    /// The command that repeats the run.
    pub again: String,
    /// The daemon of the cell, if the run is one of a matrix.
    pub cell: Option<DaemonKind>,
    /// Ends the run early, and its world with it.
    pub stop: Stop,
    /// When the run may end before its last step.
    pub end_at: EndAt,
    /// Worlds that may be used again, and where this run's is given back.
    pub pool: Pool,
}
