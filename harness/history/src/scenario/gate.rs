//! Gates: each stops one message on a wire, or one write to the daemon's API, until it is released.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::api::WriteMatch;
use super::message::{Match, Point, Side};

/// The beginning of the names of all messages that go on one at a time.
pub const SERIAL: &str = "serial";

/// A step that arms a gate, waits for it, or opens it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GateStep {
    /// Arms a gate that stops one message on the wire.
    Hold(Hold),
    /// Waits until a message stands at the gate.
    Reached(GateName),
    /// Lets the held message go.
    Release(GateName),
    /// Arms a gate that stops one write to the daemon's API.
    HoldWrite(HoldWrite),
    /// Stops every message between daemon and engine from here on, and lets one at a time go on. The steps
    /// that follow wait for their turn like messages.
    Serial(Serially),
    /// Ends that: everything goes on by itself again.
    Free,
}

/// In which order messages and steps go on, one at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serially {
    /// Decides the order: each stream of messages has a random priority.
    pub seed: u64,
    /// How many orderings a race needs that is looked for; one less is the number of times that a priority
    /// changes.
    pub depth: u32,
    /// How many messages and steps are expected, at least 1; priorities change among them.
    pub length: u32,
    /// The order of another run, which goes before the seed's as long as it fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
}

/// Name of a gate, unique within its scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GateName(pub String);

impl fmt::Display for GateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Arms a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Name of the gate.
    pub gate: GateName,
    /// On which wire.
    #[serde(default, skip_serializing_if = "Side::is_engine")]
    pub wire: Side,
    /// Where on the message's way it stands.
    pub at: Point,
    /// Which message.
    pub on: Match,
    /// Counts only from the release of this other gate on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<GateName>,
}

/// Arms a gate at the admission of the daemon's API: a write is stopped before it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldWrite {
    /// Name of the gate.
    pub gate: GateName,
    /// Which write.
    pub on: WriteMatch,
    /// Counts only from the release of this other gate on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<GateName>,
}
