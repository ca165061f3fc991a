//! When something last happened, and what goes on that will end by itself.
//!
//! The harness uses this only to end a wait early: to prove that a daemon which has not done something
//! by now will not do it any more. No oracle judges by it.

use std::collections::BTreeSet;

use crate::record::{
    CommandRun, ProcessState, Record, Review, ReviewOutcome, What, WireMessage, WireWhat,
};
use crate::scenario::GateName;

/// Routes of requests by which a daemon only looks at its engine as a whole. A daemon that finds nothing
/// new by them does nothing else.
const LOOKS: [&str; 7] =
    ["/_ping", "/info", "/version", "/containers/json", "/images/json", "/volumes", "/system/df"];

/// When something last happened, and what goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity {
    /// When the last record came, in microseconds since the history began.
    pub(super) last_us: u64,
    /// When the last record came that is more than a look at the engine or one of the harness's own looks.
    pub(super) last_effect_us: u64,
    /// Exchanges by which the daemon looks at its engine, as long as they have not failed.
    looks: BTreeSet<u64>,
    /// The arguments of commands in the background that have not returned.
    commands: Vec<Vec<String>>,
    /// Gates that hold a write before the daemon's API stores it.
    held_writes: BTreeSet<GateName>,
    /// The daemon's process has ended by itself and was not started again.
    pub(super) daemon_died: bool,
}

impl Activity {
    pub(super) fn apply(&mut self, record: &Record) {
        self.last_us = record.at_us;
        if self.is_effect(&record.what) {
            self.last_effect_us = record.at_us;
        }
    }

    /// Whether a command of the daemon runs in the background, or a write waits at a gate: both end by
    /// timers that others chose.
    pub(super) fn has_client(&self) -> bool {
        !self.commands.is_empty() || !self.held_writes.is_empty()
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other record is an effect")]
    fn is_effect(&mut self, what: &What) -> bool {
        match what {
            What::Wire(message) => return self.is_effect_on_wire(message),
            What::Listed { .. } | What::Truth(_) | What::Note { .. } => return false,
            What::CommandBegan { arguments, .. } => self.commands.push(arguments.clone()),
            What::Command(run) => self.returned(run),
            What::Review(Review { outcome, .. }) => self.reviewed(outcome),
            What::Process { name, state, .. } if name == "daemon" => {
                self.daemon_died = matches!(state, ProcessState::Died { .. });
            }
            _ => {}
        }
        true
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever is not a part of a look is an effect"
    )]
    fn is_effect_on_wire(&mut self, message: &WireMessage) -> bool {
        let exchange = message.exchange;
        match &message.event {
            WireWhat::Opened => false,
            WireWhat::Request { method, route: Some(route), .. }
                if (method == "GET" || method == "HEAD") && LOOKS.contains(&route.as_str()) =>
            {
                self.looks.insert(exchange);
                false
            }
            WireWhat::Response { status } if *status < 400 => !self.looks.contains(&exchange),
            // Everything else that happens to a look, such as a fault, is an effect.
            WireWhat::Finished { .. } => !self.looks.remove(&exchange),
            _ => {
                self.looks.remove(&exchange);
                true
            }
        }
    }

    /// A `set` that returned was in the background if one with the same properties was begun there.
    fn returned(&mut self, run: &CommandRun) {
        let is_same = |begun: &Vec<String>| run.arguments.ends_with(begun);
        if let Some(at) = self.commands.iter().position(is_same) {
            self.commands.remove(at);
        }
    }

    fn reviewed(&mut self, outcome: &ReviewOutcome) {
        match outcome {
            ReviewOutcome::HeldAt(gate) => {
                self.held_writes.insert(gate.clone());
            }
            ReviewOutcome::ReleasedFrom(gate) | ReviewOutcome::GivenUpAt(gate) => {
                self.held_writes.remove(gate);
            }
            ReviewOutcome::Allowed | ReviewOutcome::Denied => {}
        }
    }
}
