//! A gate stops one message until it is released.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::event::What;
use crate::rule::{Point, RuleGuard};

/// Where a gate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GateState {
    Open,
    Holding,
    Abandoned,
    Released,
}

/// The side of a gate that messages see.
#[derive(Debug)]
pub(crate) struct GateCore {
    name: String,
    state: watch::Sender<GateState>,
}

impl GateCore {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.to_owned(), state: watch::Sender::new(GateState::Open) })
    }

    /// Keeps a message until the release, and tells so. Where this wait is dropped instead, the
    /// message was given up.
    pub(crate) async fn stand(&self, point: Point, tell: impl Fn(What)) {
        if !self.enter(GateState::Open, GateState::Holding) {
            // The gate was released before the message came.
            return;
        }
        tell(What::Held { gate: self.name.clone(), point });
        let mut standing = Standing { gate: self, tell, goes_on: false };
        // The sender lives as long as this value, so that the wait ends with the release only.
        let _ = self.state.subscribe().wait_for(|state| *state == GateState::Released).await;
        standing.goes_on = true;
    }

    fn enter(&self, from: GateState, to: GateState) -> bool {
        self.state.send_if_modified(|state| {
            let due = *state == from;
            if due {
                *state = to;
            }
            due
        })
    }
}

/// A message that stands at a gate. What becomes of it is told when this value is dropped: the
/// only way to notice a wait that was dropped around it.
struct Standing<'a, T: Fn(What)> {
    gate: &'a GateCore,
    tell: T,
    goes_on: bool,
}

impl<T: Fn(What)> Drop for Standing<'_, T> {
    fn drop(&mut self) {
        let gate = self.gate.name.clone();
        if self.goes_on {
            (self.tell)(What::Released { gate });
        } else {
            self.gate.enter(GateState::Holding, GateState::Abandoned);
            (self.tell)(What::Abandoned { gate });
        }
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
        let last_seen = match self.armed.went_by() {
            None => "no message at all".to_owned(),
            Some((count, last)) => format!("{count} other messages, the last one {last}"),
        };
        Err(NotReached { gate: self.core.name.clone(), waited: began.elapsed(), last_seen })
    }

    /// Lets the held message go on, and holds none any more.
    pub fn release(self) {}
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.core.state.send_replace(GateState::Released);
    }
}
