//! The gate that a test holds: it stops one message until it is released.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::TimedOut;
use crate::rules::latch::Latch;
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

impl Drop for Gate {
    fn drop(&mut self) {
        // The latch first: a message that matches before the rule is disarmed must pass.
        self.latch.release();
    }
}
