//! The tasks of a world.

use tokio::task::JoinSet;

/// Tasks of a world, by how they end.
#[derive(Default)]
pub(crate) struct Tasks {
    /// Wait for processes, and end with them.
    pub(crate) keepers: JoinSet<()>,
    /// Observe for as long as the world lives, and are ended with it.
    pub(crate) observers: JoinSet<()>,
    /// Clients of one run of the daemon, and ended with that.
    pub(crate) clients: JoinSet<()>,
}
