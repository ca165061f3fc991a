//! Closes the worlds that were kept for reuse.

use super::exit::Exit;
use crate::report::tell;
use crate::world::{Closing, Pool};

/// Closes the idle worlds. Reports worlds that could not be reset and everything that could not be
/// removed; the latter makes the result of the command unknown, as it does for a single run.
pub(super) async fn close(pool: &Pool) -> Exit {
    let Closing { unclean, leaks } = pool.close().await;
    for why in unclean {
        tell(&format!("a world could not be reset after a run that passed: {why}"));
    }
    for leak in &leaks {
        tell(&format!("closing a world left this behind: {leak}"));
    }
    if leaks.is_empty() { Exit::Success } else { Exit::Unknown }
}
