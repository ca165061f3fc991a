//! Many clients that connect and leave.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use racetrap_history::{Codes, LogCrowdSeen, StatusCount};

use super::request::{PassthroughRequest, Response};

/// Sends the request `clients` times, `at_once` at a time, and counts the responses. A client that
/// gets a WebSocket leaves at once: every other one with a close frame, whose answer it does not
/// wait for, the rest without. Each waits for its response for at most `limit`.
pub(crate) async fn run_crowd(
    request: &PassthroughRequest,
    promised: &Codes,
    clients: u32,
    at_once: usize,
    limit: Duration,
) -> LogCrowdSeen {
    let sent = futures::stream::iter(0..clients).map(async |number| {
        match request.send(limit).await? {
            Response::WebSocket(mut socket) => {
                if number % 2 == 0 {
                    // The client leaves whether the frame could be sent or not.
                    drop((*socket).close(None).await);
                }
                Ok(101)
            }
            Response::Refused { status, .. } => Ok(status),
        }
    });
    let responses: Vec<Result<u16, String>> = sent.buffer_unordered(at_once).collect().await;
    let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
    let (mut unanswered, mut last_reason) = (0, String::new());
    for response in responses {
        match response {
            Ok(status) => *counts.entry(status).or_default() += 1,
            Err(reason) => {
                unanswered += 1;
                last_reason = reason;
            }
        }
    }
    let counts = counts.into_iter().map(|(status, clients)| StatusCount { status, clients });
    LogCrowdSeen {
        target: request.target().to_owned(),
        promised: promised.clone(),
        answers: counts.collect(),
        unanswered,
        reason: last_reason,
    }
}
