//! The daemon does not send the same request about one object over and over (contract 4.1, 4.2: one
//! inspection for each event and each full sync; 4.3: the daemon retries with exponential backoff, or at
//! once after an event of a mirror or of the App).
//!
//! This oracle counts identical requests between two checkpoints and compares the number with the events
//! that may have caused them. The limit is far above what the contract's sequences need, and far below
//! what a loop without backoff sends, which is hundreds of requests a second. Requests while a docker command
//! of the user runs may be the user's, so they are not counted.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{LogClient, LogEvent, Record, Stage, What, WireMessage, WireWhat};
use crate::steps::Steps;
use crate::view::UserCommands;

/// How many requests are allowed without any cause. A backoff that starts at 5 ms and doubles needs more
/// than five minutes for 16 requests.
const WITHOUT_CAUSE: usize = 32;

/// How many more requests are allowed for each event of the engine about the object, each full sync, each
/// fault, each write of a user and each client that asks for a log (contract 6.1: one inspection, and
/// the log).
const FOR_EACH_CAUSE: usize = 8;

/// How many more requests are allowed for each change of any object of the API, because each may start a
/// reconcile.
const FOR_EACH_CHANGE: usize = 2;

/// What happened since the last checkpoint.
#[derive(Default)]
struct Span {
    /// How often each request was sent, and the record of the last time.
    sent: BTreeMap<String, (usize, u64)>,
    /// Events of the engine by the ID of their object.
    events: BTreeMap<String, usize>,
    /// Other causes, which may concern any object.
    causes: usize,
    /// Changes of the API's objects.
    changes: usize,
    /// Exchanges whose fault was counted already.
    faulted: BTreeSet<u64>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut span = Span::default();
    let steps = Steps::from_history(history);
    let mut docker = UserCommands::default();
    for record in history {
        docker.apply(record, steps);
        match &record.what {
            What::Wire(message) if !docker.run() => span.apply(message, record.seq),
            What::Engine(event) => *span.events.entry(event.id.clone()).or_default() += 1,
            What::UserWrite(_)
            | What::LogClient(LogClient { event: LogEvent::Asked { .. }, .. }) => {
                span.causes += 1;
            }
            What::LogCrowd(crowd) => span.causes += crowd.clients(),
            What::Api(_) => span.changes += 1,
            What::Checkpoint { stage: Stage::Probed, .. } | What::Ending | What::Ended => {
                std::mem::take(&mut span).judge(&mut finding);
            }
            _ => {}
        }
    }
    finding
}

impl Span {
    fn apply(&mut self, message: &WireMessage, seq: u64) {
        match &message.event {
            WireWhat::Request { method, target, route: Some(route), .. } => {
                // A full sync lists each kind once, so one kind suffices to count syncs.
                if route == "/containers/json" {
                    self.causes += 1;
                }
                if route.contains('{') {
                    let sent = self.sent.entry(format!("{method} {target}")).or_default();
                    *sent = (sent.0 + 1, seq);
                }
            }
            // Several rules may report a fault of the same message.
            WireWhat::Faulted { .. } if self.faulted.insert(message.exchange) => self.causes += 1,
            WireWhat::Cut | WireWhat::Refused | WireWhat::UpstreamLost { .. } => self.causes += 1,
            _ => {}
        }
    }

    fn judge(self, finding: &mut Finding) {
        for (request, (count, seq)) in self.sent {
            let own_events = self.events.iter().filter(|(id, _)| is_about(&request, id));
            let causes = self.causes + own_events.map(|(_, count)| count).sum::<usize>();
            let allowed = WITHOUT_CAUSE + FOR_EACH_CAUSE * causes + FOR_EACH_CHANGE * self.changes;
            if count > allowed {
                let text = format!(
                    "the daemon sent `{request}` {count} times between two checkpoints, with \
                     {causes} causes and {} changes of the API's objects",
                    self.changes
                );
                finding.violated(Check::RequestsRepeated, seq, text);
            }
        }
    }
}

/// Whether the path of a request names this ID. The digits suffice, because `:` may be escaped.
fn is_about(request: &str, id: &str) -> bool {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    request.contains(digits)
}
