//! The turn of a run whose engine is in a guest: software emulates the processors of guests, so
//! only a few of them can run at once on a machine, whoever runs them.

use std::fs::File;
use std::ops::ControlFlow;
use std::time::Duration;

use super::options::RunOptions;
use crate::vm::Images;
use crate::wait::polled;

/// How long a run waits for its turn. It goes on without one then: a run that is slow says more
/// than none.
const LIMIT: Duration = Duration::from_secs(1800);

/// Waits for a turn, if the engine is in a guest. The turn lasts until the file is dropped. A
/// request to stop ends the wait; the run then ends by itself.
pub(super) async fn take(options: &RunOptions) -> Option<File> {
    options.engine.guest()?;
    let images = Images::in_user_cache().ok()?;
    let waiting = polled("a turn to run a guest", LIMIT, async || {
        if options.stop.asked_now().is_some() {
            return ControlFlow::Break(None);
        }
        match images.try_turn() {
            Ok(Some(turn)) => ControlFlow::Break(Some(turn)),
            Ok(None) => ControlFlow::Continue("other runs have them".to_owned()),
            Err(_) => ControlFlow::Break(None),
        }
    });
    waiting.await.ok().flatten()
}
