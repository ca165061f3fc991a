//! What a world must remember over its runs, so that it can be used again.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::intent::LogLengths;
use crate::sys::Identity;

/// What a reset compares the world with, and what the pool decides by.
pub(super) struct ReuseState {
    /// How many resets the world has passed, which is the number of runs before the present one.
    pub(super) runs: u32,
    /// How long the world took to start.
    pub(super) start_took: Duration,
    /// How long the world's logs were when the present run began.
    pub(super) logs: LogLengths,
    /// The processes of the world when it was new.
    pub(super) processes: BTreeSet<Identity>,
    /// How many descriptors the daemon had open after the first run.
    pub(super) descriptors: Option<usize>,
    /// The daemon's process after the first run.
    pub(super) daemon: Option<Identity>,
    /// From this instant on, a daemon that connects to the engine is no longer sent events from
    /// before the last reset.
    pub(super) events_past: Option<Instant>,
}

impl ReuseState {
    /// The state of a new world that took `start_took` to start, and has these processes.
    pub(super) fn new(
        start_took: Duration,
        processes: impl Iterator<Item = (Identity, String)>,
    ) -> Self {
        Self {
            runs: 0,
            start_took,
            logs: LogLengths::new(),
            processes: processes.map(|(process, _)| process).collect(),
            descriptors: None,
            daemon: None,
            events_past: None,
        }
    }
}
