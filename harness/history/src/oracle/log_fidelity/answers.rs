//! Each request is answered, and as the contract says.

use std::collections::BTreeMap;

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{LogClient, LogCrowdSeen, LogEvent, Record, StatusCount, What};
use crate::scenario::Codes;

pub(super) fn judge(history: &[Record], finding: &mut Finding) {
    let mut asked: BTreeMap<&str, (&str, &Codes)> = BTreeMap::new();
    for record in history {
        match &record.what {
            What::LogClient(LogClient { client, event }) => match event {
                LogEvent::Asked { target, promised, .. } => {
                    asked.insert(client, (target, promised));
                }
                LogEvent::Answered { status, text } => {
                    let Some((target, promised)) = asked.get(client.as_str()) else { continue };
                    if !promised.allow(i32::from(*status)) {
                        let said = text.trim();
                        let text = format!(
                            "client {client}: {target} was answered with {status} ({said}), not {promised}"
                        );
                        finding.violated(Check::WrongStatus, record.seq, text);
                    }
                }
                LogEvent::Unanswered { reason } => {
                    let target = asked.get(client.as_str()).map_or("", |(target, _)| target);
                    let text = format!("client {client}: {target} was not answered: {reason}");
                    finding.violated(Check::Unanswered, record.seq, text);
                }
                LogEvent::Received { .. }
                | LogEvent::Reads
                | LogEvent::Left { .. }
                | LogEvent::Ended { .. } => {}
            },
            What::LogCrowd(crowd) => judge_crowd(crowd, record.seq, finding),
            _ => {}
        }
    }
}

fn judge_crowd(crowd: &LogCrowdSeen, seq: u64, finding: &mut Finding) {
    let LogCrowdSeen { target, promised, answers, unanswered, reason } = crowd;
    let wrong = answers.iter().filter(|answer| !promised.allow(i32::from(answer.status)));
    for StatusCount { status, clients } in wrong {
        let text =
            format!("{clients} clients: {target} was answered with {status}, not {promised}");
        finding.violated(Check::WrongStatus, seq, text);
    }
    if *unanswered > 0 {
        let text = format!("{unanswered} clients: {target} was not answered: {reason}");
        finding.violated(Check::Unanswered, seq, text);
    }
}
