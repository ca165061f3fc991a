//! What a world is made of.

use std::path::PathBuf;

use racetrap_history::{Needs, VmMode};

use crate::daemon::Prepared;
use crate::engine::EngineChoice;

/// The daemon, the engine and the places of one world.
#[derive(Clone, Debug)]
pub(crate) struct WorldOptions {
    /// The daemon's program.
    pub(crate) daemon: PathBuf,
    /// Defects to switch on in the daemon.
    pub(crate) defects: Vec<String>,
    /// How the daemon's VM is run.
    pub(crate) vm: VmMode,
    /// The engine that the daemon mirrors.
    pub(crate) engine: EngineChoice,
    /// The directory for evidence; created if it does not exist.
    pub(crate) evidence: PathBuf,
    /// What the scenario needs beyond that.
    pub(crate) needs: Needs,
    /// Databases of daemons that were started before.
    pub(crate) prepared: Prepared,
    /// The home of another world, if this world is its neighbour and shares that home.
    pub(crate) home: Option<PathBuf>,
}
