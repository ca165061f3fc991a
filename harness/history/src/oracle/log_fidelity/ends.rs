//! A stream ends by a close frame, unless its client went first or was to be dropped, or the daemon
//! went: 1000 where the engine has ended it, 1011 where it broke off (contract 6.1).

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{DAEMON_PARTS, LogClient, LogEvent, ProcessState, Record, What};
use crate::scenario::Step;
use crate::steps::Steps;
use crate::view::View;

/// Codes of close frames (RFC 6455, 7.4.1); a daemon that ends need not say so.
pub(super) const WHOLE: u16 = 1000;
const AWAY: u16 = 1001;
const BROKEN: u16 = 1011;

pub(super) fn judge(history: &[Record], finding: &mut Finding) {
    let steps = Steps::from_history(history);
    let mut view = View::default();
    let mut stopped = false;
    // Clients whose stream ended as whole, with the record of that.
    let mut whole: Vec<(u64, &str)> = Vec::new();
    for record in history {
        match &record.what {
            What::Process { name, state, .. } if DAEMON_PARTS.contains(&name.as_str()) => {
                stopped = !matches!(state, ProcessState::Started);
            }
            // The step is recorded before the daemon ends, and its end after that.
            What::StepBegan { .. } => stopped |= steps.begun(record).is_some_and(Step::ends_daemon),
            What::LogClient(LogClient { client, event: LogEvent::Ended { code, reason, .. } }) => {
                let state = view.log_clients().get(client).cloned().unwrap_or_default();
                let may_drop = state.left.is_some() || !state.reads;
                let goes = stopped && code.is_none_or(|code| code == AWAY);
                let says = matches!(code, Some(WHOLE | BROKEN));
                if !(may_drop || goes || says) {
                    let code = code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
                    let text = format!("client {client}: its stream ended with {code}: {reason}");
                    finding.violated(Check::WrongClose, record.seq, text);
                }
                if *code == Some(WHOLE) && !may_drop && state.container.is_some() {
                    whole.push((record.seq, client));
                }
            }
            _ => {}
        }
        view.apply(record);
    }
    // Only now: the end of a stream may reach the client before the wire has reported it.
    for (seq, client) in whole {
        let mut exchanges = view.log_exchanges(client).into_iter();
        let is_finished = |exchange| view.log_exchange(exchange).is_some_and(|it| it.is_finished);
        if !exchanges.any(is_finished) {
            let text = format!(
                "client {client}: its stream ended as whole, and the engine had not ended it"
            );
            finding.violated(Check::BrokenAsWhole, seq, text);
        }
    }
}
