//! The gates that a test holds: one stops a single message until it is released, the other each message.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock::TimedOut;
use crate::rules::latch::{Latch, StoppedMessage};
use crate::rules::registry::RuleGuard;

/// Stops one message until it is released. Dropping the gate releases the message, too, so that no
/// held message is ever lost.
#[derive(Debug)]
#[must_use = "dropping the gate releases what it holds, and disarms it"]
pub struct Gate {
    latch: Arc<Latch>,
    rule: RuleGuard,
}

/// No message reached a gate in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("waited {waited:.1?} for a message at gate `{gate}`; last seen: {last_seen}")]
pub struct NotReached {
    gate: String,
    waited: Duration,
    last_seen: String,
}

impl Gate {
    pub(crate) fn new(latch: Arc<Latch>, rule: RuleGuard) -> Self {
        Self { latch, rule }
    }

    /// The gate's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.latch.name
    }

    /// Waits until the gate holds a message. A message that was held and then abandoned counts,
    /// too.
    ///
    /// # Errors
    /// If no message arrived within `limit`. The error describes the messages that passed instead.
    pub async fn reached(&self, limit: Duration) -> Result<(), NotReached> {
        self.latch.reached(limit).await.map_err(|TimedOut { waited }| {
            let last_seen = self.rule.last_seen();
            NotReached { gate: self.latch.name.clone(), waited, last_seen }
        })
    }

    /// Releases the held message. The gate holds no other message after that.
    pub fn release(self) {}
}

/// Holds every message that comes, until each is released or this is dropped.
#[derive(Debug)]
#[must_use = "dropping it releases what is held, and disarms it"]
pub struct HoldEach {
    // Disarmed before the queue is dropped: a message that comes in between must not be stopped.
    _rules: [RuleGuard; 3],
    stopped: mpsc::UnboundedReceiver<StoppedMessage>,
}

impl HoldEach {
    pub(crate) fn new(
        rules: [RuleGuard; 3],
        stopped: mpsc::UnboundedReceiver<StoppedMessage>,
    ) -> Self {
        Self { _rules: rules, stopped }
    }

    /// The next message that was stopped, in the order of their arrival. Cancel-safe: a message that was
    /// not returned stays in the queue.
    pub async fn next(&mut self) -> StoppedMessage {
        match self.stopped.recv().await {
            Some(stopped) => stopped,
            // Cannot happen: the rules hold a sender as long as they are armed.
            None => std::future::pending().await,
        }
    }

    /// The next message, if one was stopped.
    pub fn try_next(&mut self) -> Option<StoppedMessage> {
        self.stopped.try_recv().ok()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // The latch first: a message that matches before the rule is disarmed must pass.
        self.latch.release();
    }
}
