//! Messages on the wires.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scenario::{Phase, Point};

/// A message on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireMessage {
    /// Number of the connection, from 0.
    pub connection: u64,
    /// Number of the exchange of request and response, over all connections.
    pub exchange: u64,
    /// What happened to it.
    #[serde(flatten)]
    pub event: WireWhat,
}

/// What happened on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "wire", rename_all = "snake_case")]
pub enum WireWhat {
    /// The client connected: the daemon, or on the API's wire a client of the daemon.
    Opened,
    /// A request came.
    Request {
        /// HTTP method.
        method: String,
        /// Path and query as sent.
        target: String,
        /// Route template, where the path is a known one.
        route: Option<String>,
        /// Phase of the daemon's connection to the engine.
        phase: Phase,
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
    /// The daemon gave up the held message.
    Abandoned {
        /// The gate.
        gate: String,
    },
    /// The response's head was passed on.
    Response {
        /// HTTP status.
        status: u16,
    },
    /// A frame of an event stream was passed on.
    Frame {
        /// The frame, a string where it is no JSON.
        frame: Value,
    },
    /// The exchange is over.
    Finished {
        /// Bytes of the response's body.
        bytes: u64,
    },
    /// The connection became a raw stream.
    Upgraded,
    /// A rule did something to the message.
    Faulted {
        /// Name of the rule.
        rule: String,
        /// What it did, for people.
        fault: String,
    },
    /// The connection was cut on purpose.
    Cut,
    /// New connections are refused on purpose from here on.
    Refused,
    /// The engine did not answer, or went away in the middle.
    UpstreamLost {
        /// Why.
        reason: String,
    },
    /// One side sent what is no HTTP.
    Malformed {
        /// Which side.
        side: WireSide,
        /// What was wrong.
        reason: String,
    },
    /// The connection is over.
    Closed,
}

/// A side of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireSide {
    /// Who connects: the daemon, or on the API's wire a client of the daemon.
    Client,
    /// Who is connected to: the engine, or on the API's wire the daemon.
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
