//! Records of the daemon's log passthrough: what its clients received, what the engine has, and what the
//! clients cost the daemon.

use serde::{Deserialize, Serialize};

use crate::scenario::{Codes, LeaveHow};

/// An action of a client of the log passthrough, or something that it received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogClient {
    /// The scenario's name for the client.
    pub client: String,
    /// What happened.
    #[serde(flatten)]
    pub event: LogEvent,
}

/// What a client did or received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "log", rename_all = "snake_case")]
pub enum LogEvent {
    /// The client connected and sent its request.
    Asked {
        /// Path and query.
        target: String,
        /// ID of the container whose log is requested, if it is a container of the scenario.
        container: Option<String>,
        /// HTTP statuses that the contract allows.
        promised: Codes,
        /// The client reads from its connection.
        reads: bool,
    },
    /// The client received a response.
    Answered {
        /// HTTP status.
        status: u16,
        /// The beginning of the body, unless the connection became a WebSocket.
        text: String,
    },
    /// The client received no response.
    Unanswered {
        /// What happened instead.
        reason: String,
    },
    /// Messages arrived one after the other. Many small ones have one record together.
    Received {
        /// Number of messages.
        messages: u64,
        /// Number of text messages among them.
        texts: u64,
        /// Bytes in all messages.
        bytes: u64,
        /// Line ends in all messages.
        lines: u64,
        /// The beginning of the first message, up to the first byte that is not text.
        text: String,
    },
    /// The client reads from its connection from here on.
    Reads,
    /// The client leaves, or does something for which the daemon must drop it.
    Left {
        /// What the client does.
        how: LeaveHow,
    },
    /// The client's connection has ended.
    Ended {
        /// Code of the daemon's close frame, if there was one (RFC 6455, 7.1.5).
        code: Option<u16>,
        /// The frame's reason, or what broke the connection.
        reason: String,
        /// The connection broke because a text message was not UTF-8.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        not_utf8: bool,
    },
}

/// A log in the engine, read past the wire, compared with what a client has received of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTruth {
    /// The client.
    pub client: String,
    /// Number of bytes that the client had received before the harness asked the engine.
    pub received: u64,
    /// SHA-256 of those bytes, in hexadecimal digits.
    pub received_sha256: String,
    /// Number of bytes that the engine has.
    pub bytes: u64,
    /// Number of frames in which the engine sent them.
    pub frames: u64,
    /// SHA-256 of the engine's first `received` bytes, or of all its bytes if the client received more.
    pub prefix_sha256: String,
}

/// The result of many short-lived clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCrowdSeen {
    /// Path and query that all of them requested.
    pub target: String,
    /// HTTP statuses that the contract allows.
    pub promised: Codes,
    /// How many clients received which status; each status once, in ascending order.
    pub answers: Vec<StatusCount>,
    /// How many clients received no response.
    pub unanswered: u32,
    /// What happened to one of those instead.
    pub reason: String,
}

/// How many clients received one status.
///
/// A record contains a list of these instead of a map. Keys of a JSON object are strings, and serde does
/// not convert them into numbers within a flattened record, because it reads that through a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCount {
    /// HTTP status.
    pub status: u16,
    /// Number of clients that received it.
    pub clients: u32,
}

impl LogCrowdSeen {
    /// Number of clients.
    #[must_use]
    pub fn clients(&self) -> usize {
        let clients =
            self.answers.iter().map(|answer| answer.clients).sum::<u32>() + self.unanswered;
        usize::try_from(clients).unwrap_or(usize::MAX)
    }
}

/// The resources that all processes of the daemon use together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// Number of open file descriptors.
    pub descriptors: u64,
    /// Resident memory, in KiB.
    pub resident_kib: u64,
    /// The maximum of the resident memory since the first footprint of the history, in KiB.
    pub peak_kib: u64,
}

/// How many more descriptors a daemon may have than before its first client connected, because it keeps
/// some connections open for later requests.
const DESCRIPTORS: u64 = 32;

/// How many descriptors each connected client may cost: its connection to the API server, both ends of
/// the connection from there to the controllers' manager, and the engine's stream.
const DESCRIPTORS_EACH: u64 = 4;

impl Footprint {
    /// How many descriptors the daemon may have while so many clients are connected. `self` is the
    /// footprint before the first client.
    #[must_use]
    pub fn descriptors_with(&self, clients: usize) -> u64 {
        self.descriptors + DESCRIPTORS + DESCRIPTORS_EACH * clients as u64
    }
}
