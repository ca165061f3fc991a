//! An action that a user asks for once is sent to the engine once (contract 4.4.7).

use std::collections::BTreeMap;

use super::words::UserCommands;
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{ProcessState, Record, UserWrite, What, WireMessage, WireWhat};

/// The annotation by which users ask for an action.
const ANNOTATION: &str = "/metadata/annotations/containers.rancherdesktop.io~1action";

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
    /// The actions that were sent, by the number of their exchange.
    exchanges: BTreeMap<u64, Action>,
    /// How often any action may have been sent once more: a daemon that starts repeats the action of the
    /// one before (contract 4.4.6), and a command may have asked for one.
    others: usize,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut actions = Actions::default();
    let mut by_user = UserCommands::default();
    for record in history {
        by_user.apply(&record.what);
        match &record.what {
            What::UserWrite(write) => actions.asked(write),
            What::Wire(message) if !by_user.run() => actions.sent(message, record.seq),
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

    fn sent(&mut self, message: &WireMessage, seq: u64) {
        match &message.event {
            WireWhat::Request { method, target, .. } if method == "POST" => {
                let mut segments = target.split('/').rev();
                if let (Some(verb), Some(id)) = (segments.next(), segments.next()) {
                    let action = (id.to_owned(), verb.to_owned());
                    let sent = self.sent.entry(action.clone()).or_default();
                    *sent = (sent.0 + 1, seq);
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
            if *count > asked + disturbed + others {
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
