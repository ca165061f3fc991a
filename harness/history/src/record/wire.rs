//! Messages on the wires.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scenario::{Phase, Point};

/// A message on a wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireMessage {
    /// Number of the connection, from 0.
    pub connection: u64,
    /// Number of the exchange of request and response, over all connections.
    pub exchange: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: WireWhat,
}

/// What happened on a wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "wire", rename_all = "snake_case")]
pub enum WireWhat {
    /// The client connected. On the engine's wire, the client is the daemon; on the API's wire, it is a
    /// client of the daemon.
    Opened,
    /// The wire received a request.
    Request {
        /// HTTP method.
        method: String,
        /// Path and query as the client sent them.
        target: String,
        /// Template of the route, if the path has a known one.
        route: Option<String>,
        /// Phase of the daemon's connection to the engine.
        phase: Phase,
    },
    /// A gate holds the message.
    Held {
        /// The gate.
        gate: String,
        /// Which part of the exchange the gate holds.
        point: Point,
    },
    /// The gate was released, and the wire forwards the message.
    Released {
        /// The gate.
        gate: String,
    },
    /// The wire dropped the held message, because the client or a fault closed the connection.
    Abandoned {
        /// The gate.
        gate: String,
    },
    /// The wire forwarded the head of a response.
    Response {
        /// HTTP status.
        status: u16,
    },
    /// The wire forwarded a frame of an event stream.
    Frame {
        /// The frame; a string if it is not JSON.
        frame: Value,
    },
    /// The response is complete.
    Finished {
        /// Length of the response's body in bytes.
        bytes: u64,
    },
    /// The connection became a raw stream.
    Upgraded,
    /// A rule changed the message.
    Faulted {
        /// Name of the rule.
        rule: String,
        /// What the rule did, as text for people.
        fault: String,
    },
    /// A fault or the end of the wire cut the connection.
    Cut,
    /// From here on, the wire refuses new connections, as the scenario demands.
    Refused,
    /// The wire could not connect to the upstream, or the upstream closed the connection in the middle of
    /// an exchange.
    UpstreamLost {
        /// The reason.
        reason: String,
    },
    /// One side sent bytes that are not HTTP.
    Malformed {
        /// The side that sent them.
        side: WireSide,
        /// The parser's error.
        reason: String,
    },
    /// The connection was closed.
    Closed,
}

/// A side of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireSide {
    /// The side that connects: the daemon, or on the API's wire a client of the daemon.
    Client,
    /// The side that accepts the connection: the engine, or on the API's wire the daemon.
    Upstream,
}

impl fmt::Display for WireSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
        })
    }
}
