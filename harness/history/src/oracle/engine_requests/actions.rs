//! An action that a user asks for once is sent to the engine once (contract 4.4.7).
//!
//! A daemon that reads Containers from a cache may see the annotation once more after it has removed it.
//! The public daemon accepts that an action is then sent again, so one such repetition is not judged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{ApiChange, ProcessState, Record, UserWrite, What, WireMessage, WireWhat};
use crate::steps::Steps;
use crate::view::UserCommands;

/// The annotation by which users ask for an action.
const ANNOTATION: &str = "/metadata/annotations/containers.rancherdesktop.io~1action";

/// How long after the report of an action a cache may still show its annotation, in microseconds.
const CACHE_LAG_US: u64 = 1_000_000;

/// The container's ID and the verb.
type Action = (String, String);

/// What users asked for, and what the daemon sent.
#[derive(Default)]
struct Actions {
    /// How often users asked for each action.
    asked: BTreeMap<Action, usize>,
    /// How often a request for each was disturbed, and so may have been sent once more.
    disturbed: BTreeMap<Action, usize>,
    /// How often the daemon sent each, and the record of the last time.
    sent: BTreeMap<Action, (usize, u64)>,
    /// The newest `status.lastAction` of each container, and when it was written.
    reported: BTreeMap<String, (Value, u64)>,
    /// Actions that were sent again within [`CACHE_LAG_US`] of their report.
    from_cache: BTreeSet<Action>,
    /// The actions that were sent, by the number of their exchange.
    exchanges: BTreeMap<u64, Action>,
    /// How often any action may have been sent once more: a daemon that starts repeats the action of the
    /// one before (contract 4.4.6), and a command may have asked for one.
    others: usize,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut actions = Actions::default();
    let steps = Steps::from_history(history);
    let mut by_user = UserCommands::default();
    for record in history {
        by_user.apply(record, steps);
        match &record.what {
            What::UserWrite(write) => actions.asked(write),
            What::Api(change) if change.resource == "containers" => {
                actions.reported(change, record.at_us);
            }
            What::Wire(message) if !by_user.run() => actions.sent(message, record),
            What::Process { name, state: ProcessState::Started, .. } if name == "daemon" => {
                actions.others += 1;
            }
            What::Command(command) if command.arguments.first().is_some_and(|it| it == "ctl") => {
                actions.others += 1;
            }
            _ => {}
        }
    }
    actions.judge(&mut finding);
    finding
}

impl Actions {
    fn asked(&mut self, write: &UserWrite) {
        if let Some(verb) = write.wrote(ANNOTATION).and_then(|value| value.as_str()) {
            *self.asked.entry((write.name.clone(), verb.to_owned())).or_default() += 1;
        }
    }

    fn reported(&mut self, change: &ApiChange, at_us: u64) {
        let id = change.object.pointer("/metadata/name").and_then(Value::as_str);
        let last = change.object.pointer("/status/lastAction");
        let (Some(id), Some(last)) = (id, last) else { return };
        // Other changes of the object show the same report again.
        if self.reported.get(id).is_none_or(|(known, _)| known != last) {
            self.reported.insert(id.to_owned(), (last.clone(), at_us));
        }
    }

    /// Whether the daemon has just reported this action.
    fn just_reported(&self, (id, verb): &Action, at_us: u64) -> bool {
        self.reported.get(id).is_some_and(|(last, reported_us)| {
            last["action"] == *verb && at_us - reported_us <= CACHE_LAG_US
        })
    }

    fn sent(&mut self, message: &WireMessage, record: &Record) {
        match &message.event {
            WireWhat::Request { method, target, .. } if method == "POST" => {
                let mut segments = target.split('/').rev();
                if let (Some(verb), Some(id)) = (segments.next(), segments.next()) {
                    let action = (id.to_owned(), verb.to_owned());
                    let sent = self.sent.entry(action.clone()).or_default();
                    *sent = (sent.0 + 1, record.seq);
                    if sent.0 > 1 && self.just_reported(&action, record.at_us) {
                        self.from_cache.insert(action.clone());
                    }
                    self.exchanges.insert(message.exchange, action);
                }
            }
            WireWhat::Faulted { .. } | WireWhat::Cut | WireWhat::UpstreamLost { .. } => {
                if let Some(action) = self.exchanges.remove(&message.exchange) {
                    *self.disturbed.entry(action).or_default() += 1;
                }
            }
            _ => {}
        }
    }

    fn judge(self, finding: &mut Finding) {
        for (action, (count, seq)) in &self.sent {
            // Without a request of a user the protocol is `state`, which repeats until the state is reached.
            let Some(asked) = self.asked.get(action) else { continue };
            // The first start of the daemon has no action to repeat.
            let others = self.others.saturating_sub(1);
            let disturbed = self.disturbed.get(action).copied().unwrap_or_default();
            let from_cache = usize::from(self.from_cache.contains(action));
            if *count > asked + disturbed + others + from_cache {
                let (id, verb) = action;
                let text = format!(
                    "a user asked for `{verb}` of container {id} {asked} times, but the daemon sent it \
                     to the engine {count} times"
                );
                finding.violated(Check::ActionRepeated, *seq, text);
            }
        }
    }
}
