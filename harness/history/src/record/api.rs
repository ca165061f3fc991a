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
    /// What happened to the object.
    pub change: Change,
    /// The complete object.
    pub object: Value,
}

/// What happened to an object of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was created.
    Added,
    /// It was changed.
    Modified,
    /// It was deleted.
    Deleted,
}

/// A write to the daemon's API. The API server asked the harness's admission webhook about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub operation: String,
    /// Plural name of the kind, with `/status` for a write of the status alone.
    pub resource: String,
    /// The object's name.
    pub name: String,
    /// The writer's field manager, if the request names one.
    pub manager: Option<String>,
    /// What the harness did with the write.
    pub outcome: ReviewOutcome,
}

/// What happened to a write that the API server asked the harness about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewOutcome {
    /// The harness allowed it at once.
    Allowed,
    /// The harness refused it.
    Denied,
    /// It waits at this gate.
    HeldAt(GateName),
    /// The harness allowed it when this gate was released.
    ReleasedFrom(GateName),
    /// The writer or the API server stopped waiting for it while this gate held it.
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

/// A user's write to the daemon's API.
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
    /// JSON pointers into the object, and the values that the user wrote; null for a removed field.
    pub fields: BTreeMap<String, Value>,
    /// The user deleted the object.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl UserWrite {
    /// The value that the user wrote at this pointer, directly or as a part of a larger value.
    #[must_use]
    pub fn wrote(&self, pointer: &str) -> Option<&Value> {
        self.fields.iter().find_map(|(at, value)| value.pointer(pointer.strip_prefix(at.as_str())?))
    }
}
