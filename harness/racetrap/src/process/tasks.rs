//! The tasks of a world, and how they are joined.

use tokio::task::{JoinError, JoinSet};

/// Tasks of a world, by what ends them.
#[derive(Default)]
pub(crate) struct Tasks {
    /// Each waits for one process, and ends when that process has ended.
    pub(crate) keepers: JoinSet<()>,
    /// Observe the world until it is closed, which aborts them.
    pub(crate) observers: JoinSet<()>,
    /// Clients of one run of the daemon, aborted when the daemon ends.
    pub(crate) clients: JoinSet<()>,
}

/// Waits for all tasks to end.
///
/// # Panics
/// With the panic of any of them, which would otherwise be lost.
pub(crate) async fn join_all(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        propagate_panic(ended);
    }
}

/// Panics if the task has panicked, with the same payload. A task that was aborted is no panic.
pub(crate) fn propagate_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}
