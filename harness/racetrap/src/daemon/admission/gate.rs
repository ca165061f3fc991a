//! The desk where writes are judged, and the handles by which its rules are kept.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use racetrap_history::{GateName, ReviewOutcome, What, WriteMatch};
use tokio::sync::watch;

use super::rule::{Action, Decision, Gate, Rules, Stand};
use super::write::Write;
use crate::recorder::Recorder;
use crate::wait::NotReached;

/// Where all reviews meet all rules; clones share it.
#[derive(Clone)]
pub(super) struct Desk(Arc<Shared>);

struct Shared {
    recorder: Recorder,
    rules: Mutex<Rules>,
}

impl Desk {
    pub(super) fn new(recorder: &Recorder) -> Self {
        Self(Arc::new(Shared { recorder: recorder.clone(), rules: Mutex::default() }))
    }

    /// Decides on a write, and returns when it may go on; with the name of the rule, where one
    /// denies it. Whoever drops this future gives the write up.
    pub(super) async fn judge(&self, write: &Write) -> Result<(), String> {
        match self.decide(write) {
            Decision::Allow => Ok(()),
            Decision::Deny(rule) => Err(rule),
            Decision::Hold(gate) => {
                let mut held = Held { desk: self, write, gate: &gate, released: false };
                let released = |stand: &Stand| *stand == Stand::Released;
                // The gate is kept above, so that the wait cannot end otherwise.
                held.released = gate.stand.subscribe().wait_for(released).await.is_ok();
                Ok(())
            }
        }
    }

    /// Decisions are recorded in their order, and before anybody who waits can see them.
    fn decide(&self, write: &Write) -> Decision {
        let mut rules = self.rules();
        let decision = rules.decide(write);
        match &decision {
            Decision::Allow => self.record(write, ReviewOutcome::Allowed),
            Decision::Deny(_) => self.record(write, ReviewOutcome::Denied),
            Decision::Hold(gate) => {
                self.record(write, ReviewOutcome::HeldAt(GateName(gate.name.clone())));
                gate.stand.send_replace(Stand::Reached);
            }
        }
        decision
    }

    fn record(&self, write: &Write, outcome: ReviewOutcome) {
        self.0.recorder.append(What::Review(write.review(outcome)));
    }

    /// Tells the reader of the history what is no review.
    pub(super) fn note(&self, text: String) {
        self.0.recorder.note(text);
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.0.rules.lock().expect("nothing panics while it holds the rules")
    }

    /// Arms a gate.
    pub(super) fn hold(&self, name: &str, on: WriteMatch) -> WriteGate {
        let stand = watch::Sender::new(Stand::Armed);
        let gate = Arc::new(Gate { name: name.to_owned(), stand });
        let mut rules = self.rules();
        let before = rules.asked();
        let id = rules.arm(on, Action::Hold(gate.clone()));
        WriteGate { desk: self.clone(), id, gate, before }
    }

    /// Arms a denial.
    pub(super) fn deny(&self, rule: &str, on: WriteMatch, times: Option<u32>) -> DenyGuard {
        let action = Action::Deny { rule: rule.to_owned(), left: times, denied: 0 };
        let id = self.rules().arm(on, action);
        DenyGuard { desk: self.clone(), id }
    }
}

/// A write that stands at a gate. Its end is recorded however it comes.
struct Held<'a> {
    desk: &'a Desk,
    write: &'a Write,
    gate: &'a Gate,
    released: bool,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let gate = GateName(self.gate.name.clone());
        let outcome = if self.released {
            ReviewOutcome::ReleasedFrom(gate)
        } else {
            ReviewOutcome::GivenUpAt(gate)
        };
        self.desk.record(self.write, outcome);
    }
}

/// Stops one write before it is stored, until it is released. Dropping it releases it.
///
/// The API server waits for a webhook for 30 s at most; then it gives the held write up, which the
/// history tells, and stores it.
#[must_use = "dropping the gate releases what it holds, and disarms it"]
pub(crate) struct WriteGate {
    desk: Desk,
    id: u64,
    gate: Arc<Gate>,
    /// Writes that were asked about before arming.
    before: u64,
}

impl WriteGate {
    /// Waits until a write stands at the gate; one that stood there and was given up counts too.
    ///
    /// # Errors
    /// Where none came within `limit`; the error tells what went by instead.
    pub(crate) async fn reached(&self, limit: Duration) -> Result<(), NotReached> {
        let mut stand = self.gate.stand.subscribe();
        let waiting = stand.wait_for(|stand| *stand != Stand::Armed);
        if tokio::time::timeout(limit, waiting).await.is_ok() {
            return Ok(());
        }
        let what = format!("a write at gate `{}`", self.gate.name);
        Err(NotReached::new(what, limit, self.desk.rules().seen_since(self.before)))
    }

    /// Lets the held write go on, and holds none any more.
    pub(crate) fn release(self) {}
}

impl Drop for WriteGate {
    fn drop(&mut self) {
        self.desk.rules().disarm(self.id);
        self.gate.stand.send_replace(Stand::Released);
    }
}

/// Keeps a rule armed that denies writes.
#[must_use = "dropping the guard disarms the rule"]
pub(crate) struct DenyGuard {
    desk: Desk,
    id: u64,
}

impl DenyGuard {
    /// Whether a write was denied so far.
    pub(crate) fn fired(&self) -> bool {
        self.desk.rules().denied(self.id) > 0
    }
}

impl Drop for DenyGuard {
    fn drop(&mut self) {
        self.desk.rules().disarm(self.id);
    }
}
