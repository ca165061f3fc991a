//! Decides on each write by the rules that are armed, and holds the writes that a gate stops.

use std::sync::{Arc, Mutex, MutexGuard};

use racetrap_history::{GateName, ReviewOutcome, What, WriteMatch};
use tokio::sync::watch;

use super::each::{Each, HoldEachWrite};
use super::gate::{DenyGuard, WriteGate};
use super::rule::{Decision, Gate, GateState, RuleAction, Rules};
use super::write::Write;
use crate::recorder::Recorder;

/// Decides on writes. Clones share the rules.
#[derive(Clone)]
pub(super) struct Reviewer(Arc<Shared>);

struct Shared {
    recorder: Recorder,
    rules: Mutex<Rules>,
}

impl Reviewer {
    pub(super) fn new(recorder: &Recorder) -> Self {
        Self(Arc::new(Shared { recorder: recorder.clone(), rules: Mutex::default() }))
    }

    /// Decides on a write, and returns when it may go on. Dropping the future gives the write up.
    ///
    /// # Errors
    /// If a rule denies the write; the error is the rule's name.
    pub(super) async fn review(&self, write: &Write) -> Result<(), String> {
        match self.decide(write) {
            Decision::Allow => Ok(()),
            Decision::Deny(rule) => Err(rule),
            Decision::Hold(gate) => {
                // From here on the guard records how the write leaves the gate, also if this future
                // is dropped while it waits.
                let mut held = HeldWrite::new(self, write, &gate.name);
                let released = |state: &GateState| *state == GateState::Released;
                // The wait fails only if the sender is dropped, and `gate` owns the sender.
                held.released = gate.state.subscribe().wait_for(released).await.is_ok();
                Ok(())
            }
            Decision::Stop(stop) => {
                let name = stop.name.clone();
                let mut held = HeldWrite::new(self, write, &name);
                stop.wait().await;
                held.released = true;
                Ok(())
            }
        }
    }

    /// Decides on a write and records the decision. Both happen under the lock of the rules, so the
    /// records are in the order of the decisions. A gate changes its state only after the record:
    /// whoever waits for the gate finds the write in the history.
    fn decide(&self, write: &Write) -> Decision {
        let mut rules = self.rules();
        let decision = rules.decide(write);
        match &decision {
            Decision::Allow => self.record(write, ReviewOutcome::Allowed),
            Decision::Deny(_) => self.record(write, ReviewOutcome::Denied),
            Decision::Stop(stop) => {
                self.record(write, ReviewOutcome::HeldAt(GateName(stop.name.clone())));
            }
            Decision::Hold(gate) => {
                self.record(write, ReviewOutcome::HeldAt(GateName(gate.name.clone())));
                gate.state.send_replace(GateState::Reached);
            }
        }
        decision
    }

    fn record(&self, write: &Write, outcome: ReviewOutcome) {
        self.0.recorder.append(What::Review(write.review(outcome)));
    }

    /// Adds a note to the history.
    pub(super) fn note(&self, text: String) {
        self.0.recorder.note(text);
    }

    pub(super) fn rules(&self) -> MutexGuard<'_, Rules> {
        self.0.rules.lock().expect("nothing panics while it holds the rules")
    }

    /// Arms a gate.
    pub(super) fn hold(&self, name: &str, on: WriteMatch) -> WriteGate {
        let state = watch::Sender::new(GateState::Armed);
        let gate = Arc::new(Gate { name: name.to_owned(), state });
        let mut rules = self.rules();
        let reviewed_before = rules.reviewed();
        let id = rules.arm(on, RuleAction::Hold(gate.clone()));
        WriteGate { reviewer: self.clone(), id, gate, reviewed_before }
    }

    /// Holds every write of the daemon; their names begin with `prefix`.
    pub(super) fn hold_each(&self, prefix: &str) -> HoldEachWrite {
        let (each, stopped) = Each::new(prefix);
        self.rules().each = Some(each);
        HoldEachWrite { reviewer: self.clone(), stopped }
    }

    /// Arms a rule that denies writes.
    pub(super) fn deny(&self, rule: &str, on: WriteMatch, times: Option<u32>) -> DenyGuard {
        let action = RuleAction::Deny { rule: rule.to_owned(), remaining: times, denied: 0 };
        let id = self.rules().arm(on, action);
        DenyGuard { reviewer: self.clone(), id }
    }
}

/// A write that a gate holds. Its `Drop` records whether the gate released the write or its client
/// gave it up.
struct HeldWrite<'a> {
    reviewer: &'a Reviewer,
    write: &'a Write,
    gate: &'a str,
    released: bool,
}

impl<'a> HeldWrite<'a> {
    fn new(reviewer: &'a Reviewer, write: &'a Write, gate: &'a str) -> Self {
        Self { reviewer, write, gate, released: false }
    }
}

impl Drop for HeldWrite<'_> {
    fn drop(&mut self) {
        let gate = GateName(self.gate.to_owned());
        let outcome = if self.released {
            ReviewOutcome::ReleasedFrom(gate)
        } else {
            ReviewOutcome::GivenUpAt(gate)
        };
        self.reviewer.record(self.write, outcome);
    }
}
