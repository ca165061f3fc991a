//! The handles that keep a rule armed: a gate that holds a write, and a guard that denies writes.

use std::sync::Arc;
use std::time::Duration;

use super::reviewer::Reviewer;
use super::rule::{Gate, GateState};
use crate::wait::NotReached;

/// Holds one write before it is stored, until the gate is released. Dropping the gate releases it.
///
/// The API server waits for a webhook for at most 30 s. After that it stores the held write without
/// an answer, and the history says that the write was given up.
#[must_use = "dropping the gate releases what it holds, and disarms it"]
pub(crate) struct WriteGate {
    pub(super) reviewer: Reviewer,
    pub(super) id: u64,
    pub(super) gate: Arc<Gate>,
    /// How many writes were reviewed before the gate was armed.
    pub(super) reviewed_before: u64,
}

impl WriteGate {
    /// Waits until the gate has held a write, also if that write was given up since.
    ///
    /// # Errors
    /// If the gate held none within `limit`; the error describes the writes that passed instead.
    pub(crate) async fn reached(&self, limit: Duration) -> Result<(), NotReached> {
        let mut state = self.gate.state.subscribe();
        let waiting = state.wait_for(|state| *state != GateState::Armed);
        if tokio::time::timeout(limit, waiting).await.is_ok() {
            return Ok(());
        }
        let what = format!("a write at gate `{}`", self.gate.name);
        let passed = self.reviewer.rules().describe_since(self.reviewed_before);
        Err(NotReached::new(what, limit, passed))
    }

    /// Lets the held write go on, and holds no other.
    pub(crate) fn release(self) {}
}

impl Drop for WriteGate {
    fn drop(&mut self) {
        // In this order: a write that is decided on in between must not be held by a gate that
        // nobody can release any more.
        self.reviewer.rules().disarm(self.id);
        self.gate.state.send_replace(GateState::Released);
    }
}

/// Keeps a rule armed that denies writes.
#[must_use = "dropping the guard disarms the rule"]
pub(crate) struct DenyGuard {
    pub(super) reviewer: Reviewer,
    pub(super) id: u64,
}

impl DenyGuard {
    /// Whether the rule has denied a write.
    pub(crate) fn fired(&self) -> bool {
        self.reviewer.rules().denied(self.id) > 0
    }
}

impl Drop for DenyGuard {
    fn drop(&mut self) {
        self.reviewer.rules().disarm(self.id);
    }
}
