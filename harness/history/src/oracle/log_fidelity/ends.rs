//! A stream ends by a close frame, unless its client went first or was to be dropped, or the daemon
//! went: 1000 where the engine has ended it, 1011 where it broke off (contract 6.1).

use std::collections::BTreeMap;

use crate::oracle::Finding;
use crate::record::{LogClient, LogEvent, ProcessState, Record, What, WireMessage, WireWhat};
use crate::scenario::{OracleName, Step};
use crate::steps::Steps;
use crate::view::{LOGS, View};

/// Codes of close frames (RFC 6455, 7.4.1); a daemon that ends need not say so.
pub(super) const WHOLE: u16 = 1000;
const AWAY: u16 = 1001;
const BROKEN: u16 = 1011;

/// Streams of one container that ended as whole.
#[derive(Default)]
struct Whole {
    /// On the engine.
    streams: usize,
    /// For clients, and the record of the last one.
    clients: usize,
    last: Option<(u64, String)>,
}

pub(super) fn judge(history: &[Record], finding: &mut Finding) {
    let steps = Steps::from_history(history);
    let mut view = View::default();
    let mut stopped = false;
    let mut targets: BTreeMap<u64, &str> = BTreeMap::new();
    let mut whole: BTreeMap<String, Whole> = BTreeMap::new();
    for record in history {
        match &record.what {
            What::Process { name, state, .. }
                if crate::record::DAEMON_PARTS.contains(&name.as_str()) =>
            {
                stopped = !matches!(state, ProcessState::Started);
            }
            // The step is recorded before the daemon ends, and its end after that.
            What::StepBegan { .. } => stopped |= steps.begun(record).is_some_and(Step::ends_daemon),
            What::Wire(WireMessage { exchange, event, .. }) => match event {
                WireWhat::Request { target, route, .. } if route.as_deref() == Some(LOGS) => {
                    targets.insert(*exchange, target);
                }
                WireWhat::Finished { .. } => {
                    let id = targets.get(exchange).and_then(|target| container(target));
                    if let Some(id) = id {
                        whole.entry(id.to_owned()).or_default().streams += 1;
                    }
                }
                _ => {}
            },
            What::LogClient(LogClient { client, event: LogEvent::Ended { code, reason, .. } }) => {
                let state = view.log_clients().get(client).cloned().unwrap_or_default();
                let may_drop = state.left.is_some() || !state.reads;
                let goes = stopped && code.is_none_or(|code| code == AWAY);
                let says = matches!(code, Some(WHOLE | BROKEN));
                if !(may_drop || goes || says) {
                    let code = code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
                    let text = format!("client {client}: its stream ended with {code}: {reason}");
                    finding.violated(OracleName::LogFidelity, record.seq, text);
                }
                if *code == Some(WHOLE) && !may_drop {
                    let ended = whole.entry(state.container.unwrap_or_default()).or_default();
                    ended.clients += 1;
                    ended.last = Some((record.seq, client.clone()));
                }
            }
            _ => {}
        }
        view.apply(record);
    }
    for Whole { streams, clients, last } in whole.into_values() {
        if let Some((seq, client)) = last.filter(|_| clients > streams) {
            let text = format!(
                "client {client}: its stream ended as whole, and the engine had not ended it"
            );
            finding.violated(OracleName::LogFidelity, seq, text);
        }
    }
}

/// The ID in `/v1.41/containers/ID/logs?…`.
pub(super) fn container(target: &str) -> Option<&str> {
    let (_, rest) = target.split_once("/containers/")?;
    rest.split('/').next()
}
