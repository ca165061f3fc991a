//! Waits for a level: a probe looks at the state first, and again after every change. The error
//! contains what it saw last.
//!
//! A wait for an edge, such as the next event, would miss an event that came just before the wait.

use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::View;
use tokio::time::Instant;

use crate::clock;
use crate::recorder::Recorder;

/// A level was not reached within its limit.
#[derive(Clone, Debug, thiserror::Error)]
#[error("waited {waited:.1?} for {what}; last seen: {last_seen}")]
pub struct NotReached {
    what: String,
    waited: Duration,
    last_seen: String,
}

impl NotReached {
    /// The error of a wait that was carried out elsewhere.
    pub(crate) fn new(what: impl Into<String>, waited: Duration, seen: impl Into<String>) -> Self {
        Self { what: what.into(), waited, last_seen: seen.into() }
    }
}

/// Waits until `probe` breaks, which is called first at once, and then after every record of the
/// history.
///
/// # Errors
/// If it has not broken within `limit`, with what it continued with last.
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
            // Marked as seen before the probe looks: a record that comes while it looks then wakes
            // this task again, and is not missed.
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

/// Waits until `probe` breaks, which is called every 5 ms. For levels outside the history, which
/// cannot notify, such as the first answer of a process.
///
/// # Errors
/// If it has not broken within `limit`, with what it continued with last.
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

/// Calls `is_so` every 5 ms until it returns true, and says whether it did within `limit`. For levels
/// that are looked at without waiting.
pub(crate) async fn seen_within(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + limit;
    while !is_so() {
        if Instant::now() >= until {
            return false;
        }
        clock::pause(Duration::from_millis(5)).await;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn recorder(place: &tempfile::TempDir) -> Recorder {
        Recorder::create(&place.path().join("journal"), Clock::start()).expect("a new journal")
    }

    #[tokio::test]
    async fn a_level_that_is_reached_already_needs_no_change() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let reached =
            until("x", Duration::ZERO, &recorder(&place), |_| ControlFlow::<u8, _>::Break(7)).await;
        assert_eq!(reached.expect("it holds"), 7);
    }

    #[tokio::test]
    async fn the_error_of_a_wait_contains_what_was_seen_last() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let recorder = recorder(&place);
        let mut looks = 0;
        let waiting = until("the end", Duration::from_millis(50), &recorder, |_| {
            looks += 1;
            ControlFlow::<(), _>::Continue(format!("look {looks}"))
        });
        let note = async {
            tokio::task::yield_now().await;
            recorder.note("something happened");
        };
        let (waited, ()) = tokio::join!(waiting, note);
        let text = waited.expect_err("it never ends").to_string();
        assert!(text.ends_with("for the end; last seen: look 2"), "{text}");
    }
}
