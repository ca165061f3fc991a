//! The events that a wire reports.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::phase::Phase;
use crate::point::Point;

/// Something happened on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Number of the client's connection, from 0.
    pub connection: u64,
    /// Number of the exchange (one request and its response) over all connections, from 1; 0 if the
    /// event does not belong to an exchange.
    pub exchange: u64,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// A client connected.
    Opened {
        /// The client's address; none on a unix socket.
        peer: Option<SocketAddr>,
    },
    /// The wire has read the head of a request.
    Request {
        /// HTTP method.
        method: String,
        /// Path and query as the client sent them.
        target: String,
        /// Route template; none if the path is unknown.
        route: Option<&'static str>,
        /// Phase of the client's connection to the upstream.
        phase: Phase,
        /// Length of the body in bytes; none for a chunked body, whose length is known at its end.
        body_bytes: Option<u64>,
        /// The `User-Agent` field.
        agent: Option<String>,
    },
    /// A gate holds the message.
    Held {
        /// Name of the gate.
        gate: String,
        /// Where on its way the message is.
        point: Point,
    },
    /// The gate released the message; the wire goes on forwarding it.
    Released {
        /// Name of the gate.
        gate: String,
    },
    /// The wire dropped the held message, because the client closed the connection or a fault cut
    /// it.
    Abandoned {
        /// Name of the gate.
        gate: String,
    },
    /// The wire is about to forward the head of a response.
    Response {
        /// HTTP status.
        status: u16,
    },
    /// The wire is about to forward a frame of an event stream.
    Frame {
        /// The frame as JSON; its text as a string if it is not JSON.
        json: Value,
    },
    /// The wire has forwarded the whole response.
    Finished {
        /// Bytes of the body, with its framing.
        bytes: u64,
    },
    /// The connection is a raw stream from now on.
    Upgraded,
    /// A rule changed, delayed or suppressed the message.
    Faulted {
        /// Name of the rule.
        rule: String,
        /// What it did.
        fault: String,
    },
    /// A fault or the end of the wire cut the connection.
    Cut,
    /// The wire refuses new connections from now on.
    Refused,
    /// The wire could not connect to the upstream, or the upstream closed the connection in the
    /// middle of an exchange.
    UpstreamLost {
        /// The reason.
        reason: String,
    },
    /// One side sent something that is not HTTP.
    Malformed {
        /// Which side.
        side: Side,
        /// What is wrong with it.
        reason: String,
    },
    /// The connection is closed.
    Closed,
}

/// Receives the number of an exchange and the next bytes of its content.
pub type ContentSink = Arc<dyn Fn(u64, &[u8]) + Send + Sync>;

/// Receives the content of the responses of one route, without its framing. What the bytes mean is
/// the receiver's matter.
#[derive(Clone)]
pub struct Tap {
    /// Template of the route.
    pub route: &'static str,
    /// Called with the content in order, and always before the wire forwards it. It must never block.
    pub sink: ContentSink,
}

/// A side of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The side that connects to the wire and sends requests.
    Client,
    /// The server to which the wire connects.
    Upstream,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Journals are written with one of the two and read with the other.
    #[test]
    fn a_side_is_displayed_and_serialised_as_the_same_word() {
        for side in [Side::Client, Side::Upstream] {
            assert_eq!(serde_json::to_value(side).unwrap(), side.to_string());
        }
    }
}
