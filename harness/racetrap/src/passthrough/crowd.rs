//! Many clients that come and go.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use racetrap_history::{Codes, LogCrowdSeen, StatusCount};
use tokio::time::timeout;

use super::asking::{Answer, Asking};

/// Lets so many clients come, some at a time, each of which goes as soon as it is let in: every other
/// one with a close frame, which it does not wait for. Each has `limit` for its answer.
pub(crate) async fn crowd(
    asking: &Asking,
    promised: &Codes,
    clients: u32,
    at_once: usize,
    limit: Duration,
) -> LogCrowdSeen {
    let come = futures::stream::iter(0..clients).map(async |number| {
        let answer = timeout(limit, asking.ask()).await;
        match answer.map_err(|_| format!("nothing came within {limit:?}"))?? {
            Answer::Socket(mut socket) => {
                if number % 2 == 0 {
                    // It goes in any case.
                    drop((*socket).close(None).await);
                }
                Ok(101)
            }
            Answer::Refused { status, .. } => Ok(status),
        }
    });
    let answers: Vec<Result<u16, String>> = come.buffer_unordered(at_once).collect().await;
    let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
    let (mut unanswered, mut last_reason) = (0, String::new());
    for answer in answers {
        match answer {
            Ok(status) => *counts.entry(status).or_default() += 1,
            Err(reason) => {
                unanswered += 1;
                last_reason = reason;
            }
        }
    }
    let counts = counts.into_iter().map(|(status, clients)| StatusCount { status, clients });
    LogCrowdSeen {
        target: asking.target().to_owned(),
        promised: promised.clone(),
        answers: counts.collect(),
        unanswered,
        reason: last_reason,
    }
}
