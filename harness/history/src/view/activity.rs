//! When something last happened, and what goes on that will end by itself.
//!
//! The harness uses this only to end a wait early: to prove that a daemon which has not done something
//! by now will not do it any more. No oracle judges by it.

use std::collections::BTreeSet;

use crate::record::{
    CommandRun, ProcessState, Record, Review, ReviewOutcome, What, WireMessage, WireWhat, WslChange,
};
use crate::scenario::{GateName, WslCommand};

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
    /// Calls of `wsl.exe` that have not ended, by their numbers.
    wsl_calls: BTreeSet<u64>,
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

    /// Whether a command of the daemon runs in the background, a write waits at a gate, or the daemon waits
    /// for `wsl.exe`: they end by timers that others chose.
    pub(super) fn has_client(&self) -> bool {
        !self.commands.is_empty() || !self.held_writes.is_empty() || !self.wsl_calls.is_empty()
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other record is an effect")]
    fn is_effect(&mut self, what: &What) -> bool {
        match what {
            What::Wire(message) => return self.is_effect_on_wire(message),
            What::Listed { .. } | What::Truth(_) | What::Note { .. } | What::VmFiles(_) => {
                return false;
            }
            What::CommandBegan { arguments, .. } => self.commands.push(arguments.clone()),
            What::Command(run) => self.returned(run),
            What::Review(Review { outcome, .. }) => self.reviewed(outcome),
            // A session lasts as long as its VM, and nobody waits for its end.
            What::WslCall(call) if call.command != WslCommand::Session => {
                self.wsl_calls.remove(&call.number);
                if call.change == WslChange::Began {
                    self.wsl_calls.insert(call.number);
                }
            }
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::record::{Exit, LogLevel};
    use crate::scenario::{Phase, Point};

    fn on_wire(event: WireWhat) -> What {
        What::Wire(WireMessage { connection: 0, exchange: 1, event })
    }

    fn asked(method: &str, route: &str) -> What {
        let (method, target) = (method.to_owned(), route.to_owned());
        let route = Some(route.to_owned());
        on_wire(WireWhat::Request { method, target, route, phase: Phase::Steady })
    }

    fn answered(status: u16) -> What {
        on_wire(WireWhat::Response { status })
    }

    fn finished() -> What {
        on_wire(WireWhat::Finished { bytes: 1 })
    }

    /// An activity after these records, one in each microsecond from the first on.
    fn after(whats: Vec<What>) -> Activity {
        let mut activity = Activity::default();
        for (at_us, what) in (1..).zip(whats) {
            activity.apply(&Record { seq: at_us, at_us, neighbour: false, what });
        }
        activity
    }

    // If a look counted, a daemon that compares its mirrors now and then would never be silent. If anything
    // else did not count, a daemon that is at work would be taken for one that has nothing to do.
    #[rstest]
    #[case::a_list(vec![asked("GET", "/volumes"), answered(200), finished()], 0)]
    #[case::a_ping(vec![asked("HEAD", "/_ping"), answered(200), finished()], 0)]
    #[case::a_list_that_fails(vec![asked("GET", "/volumes"), answered(500)], 2)]
    #[case::a_list_that_is_cut(vec![asked("GET", "/volumes"), on_wire(WireWhat::Cut)], 2)]
    #[case::an_inspection(vec![asked("GET", "/volumes/{name}"), answered(200)], 2)]
    #[case::a_subscription(vec![asked("GET", "/events")], 1)]
    #[case::a_change(vec![asked("POST", "/volumes")], 1)]
    #[case::what_the_harness_lists(vec![
        What::Listed { resource: "apps".to_owned(), version: 1, objects: Vec::new() },
        What::Note { text: "x".to_owned() },
    ], 0)]
    #[case::a_line_of_the_log(vec![
        What::Log { level: LogLevel::Error, text: "x".to_owned() },
    ], 1)]
    fn only_looks_leave_a_daemon_silent(#[case] whats: Vec<What>, #[case] effect: u64) {
        let last = whats.len() as u64;
        let activity = after(whats);
        assert_eq!((activity.last_us, activity.last_effect_us), (last, effect));
    }

    fn begun() -> What {
        let arguments = vec!["running=true".to_owned()];
        What::CommandBegan { name: "starting".to_owned(), arguments }
    }

    fn returned(arguments: &[&str]) -> What {
        What::Command(CommandRun {
            arguments: arguments.iter().map(|&it| it.to_owned()).collect(),
            exit: Exit::Code(0),
            stdout: String::new(),
            stderr: String::new(),
            took_ms: 1,
            interrupted: false,
        })
    }

    fn reviewed(outcome: fn(GateName) -> ReviewOutcome) -> What {
        let (operation, resource) = ("UPDATE".to_owned(), "apps".to_owned());
        let outcome = outcome(GateName("g".to_owned()));
        What::Review(Review { operation, resource, name: "app".to_owned(), manager: None, outcome })
    }

    #[rstest]
    #[case::nothing(vec![], false)]
    #[case::a_command(vec![begun()], true)]
    #[case::another_command_returned(vec![begun(), returned(&["version"])], true)]
    #[case::it_returned(vec![begun(), returned(&["set", "--timeout=9s", "running=true"])], false)]
    #[case::a_held_write(vec![reviewed(ReviewOutcome::HeldAt)], true)]
    #[case::its_gate_was_released(
        vec![reviewed(ReviewOutcome::HeldAt), reviewed(ReviewOutcome::ReleasedFrom)], false)]
    fn a_command_or_a_held_write_is_somebody_elses_time(
        #[case] whats: Vec<What>,
        #[case] goes_on: bool,
    ) {
        assert_eq!(after(whats).has_client(), goes_on);
    }

    // The engine's work ends when it likes. A held request about one object is given up by a timer that is
    // as short as those which run in silence; a list or a subscription is not.
    #[rstest]
    #[case::the_engine_works("POST", "/containers/{id}/stop", None, true)]
    #[case::events_have_no_end("GET", "/events", None, false)]
    #[case::held_about_one_object("POST", "/containers/{id}/stop", Some(Point::Request), false)]
    #[case::a_held_list("GET", "/volumes", Some(Point::Response), true)]
    #[case::a_held_subscription("GET", "/events", Some(Point::Request), true)]
    #[case::a_held_event("GET", "/events", Some(Point::Frame), false)]
    fn a_request_of_the_daemon_may_be_somebody_elses_time(
        #[case] method: &str,
        #[case] route: &str,
        #[case] held: Option<Point>,
        #[case] goes_on: bool,
    ) {
        let held = held.map(|point| on_wire(WireWhat::Held { gate: "g".to_owned(), point }));
        let records = [asked(method, route)].into_iter().chain(held).zip(0..);
        let records: Vec<_> =
            records.map(|(what, seq)| Record { seq, at_us: seq, neighbour: false, what }).collect();
        assert_eq!(crate::view::View::from_records(&records).waits_for_others(), goes_on);
    }
}
