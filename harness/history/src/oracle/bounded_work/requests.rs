//! The engine is not asked the same thing about one object over and over (contract 4.1, 4.2: one
//! inspection for each event and each full sync; 4.3: retries come with exponential backoff, or at
//! once on an event of a mirror or of the App).
//!
//! Counted are identical requests between two checkpoints, against what may have caused them. The
//! allowance is far above what the contract's sequences need, and far below what a loop without
//! backoff asks: that makes hundreds of requests a second.

use std::collections::{BTreeMap, BTreeSet};

use crate::oracle::Finding;
use crate::record::{LogClient, LogEvent, Record, Stage, What, WireMessage, WireWhat};
use crate::scenario::OracleName;

/// What is allowed without any cause: backoff from 5 ms doubles, so that it makes 16 requests in
/// more than five minutes.
const WITHOUT_CAUSE: usize = 32;

/// For each event of the engine about the object, each full sync, each fault, each user's write and each
/// client that asks for a log (contract 6.1: one inspection, and the log).
const FOR_EACH_CAUSE: usize = 8;

/// For each change of any object of the API, which may begin a reconcile.
const FOR_EACH_CHANGE: usize = 2;

/// What happened since the last checkpoint.
#[derive(Default)]
struct Span {
    asked: BTreeMap<String, (usize, u64)>,
    events: BTreeMap<String, usize>,
    causes: usize,
    changes: usize,
    faulted: BTreeSet<u64>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut span = Span::default();
    for record in history {
        match &record.what {
            What::Wire(message) => span.see(message, record.seq),
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
    fn see(&mut self, message: &WireMessage, seq: u64) {
        match &message.event {
            WireWhat::Request { method, target, route: Some(route), .. } => {
                if route == "/containers/json" {
                    self.causes += 1;
                }
                if route.contains('{') {
                    let asked = self.asked.entry(format!("{method} {target}")).or_default();
                    *asked = (asked.0 + 1, seq);
                }
            }
            // One message may be told of several times.
            WireWhat::Faulted { .. } if self.faulted.insert(message.exchange) => self.causes += 1,
            WireWhat::Cut | WireWhat::Refused | WireWhat::UpstreamLost { .. } => self.causes += 1,
            _ => {}
        }
    }

    fn judge(self, finding: &mut Finding) {
        for (request, (count, seq)) in self.asked {
            let of_object = self.events.iter().filter(|(id, _)| is_about(&request, id));
            let causes = self.causes + of_object.map(|(_, count)| count).sum::<usize>();
            let allowed = WITHOUT_CAUSE + FOR_EACH_CAUSE * causes + FOR_EACH_CHANGE * self.changes;
            if count > allowed {
                let text = format!(
                    "`{request}` was asked {count} times between two checkpoints, with {causes} \
                     causes and {} changes of the API",
                    self.changes
                );
                finding.violated(OracleName::BoundedWork, seq, text);
            }
        }
    }
}

/// A request names its object in the path, where `:` may be escaped.
fn is_about(request: &str, id: &str) -> bool {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    request.contains(digits)
}
