//! Time, as far as the wire needs it. This is the only file of the package that uses tokio's
//! timers.
//!
//! A wire forwards a message because something arrived, never because time passed. Three things
//! cannot do without time:
//! - the pace of the `slow` fault, which is what that fault does;
//! - accepting again after it has failed, because no event reports that descriptors are free again;
//! - upper limits: on a test's wait for a gate or a recording, and on a graceful close.

use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior};

/// A wait that has reached its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimedOut {
    /// How long the wait has really taken.
    pub(crate) waited: Duration,
}

/// Waits for `future`, but not longer than `limit`. Drops `future` at the limit.
pub(crate) async fn within<F: Future>(limit: Duration, future: F) -> Result<F::Output, TimedOut> {
    let began = Instant::now();
    let finished = tokio::time::timeout(limit, future).await;
    finished.map_err(|_| TimedOut { waited: began.elapsed() })
}

/// Ticks at a fixed distance; the first tick of a new ticker is immediate.
#[derive(Debug)]
pub(crate) struct Ticker {
    interval: Interval,
}

impl Ticker {
    /// # Panics
    /// If `period` is zero.
    pub(crate) fn new(period: Duration) -> Self {
        let mut interval = tokio::time::interval(period);
        // A late tick delays all later ones. The default would catch up with a burst of ticks,
        // which is the opposite of a pace.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { interval }
    }

    /// Waits for the next tick. Cancel-safe: documented by tokio for `Interval::tick`.
    pub(crate) async fn tick(&mut self) {
        self.interval.tick().await;
    }

    /// Starts a new period: the next tick is one period from now.
    pub(crate) fn reset(&mut self) {
        self.interval.reset();
    }
}
