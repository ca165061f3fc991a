//! The end of the worlds that runs handed on to each other.

use super::exit::Exit;
use crate::report::tell;
use crate::world::{Closing, Pool};

/// Closes the idle worlds, and tells of those that could not be used again, and of what would not
/// go. What is left makes the command's result unknown, as it does for a run's own world.
pub(super) async fn close(pool: &Pool) -> Exit {
    let Closing { unclean, leaks } = pool.close().await;
    for why in unclean {
        tell(&format!("after a run that passed, its world was not like a new one: {why}"));
    }
    for leak in &leaks {
        tell(&format!("something of a world would not go: {leak}"));
    }
    if leaks.is_empty() { Exit::Success } else { Exit::Unknown }
}
