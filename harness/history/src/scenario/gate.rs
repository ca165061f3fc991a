//! Gates: each stops one message on a wire, or one write to the daemon's API, until it is released.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::api::WriteMatch;
use super::message::{Match, Point, Side};

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
