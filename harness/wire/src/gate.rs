//! A gate stops one message until it is released.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::rule::RuleGuard;

/// Where a gate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GateState {
    Open,
    Holding,
    Abandoned,
    Released,
}

/// The side of a gate that messages see.
#[derive(Debug)]
pub(crate) struct GateCore {
    pub(crate) name: String,
    state: watch::Sender<GateState>,
}

impl GateCore {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.to_owned(), state: watch::Sender::new(GateState::Open) })
    }

    /// A message stands here now; false where the gate was released before one came. `tell` runs
    /// before anybody who waits can see it.
    pub(crate) fn arrive(&self, tell: impl FnOnce()) -> bool {
        self.state.send_if_modified(|state| {
            let open = *state == GateState::Open;
            if open {
                tell();
                *state = GateState::Holding;
            }
            open
        })
    }

    /// Waits for the release.
    pub(crate) async fn pass(&self) {
        let released = |state: &GateState| *state == GateState::Released;
        // The sender lives as long as this value, so that the wait cannot end otherwise.
        let _ = self.state.subscribe().wait_for(released).await;
    }

    /// The held message has nobody any more who waits for it.
    pub(crate) fn abandon(&self) {
        self.state.send_if_modified(|state| {
            let holding = *state == GateState::Holding;
            if holding {
                *state = GateState::Abandoned;
            }
            holding
        });
    }

    fn release(&self) {
        self.state.send_replace(GateState::Released);
    }
}

/// Stops one message until it is released. Dropping it releases it: nothing held is lost.
#[derive(Debug)]
#[must_use = "dropping the gate releases what it holds, and disarms it"]
pub struct Gate {
    core: Arc<GateCore>,
    armed: RuleGuard,
}

/// A gate was not reached in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("waited {waited:.1?} for a message at gate `{gate}`; last seen: {last_seen}")]
pub struct NotReached {
    gate: String,
    waited: Duration,
    last_seen: String,
}

impl Gate {
    pub(crate) fn new(core: Arc<GateCore>, armed: RuleGuard) -> Self {
        Self { core, armed }
    }

    /// The gate's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// Waits until a message stands at the gate; one that stood there and was given up counts too.
    ///
    /// # Errors
    /// Where none came within `limit`; the error tells what went by instead.
    pub async fn reached(&self, limit: Duration) -> Result<(), NotReached> {
        let began = Instant::now();
        let mut state = self.core.state.subscribe();
        let waiting = state.wait_for(|state| *state != GateState::Open);
        if tokio::time::timeout(limit, waiting).await.is_ok() {
            return Ok(());
        }
        let last_seen = self.armed.last_seen();
        Err(NotReached { gate: self.core.name.clone(), waited: began.elapsed(), last_seen })
    }

    /// Lets the held message go on, and holds none any more.
    pub fn release(self) {}
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.core.release();
    }
}
