//! What clients of the daemon's log passthrough do in a step.

use racetrap_history::{Codes, Door, LeaveHow, LogCrowd, LogRequest, LogStep, OpenLog};

use super::messages::shown;

/// The answer to a client that gets its log.
const SWITCHING_PROTOCOLS: i32 = 101;

/// A step of clients in words.
pub(super) fn client(step: &LogStep) -> String {
    match step {
        LogStep::Open(open) => opened(open),
        LogStep::Read(client) => format!("client {client} begins to read"),
        LogStep::Leave(leave) => format!("client {} {}", leave.client, left(leave.how)),
        LogStep::Crowd(crowd) => {
            let LogCrowd { clients, at_once, log, status } = crowd;
            format!(
                "{clients} clients, {at_once} at a time, request {} and leave{}",
                requested(log),
                answer(status)
            )
        }
        LogStep::Compare(client) => {
            format!("what client {client} has received is compared with the engine's log")
        }
        LogStep::ReadDiscovery => "read which log endpoints the daemon announces".to_owned(),
    }
}

fn opened(open: &OpenLog) -> String {
    let OpenLog { client, log, status, token, upgrade, reads, background, headers } = open;
    let mut text = format!("client {client} requests {}", requested(log));
    if !token {
        text += " without a token";
    }
    if !upgrade {
        text += " without a WebSocket";
    }
    for (name, value) in headers {
        text += &format!(", with {name}: {value}");
    }
    if !reads {
        text += ", and does not read";
    }
    if *background {
        text += ", in the background";
    }
    text + &answer(status)
}

/// The log that is requested, the parameters of the request, and its way.
fn requested(log: &LogRequest) -> String {
    let LogRequest { of, path, query, door } = log;
    let mut text = match (of, path) {
        (Some(of), _) => format!("the log of {of}"),
        (None, Some(path)) => {
            let parts: Vec<_> = path.split('/').map(shown).collect();
            parts.join("/")
        }
        (None, None) => "the log of no container".to_owned(),
    };
    for (number, (name, value)) in query.iter().enumerate() {
        text += &format!("{} {name}={value}", if number == 0 { " with" } else { "," });
    }
    if *door == Door::Inner {
        text += " at the inner port";
    }
    text
}

/// The promised answer, unless it is the ordinary one.
fn answer(status: &Codes) -> String {
    match status {
        Codes::One(SWITCHING_PROTOCOLS) => String::new(),
        status => format!(" (promised answer: {status})"),
    }
}

fn left(how: LeaveHow) -> &'static str {
    match how {
        LeaveHow::Close => "leaves with a close frame",
        LeaveHow::Drop => "drops its connection",
        LeaveHow::HalfClose => "ends its half of the connection",
        LeaveHow::Oversize => "sends a longer message than it may",
    }
}
