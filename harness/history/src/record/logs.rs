//! Records of the daemon's log passthrough: what its clients saw, what the engine had for them, and
//! what they cost the daemon.

use serde::{Deserialize, Serialize};

use crate::scenario::{Codes, LeaveHow};

/// Something that a client of the log passthrough did or saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogClient {
    /// The client, as the scenario calls it.
    pub client: String,
    /// What it was.
    #[serde(flatten)]
    pub event: LogEvent,
}

/// What a client did or saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "log", rename_all = "snake_case")]
pub enum LogEvent {
    /// It connected, and asked.
    Asked {
        /// Path and query.
        target: String,
        /// ID of the container whose log that is, where it is one of the scenario.
        container: Option<String>,
        /// HTTP statuses that are right.
        promised: Codes,
        /// It reads what it is sent.
        reads: bool,
    },
    /// It was answered.
    Answered {
        /// HTTP status.
        status: u16,
        /// The body's beginning, where it is no WebSocket.
        text: String,
    },
    /// It was not answered.
    Unanswered {
        /// What came instead.
        reason: String,
    },
    /// Messages arrived, one after the other; many small ones are told of together.
    Received {
        /// How many.
        messages: u64,
        /// How many of them were text.
        texts: u64,
        /// Bytes in all of them.
        bytes: u64,
        /// Ends of lines in all of them.
        lines: u64,
        /// The beginning of the first, as far as it is text.
        text: String,
    },
    /// It reads what it is sent from here on.
    Reads,
    /// It leaves, or does what it must be dropped for.
    Left {
        /// How.
        how: LeaveHow,
    },
    /// Its connection has ended.
    Ended {
        /// Code of the daemon's close frame; none where there was none (RFC 6455, 7.1.5).
        code: Option<u16>,
        /// The frame's reason, or what broke the connection.
        reason: String,
        /// The connection broke because a text message was not UTF-8.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        not_utf8: bool,
    },
}

/// What the engine has sent over the wire for a client of the log passthrough, beside what the client
/// has received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSent {
    /// The client.
    pub client: String,
    /// Bytes that it had received before the wire was looked at.
    pub received: u64,
    /// SHA-256 of those, in hexadecimal digits.
    pub received_sha256: String,
    /// The exchanges that may be the daemon's for this client; empty if the daemon has not asked the
    /// engine for what the client asked for.
    pub streams: Vec<SentStream>,
}

/// What the engine has sent of a log in one exchange, without the headers of its frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentStream {
    /// Number of the exchange on the wire between daemon and engine.
    pub exchange: u64,
    /// Bytes that the wire has forwarded, or is about to.
    pub bytes: u64,
    /// SHA-256 of as many of them as the client had received, or of all if there are less.
    pub prefix_sha256: String,
}

/// What the engine has of a log, asked on the side channel, beside what a client has got of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTruth {
    /// The client.
    pub client: String,
    /// Bytes that it had got before the engine was asked.
    pub received: u64,
    /// SHA-256 of those, in hexadecimal digits.
    pub received_sha256: String,
    /// Bytes that the engine has.
    pub bytes: u64,
    /// Frames in which the engine has them.
    pub frames: u64,
    /// SHA-256 of as many of them as the client had got, or of all where it had got more.
    pub prefix_sha256: String,
}

/// Many clients came and went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCrowdSeen {
    /// Path and query that all asked for.
    pub target: String,
    /// HTTP statuses that are right.
    pub promised: Codes,
    /// How many got which status; each status once, in ascending order.
    pub answers: Vec<StatusCount>,
    /// How many got none.
    pub unanswered: u32,
    /// What one of those got instead.
    pub reason: String,
}

/// How many clients got one status.
///
/// A list of these and not a map: keys of a JSON object are strings, and serde does not turn them
/// back into numbers within a record, which it reads through a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCount {
    /// HTTP status.
    pub status: u16,
    /// How many clients got it.
    pub clients: u32,
}

impl LogCrowdSeen {
    /// How many came.
    #[must_use]
    pub fn clients(&self) -> usize {
        let came = self.answers.iter().map(|answer| answer.clients).sum::<u32>() + self.unanswered;
        usize::try_from(came).unwrap_or(usize::MAX)
    }
}

/// What the daemon's processes hold, all together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// Open descriptors.
    pub descriptors: u64,
    /// Resident memory, in KiB.
    pub resident_kib: u64,
    /// The most that this was since the first footprint of the history, in KiB.
    pub peak_kib: u64,
}

/// How many descriptors a daemon may have more than before its first client came: connections that
/// it keeps for the next request come and go.
const DESCRIPTORS: u64 = 32;

/// How many a client may cost, as long as it is there: its connection to the API server, both ends of
/// the one from there to the controller's manager, and the engine's stream.
const DESCRIPTORS_EACH: u64 = 4;

impl Footprint {
    /// How many descriptors there may be while so many clients are there, where this was before any
    /// was.
    #[must_use]
    pub fn descriptors_with(&self, clients: usize) -> u64 {
        self.descriptors + DESCRIPTORS + DESCRIPTORS_EACH * clients as u64
    }
}
