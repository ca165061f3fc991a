//! What a client has got is the beginning of what the engine has, and at a checkpoint all of it.
//!
//! How long anything takes decides nothing: what the engine had at the level of a checkpoint must have
//! arrived when the daemon was proved to have had its turn. Of a stream that the wire has disturbed,
//! only the order of its bytes is judged, and that it does not pass for a whole one.

use std::collections::{BTreeMap, BTreeSet};

use super::ends::WHOLE;
use crate::oracle::Finding;
use crate::record::{LogClient, LogEvent, LogTruth, Record, Stage, What, WireMessage, WireWhat};
use crate::scenario::OracleName;
use crate::view::{LOGS, View};

#[derive(Default)]
struct Judging {
    view: View,
    /// What the engine had for each client at the level of the present checkpoint.
    level: BTreeMap<String, u64>,
    at_level: bool,
    /// Targets of exchanges about logs, and those that the wire has disturbed.
    targets: BTreeMap<u64, String>,
    disturbed: BTreeSet<u64>,
    /// Bytes that were compared last, by client.
    compared: BTreeMap<String, u64>,
}

pub(super) fn judge(history: &[Record], finding: &mut Finding) {
    let mut judging = Judging::default();
    for record in history {
        judging.view.apply(record);
        match &record.what {
            What::Wire(message) => judging.see_wire(message),
            What::LogTruth(truth) => judging.compare(truth, record.seq, finding),
            What::Checkpoint { stage, .. } => {
                judging.at_level = *stage == Stage::Level;
                if *stage == Stage::Probed {
                    judging.level.clear();
                }
            }
            What::LogClient(LogClient {
                client,
                event: LogEvent::Ended { reason, not_utf8: true, .. },
            }) => {
                let text =
                    format!("client {client}: bytes that are no text came as text: {reason}");
                finding.violated(OracleName::LogFidelity, record.seq, text);
            }
            _ => {}
        }
    }
    judging.require_comparisons(finding);
}

impl Judging {
    fn see_wire(&mut self, message: &WireMessage) {
        match &message.event {
            WireWhat::Request { target, route, .. } if route.as_deref() == Some(LOGS) => {
                self.targets.insert(message.exchange, target.clone());
            }
            WireWhat::Faulted { .. }
            | WireWhat::Held { .. }
            | WireWhat::Cut
            | WireWhat::UpstreamLost { .. }
                if self.targets.contains_key(&message.exchange) =>
            {
                self.disturbed.insert(message.exchange);
            }
            _ => {}
        }
    }

    /// A log of this container was disturbed on the wire; whose it was, is not known.
    fn is_disturbed(&self, container: &str) -> bool {
        let targets = self.disturbed.iter().filter_map(|exchange| self.targets.get(exchange));
        targets.into_iter().any(|target| target.contains(container))
    }

    fn compare(&mut self, truth: &LogTruth, seq: u64, finding: &mut Finding) {
        let LogTruth { client, received, bytes, .. } = truth;
        let Some(state) = self.view.log_clients().get(client).cloned() else { return };
        self.compared.insert(client.clone(), *received);
        let mut broken = |text: String| {
            finding.violated(OracleName::LogFidelity, seq, format!("client {client}: {text}"));
        };
        if received > bytes || truth.received_sha256 != truth.prefix_sha256 {
            return broken(format!(
                "the {received} bytes that it has got are not the beginning of the engine's {bytes}"
            ));
        }
        let is_whole = state.ended == Some(Some(WHOLE)) && state.left.is_none();
        if is_whole && received < bytes {
            return broken(format!(
                "its stream ended as whole after {received} bytes, and the engine has {bytes}"
            ));
        }
        let container = state.container.as_deref().unwrap_or_default();
        if !state.is_there() || !state.reads || self.is_disturbed(container) {
            return;
        }
        if self.at_level {
            if let Some(had) = self.level.get(client).filter(|had| *received < **had) {
                broken(format!(
                    "it has {received} bytes, and the engine had {had} before the daemon had its turn"
                ));
            }
        } else {
            self.level.insert(client.clone(), *bytes);
        }
    }

    /// What a client has got and nobody compared with the engine's, shows nothing.
    fn require_comparisons(&self, finding: &mut Finding) {
        for (client, state) in self.view.log_clients() {
            let compared = self.compared.get(client).copied().unwrap_or_default();
            if state.bytes > compared {
                let bytes = state.bytes;
                finding.unknowns.push(format!(
                    "client {client} has got {bytes} bytes, of which {compared} were compared with the engine's"
                ));
            }
        }
    }
}
