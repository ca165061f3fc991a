//! What the wire tells of every message.

use std::fmt;
use std::net::SocketAddr;

use serde_json::Value;

use crate::{Phase, Point};

/// Something happened on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Number of the connection from the daemon, from 0.
    pub connection: u64,
    /// Number of the exchange of request and response, over all connections, from 1; 0 where the
    /// event is of no exchange.
    pub exchange: u64,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// The daemon connected.
    Opened {
        /// Its address; none on a unix socket.
        peer: Option<SocketAddr>,
    },
    /// The head of a request came.
    Request {
        /// HTTP method.
        method: String,
        /// Path and query as sent.
        target: String,
        /// Route template, where the path is a known one.
        route: Option<&'static str>,
        /// Phase of the daemon's connection to the engine.
        phase: Phase,
        /// Length of the body in bytes; none where only its end will tell (a chunked body).
        body_bytes: Option<u64>,
        /// What the sender calls itself (`User-Agent`).
        agent: Option<String>,
    },
    /// The message stands at a gate.
    Held {
        /// The gate.
        gate: String,
        /// Where on its way.
        point: Point,
    },
    /// The message goes on.
    Released {
        /// The gate.
        gate: String,
    },
    /// The held message was given up: the daemon went away, or its connection was cut.
    Abandoned {
        /// The gate.
        gate: String,
    },
    /// The head of a response is about to be passed on.
    Response {
        /// HTTP status.
        status: u16,
    },
    /// A frame of an event stream is about to be passed on.
    Frame {
        /// Its JSON, or a string where it is none.
        json: Value,
    },
    /// The response was passed on to its end.
    Finished {
        /// Bytes of its body, as they came.
        bytes: u64,
    },
    /// The connection is a raw stream from here on.
    Upgraded,
    /// A rule did something to the message.
    Faulted {
        /// The rule.
        rule: String,
        /// What it did.
        fault: String,
    },
    /// The connection was cut on purpose.
    Cut,
    /// New connections are refused from here on.
    Refused,
    /// The engine was not there, or went away in the middle.
    UpstreamLost {
        /// Why.
        reason: String,
    },
    /// One side sent what is no HTTP.
    Malformed {
        /// Which side.
        side: Side,
        /// What was wrong.
        reason: String,
    },
    /// The connection is over.
    Closed,
}

/// A side of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The daemon.
    Daemon,
    /// The engine.
    Engine,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Daemon => "daemon",
            Self::Engine => "engine",
        })
    }
}
