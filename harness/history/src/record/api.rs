//! Objects of the daemon's API, and writes to them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scenario::GateName;

/// A change that a watch reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiChange {
    /// Plural name of the kind.
    pub resource: String,
    /// What happened to it.
    pub change: Change,
    /// The object, whole.
    pub object: Value,
}

/// What happened to an object of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Added,
    /// It is different.
    Modified,
    /// It is gone.
    Deleted,
}

/// A write to the daemon's API, as its admission asked the harness about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub operation: String,
    /// Plural name of the kind, with `/status` for a write of the status alone.
    pub resource: String,
    /// The object's name.
    pub name: String,
    /// The field manager that writes, where it says so.
    pub manager: Option<String>,
    /// What came of it.
    pub outcome: ReviewOutcome,
}

/// What came of a write that the harness was asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewOutcome {
    /// It goes on at once.
    Allowed,
    /// It is refused.
    Denied,
    /// It waits at this gate.
    HeldAt(GateName),
    /// It goes on, because this gate was opened.
    ReleasedFrom(GateName),
    /// Its writer or the API server stopped waiting for it, while it was at this gate.
    GivenUpAt(GateName),
}

impl fmt::Display for ReviewOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed => f.write_str("allowed"),
            Self::Denied => f.write_str("denied"),
            Self::HeldAt(gate) => write!(f, "held at {gate}"),
            Self::ReleasedFrom(gate) => write!(f, "released from {gate}"),
            Self::GivenUpAt(gate) => write!(f, "given up at {gate}"),
        }
    }
}

/// What a user wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserWrite {
    /// Plural name of the kind.
    pub resource: String,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// The object's UID.
    pub uid: String,
    /// JSON pointers into the object, and what the user put there; null is what was removed.
    pub fields: BTreeMap<String, Value>,
    /// The user asked that the object be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl UserWrite {
    /// What the user put at this place, by itself or as a part of what is above it.
    #[must_use]
    pub fn wrote(&self, pointer: &str) -> Option<&Value> {
        self.fields.iter().find_map(|(at, value)| value.pointer(pointer.strip_prefix(at.as_str())?))
    }
}
