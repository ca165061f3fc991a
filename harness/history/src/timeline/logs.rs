//! Records about clients of the log passthrough, as text.

use crate::record::{Footprint, LogClient, LogCrowdSeen, LogEvent, LogTruth};

pub(super) fn client(LogClient { client, event }: &LogClient) -> String {
    match event {
        LogEvent::Asked { target, reads, .. } => {
            let silent = if *reads { "" } else { ", and does not read the response" };
            format!("{client} requests {target}{silent}")
        }
        LogEvent::Answered { status, text } => {
            format!("{client} receives the response {status} {}", text.trim()).trim_end().to_owned()
        }
        LogEvent::Unanswered { reason } => format!("{client} receives no response: {reason}"),
        LogEvent::Received { messages, texts, bytes, text, .. } => {
            let kind = if *texts > 0 { "text" } else { "binary" };
            format!("{client} receives {messages} messages ({kind}), {bytes} bytes: {text:?}")
        }
        LogEvent::Reads => format!("{client} starts to read"),
        LogEvent::Left { how } => format!("{client} leaves: {how:?}"),
        LogEvent::Ended { code, reason, .. } => {
            let code = code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
            format!("the connection of {client} ended: {code} {reason}")
        }
    }
}

pub(super) fn truth(truth: &LogTruth) -> String {
    let LogTruth { client, received, bytes, frames, .. } = truth;
    // The second digest covers as many bytes as the client received, so a client that is late is equal.
    let same = truth.received_sha256 == truth.prefix_sha256;
    let verdict = if same { "equal to" } else { "DIFFERENT from" };
    format!(
        "{client} received {received} bytes, {verdict} the engine's log, which has {bytes} bytes in \
         {frames} frames"
    )
}

pub(super) fn crowd(crowd: &LogCrowdSeen) -> String {
    let answers = crowd.answers.iter().map(|it| format!("{} times {}", it.clients, it.status));
    let answers = answers.collect::<Vec<_>>().join(", ");
    format!(
        "many clients requested {}: {answers}; {} without a response",
        crowd.target, crowd.unanswered
    )
}

pub(super) fn footprint(footprint: &Footprint) -> String {
    let Footprint { descriptors, resident_kib, peak_kib } = footprint;
    format!(
        "the daemon has {descriptors} descriptors and {resident_kib} KiB of memory, at most \
         {peak_kib} KiB"
    )
}
