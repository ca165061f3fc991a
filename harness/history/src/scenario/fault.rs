//! What goes wrong between the daemon, its engine and its clients.

use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::WriteMatch;
use super::message::{Match, Side, Streams};

/// A step that disturbs messages, connections or writes, or waits until that has happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultStep {
    /// Answers matching requests with a status; the engine never sees them.
    Answer {
        /// By what name it can be awaited or lifted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<FaultName>,
        /// The HTTP status.
        status: u16,
        /// The JSON that is the answer's body; the engine's form of an error, where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
        /// On which wire.
        #[serde(default, skip_serializing_if = "Side::is_engine")]
        wire: Side,
        /// Which requests.
        on: Match,
        /// How many of them; all, where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times: Option<u32>,
    },
    /// Resets connections.
    Cut(Streams),
    /// Denies writes to the daemon's API.
    DenyWrite {
        /// Which writes.
        on: WriteMatch,
        /// How many of them; all, where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times: Option<u32>,
    },
    /// Arms a fault.
    Fault(Fault),
    /// Waits until a fault on a wire has happened that was given a name.
    Happened(FaultName),
    /// Ends a fault that was given a name.
    Lift(FaultName),
    /// Keeps the last answer to matching requests, for a `stale` fault to give again.
    Record {
        /// By what name.
        name: FaultName,
        /// Which requests.
        on: Match,
    },
    /// Puts a frame of its own into the open event streams.
    Inject {
        /// The frame, as it is; a newline is added.
        frame: String,
    },
    /// The socket at which the daemon looks for its engine becomes another file.
    ReplaceSocket,
    /// Refuses new connections from here on.
    Refuse,
    /// Accepts connections again.
    Accept,
}

impl FaultStep {
    /// The name of the rule that the step arms, if it arms one as the `number`-th of its scenario, from 1.
    /// Records of the wire say by this name which rule changed a message.
    #[must_use]
    pub fn rule_name(&self, number: usize) -> Option<String> {
        match self {
            Self::Answer { status, .. } => Some(format!("answer {status}, rule {number}")),
            Self::DenyWrite { .. } => Some(format!("deny, rule {number}")),
            Self::Fault(fault) => Some(format!("{}, rule {number}", fault.kind.word())),
            Self::Cut(_)
            | Self::Happened(_)
            | Self::Lift(_)
            | Self::Record { .. }
            | Self::Inject { .. }
            | Self::ReplaceSocket
            | Self::Refuse
            | Self::Accept => None,
        }
    }
}

/// Name of a fault, unique within its scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultName(pub String);

impl fmt::Display for FaultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A fault that is armed until it has happened as often as it shall, or is lifted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// By what name it can be lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<FaultName>,
    /// On which wire.
    #[serde(default, skip_serializing_if = "Side::is_engine")]
    pub wire: Side,
    /// What is done.
    pub kind: FaultKind,
    /// To which messages.
    pub on: Match,
    /// To how many of them; all, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// What is done to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// The engine acts; its answer is lost, and the connection with it.
    Lose,
    /// The answer ends after so many bytes of its body, or after an event frame where the match
    /// names one, and the connection stays open.
    HalfOpen {
        /// Bytes of the body that still pass.
        #[serde(default)]
        bytes: u64,
    },
    /// The answer's body comes in small pieces.
    Slow {
        /// Bytes in a piece.
        bytes: NonZeroUsize,
        /// Milliseconds between two pieces.
        every_ms: NonZeroU32,
    },
    /// The answer's body is cut off, and framed as if it were whole.
    Truncate {
        /// Bytes of the body that still pass.
        bytes: usize,
    },
    /// An earlier answer is given again; the engine does not see the request.
    Stale {
        /// Which `record` step kept it.
        recording: FaultName,
    },
    /// An event frame never arrives.
    Drop,
    /// An event frame arrives twice.
    Duplicate,
    /// An event frame arrives behind later ones.
    Reorder {
        /// How many of them.
        behind: NonZeroU32,
    },
    /// Values in the answer's body, or in an event frame, are others.
    Rewrite {
        /// JSON pointers, and what is to stand there; null stays null.
        #[serde(default)]
        set: BTreeMap<String, Value>,
        /// JSON pointers of what is to be gone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remove: Vec<String>,
        /// Fields of the answer's head, such as `Api-Version`, and their new values; null removes
        /// one. Those that say where the body ends stay as they are.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        head: BTreeMap<String, Option<String>>,
    },
}

impl FaultKind {
    /// The word of the scenario language for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Lose => "lose",
            Self::HalfOpen { .. } => "half_open",
            Self::Slow { .. } => "slow",
            Self::Truncate { .. } => "truncate",
            Self::Stale { .. } => "stale",
            Self::Drop => "drop",
            Self::Duplicate => "duplicate",
            Self::Reorder { .. } => "reorder",
            Self::Rewrite { .. } => "rewrite",
        }
    }
}
