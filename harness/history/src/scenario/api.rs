//! What a user of the daemon's API does, and which of its writes are meant.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A step of a user of the daemon's API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ApiStep {
    /// Asks the daemon, through its API, to change a container's state.
    Act {
        /// The container's name in the engine.
        container: String,
        /// What is wanted.
        action: Action,
    },
    /// A user patches a mirror.
    Patch(UserPatch),
    /// A user creates an object in the daemon's API.
    CreateObject(UserObject),
    /// A user deletes a mirror.
    Delete(MirrorRef),
    /// A finalizer that is not the daemon's keeps a mirror.
    Keep(MirrorRef),
    /// That finalizer is taken away.
    LetGo(MirrorRef),
    /// Changes an annotation of the App, one time after the other; each is seen before the next.
    Touch {
        /// How many times.
        times: u32,
    },
}

/// A mirror, by what it stands for in the engine: its own name differs between revisions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MirrorRef {
    /// That of a container, by its name in the engine.
    Container(String),
    /// That of a tag.
    Tag(String),
    /// That of an image without a tag, by the alias that the scenario gave it.
    Dangling(String),
    /// That of a volume, by its name.
    Volume(String),
}

impl fmt::Display for MirrorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(name) => write!(f, "the mirror of container {name}"),
            Self::Tag(tag) => write!(f, "the mirror of tag {tag}"),
            Self::Dangling(image) => write!(f, "the mirror of dangling image {image}"),
            Self::Volume(name) => write!(f, "the mirror of volume {name}"),
        }
    }
}

/// What the daemon can be asked to do with a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Let it run.
    Start,
    /// Let it stop.
    Stop,
    /// Freeze it.
    Pause,
    /// End the pause.
    Unpause,
    /// Stop and start it.
    Restart,
}

impl Action {
    /// The word by which the API knows it (contract 4.4).
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Restart => "restart",
        }
    }
}

/// JSON pointer of the annotation by which an action is asked for (contract 4.4).
pub const ACTION: &str = "/metadata/annotations/containers.rancherdesktop.io~1action";

/// JSON pointer of the state that a container shall have (contract 9, R0).
pub const STATE: &str = "/spec/state";

/// How the daemon's API takes wishes for a container's state (contract 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// `spec.state`, which the daemon keeps true (R0).
    State,
    /// An annotation, which is carried out once (R5).
    Action,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::State => "state",
            Self::Action => "action",
        })
    }
}

/// A merge patch that a user applies to a mirror.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// Which mirror.
    pub of: MirrorRef,
    /// JSON pointers into the object, and what is to stand there; null removes.
    pub set: BTreeMap<String, Value>,
    /// How many times it is done, each time with `{n}` in a text replaced by the number, from 1.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_once(times: &u32) -> bool {
    *times == 1
}

/// An object that a user creates in the daemon's API, in the namespace of the mirrors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserObject {
    /// Plural name of its kind: `containers`, `images` or `volumes`.
    pub resource: String,
    /// Its name; `$NAME` stands for the ID of a container or image of the scenario.
    pub name: String,
    /// Its `spec`, where it has one.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub spec: Value,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Which writes to the daemon's API are meant, as its admission sees them; what is left out fits
/// all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WriteMatch {
    /// `create`, `update` or `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Plural name of the kind, with `/status` for a write of the status alone.
    pub resource: String,
    /// Field manager that writes, such as `engine-controller`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// Name of the object; `$NAME` stands for the ID of a container or image of the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// JSON pointers into the new object, and the values there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub object: BTreeMap<String, Value>,
    /// The n-th write that fits the rest, from 1; the first, where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
}
