//! A daemon that is connected stays connected (contract 4.8.4): it does not subscribe to the engine's events
//! again while nothing happens that could be a reason for it.
//!
//! Everything that a daemon may notice counts as a reason: an event of the engine, the end of its stream, a
//! disturbed or refused message, a process that starts or ends, a change of the VM or of the App's desired
//! state, and each step of the scenario that may change the engine, even without an event.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::Check;
use crate::oracle::Finding;
use crate::oracle::disruption::EngineRequests;
use crate::record::{ApiChange, Record, What, WireMessage, WireWhat};
use crate::scenario::Step;
use crate::steps::Steps;

/// The daemon's newest subscription to the engine's events.
#[derive(Default)]
struct Subscription {
    requests: EngineRequests,
    /// The engine answered the newest one, and nothing has happened since.
    idle: bool,
    /// The newest `spec` of each App.
    specs: BTreeMap<String, Value>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::from_history(history);
    let mut subscription = Subscription::default();
    for record in history {
        let is_reason = match &record.what {
            What::Wire(message) => subscription.apply(message, record.seq, &mut finding),
            What::StepBegan { .. } => steps.begun(record).is_none_or(may_change_engine),
            What::Api(change) => subscription.changes_desired_state(change),
            What::Engine(_)
            | What::Process { .. }
            | What::VmProcess(_)
            | What::UserWrite(_)
            | What::UserCommand(_)
            | What::CommandBegan { .. }
            | What::Ending
            | What::Ended => true,
            _ => false,
        };
        if is_reason {
            subscription.idle = false;
        }
    }
    finding
}

/// Whether a step may change the engine, its machine, or the way to it.
fn may_change_engine(step: &Step) -> bool {
    match step {
        Step::Wait(_) | Step::Gate(_) | Step::Kubernetes(_) | Step::Log(_) => false,
        Step::Engine(_)
        | Step::Command(_)
        | Step::Api(_)
        | Step::Daemon(_)
        | Step::Neighbour(_)
        | Step::Fault(_)
        | Step::Docker(_) => true,
    }
}

impl Subscription {
    /// Applies the next message of the engine's wire; whether it is a reason to subscribe again.
    fn apply(&mut self, message: &WireMessage, seq: u64, finding: &mut Finding) -> bool {
        let disrupts = self.requests.apply(message).is_some();
        let request = self.requests.request_of(message);
        match &message.event {
            WireWhat::Request { .. } if request.subscribes => {
                if self.idle {
                    let text = format!(
                        "the daemon was connected and nothing had happened since, but it sent `{}` again",
                        request.text
                    );
                    finding.violated(Check::ReconnectedIdle, seq, text);
                }
                self.idle = false;
            }
            WireWhat::Response { status } if request.subscribes && *status < 400 => {
                self.idle = true;
            }
            // The stream ended, or a gate delays what the daemon waits for.
            WireWhat::Finished { .. } => return request.subscribes,
            WireWhat::Held { .. } | WireWhat::Released { .. } | WireWhat::Abandoned { .. } => {
                return true;
            }
            _ => {}
        }
        disrupts
    }

    fn changes_desired_state(&mut self, change: &ApiChange) -> bool {
        if change.resource == "limavms" {
            return true;
        }
        if change.resource != "apps" {
            return false;
        }
        let name = change.object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let spec = change.object["spec"].clone();
        self.specs.insert(name, spec.clone()).is_some_and(|before| before != spec)
    }
}
