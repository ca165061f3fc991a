//! Waiting for a level: the state is looked at first, then at every change, and the error tells
//! what was seen last.

use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::View;
use tokio::time::Instant;

use crate::clock;
use crate::recorder::Recorder;

/// A wait ended without its level.
#[derive(Clone, Debug, thiserror::Error)]
#[error("waited {waited:.1?} for {what}; last seen: {last_seen}")]
pub struct NotReached {
    what: String,
    waited: Duration,
    last_seen: String,
}

impl NotReached {
    /// A wait that ended elsewhere.
    pub(crate) fn new(what: impl Into<String>, waited: Duration, seen: impl Into<String>) -> Self {
        Self { what: what.into(), waited, last_seen: seen.into() }
    }
}

/// Waits until `probe` breaks; it is asked again after every record of the history.
pub(crate) async fn until<T>(
    what: impl Into<String>,
    limit: Duration,
    recorder: &Recorder,
    mut probe: impl FnMut(&View) -> ControlFlow<T, String>,
) -> Result<T, NotReached> {
    let started = Instant::now();
    let mut changes = recorder.changes();
    let mut last_seen = String::from("nothing");
    let watching = async {
        loop {
            changes.borrow_and_update();
            match recorder.with_view(&mut probe) {
                ControlFlow::Break(found) => return Some(found),
                ControlFlow::Continue(why_not) => last_seen = why_not,
            }
            if changes.changed().await.is_err() {
                return None;
            }
        }
    };
    match tokio::time::timeout(limit, watching).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) | Err(_) => {
            Err(NotReached { what: what.into(), waited: started.elapsed(), last_seen })
        }
    }
}

/// Waits for something outside the history that cannot notify, such as a process's first answer.
pub(crate) async fn polled<T>(
    what: impl Into<String>,
    limit: Duration,
    mut probe: impl AsyncFnMut() -> ControlFlow<T, String>,
) -> Result<T, NotReached> {
    let started = Instant::now();
    let mut last_seen = String::from("nothing");
    let asking = async {
        loop {
            match probe().await {
                ControlFlow::Break(found) => return found,
                ControlFlow::Continue(why_not) => last_seen = why_not,
            }
            clock::pause(Duration::from_millis(5)).await;
        }
    };
    match tokio::time::timeout(limit, asking).await {
        Ok(found) => Ok(found),
        Err(_) => Err(NotReached { what: what.into(), waited: started.elapsed(), last_seen }),
    }
}
