//! The one language of schedules: what a Rust test builds, a YAML file holds, a replay contains.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Identity of a finding, such as `295-I3`: the review's number, then its own name of the finding.
///
/// It names files, so it is 1 to 64 letters, digits, `-`, `_` and `.`, and begins with none of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct FindingId(String);

/// A text that is no finding's identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no id of a finding: 1 to 64 letters, digits, `-`, `_` or `.`, the first one a letter or digit"
)]
pub struct NoFindingId(String);

impl FindingId {
    /// The identity as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FindingId {
    type Error = NoFindingId;

    fn try_from(text: String) -> Result<Self, NoFindingId> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && text.len() <= 64 && text.chars().all(fits) {
            Ok(Self(text))
        } else {
            Err(NoFindingId(text))
        }
    }
}

impl std::str::FromStr for FindingId {
    type Err = NoFindingId;

    fn from_str(text: &str) -> Result<Self, NoFindingId> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
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

/// A schedule, what it needs, and the finding that it shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The finding that this schedule shows.
    pub finding: FindingId,
    /// What the catalogue says of the finding; a replay file leaves it out and inherits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// What the world must offer.
    #[serde(default)]
    pub needs: Needs,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// What the catalogue says of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// One line: what goes wrong.
    pub title: String,
    /// Where the finding comes from.
    pub source: String,
    /// What a broken daemon does, as seen from outside.
    pub broken: String,
    /// What a correct daemon does.
    pub correct: String,
    /// The oracle that a broken daemon must trip.
    pub oracle: OracleName,
    /// The defect of the reference daemon that puts the bug back.
    pub defect: String,
    /// A defect that this schedule must not be disturbed by.
    pub unrelated: String,
    /// Where the finding can be shown.
    #[serde(default = "linux_only")]
    pub platforms: Vec<Platform>,
}

fn linux_only() -> Vec<Platform> {
    vec![Platform::Linux]
}

/// A promise that is judged; each is one file of [`crate::oracle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OracleName {
    /// Mirrors equal the engine's objects once the world is quiet.
    Convergence,
    /// An object that lived throughout keeps its mirror and the mirror's UID.
    Identity,
    /// A condition, and a command that returned, imply the state that they promise.
    TruthfulConditions,
    /// What was asked for is reached within the deadline, and the daemon lives.
    Liveness,
}

impl fmt::Display for OracleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Convergence => "convergence",
            Self::Identity => "identity",
            Self::TruthfulConditions => "truthful_conditions",
            Self::Liveness => "liveness",
        })
    }
}

/// An operating system on which a finding can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Any Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

/// How the daemon comes to believe that its VM runs (contract 7.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmMode {
    /// The daemon's Lima controller is off, and the harness plays it through the API.
    Api,
    /// All controllers and the hostagent run; only the QEMU program is a stand-in.
    Program,
}

impl fmt::Display for VmMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Api => "api",
            Self::Program => "program",
        })
    }
}

/// What a world must offer for a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// VM modes in which the schedule makes sense; none named means any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vm: Vec<VmMode>,
}

/// One thing that a scenario does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Loads a tiny image under an alias, with any number of tags (none: it is dangling).
    LoadImage {
        /// The alias, also what makes this image's ID differ from others'.
        image: String,
        /// Tags such as `base:1`.
        #[serde(default)]
        tags: Vec<String>,
    },
    /// Adds a tag to an image.
    Tag {
        /// Alias of a loaded image.
        image: String,
        /// The new tag.
        tag: String,
    },
    /// Removes one tag of an image (`docker rmi TAG`); the last one removes the image, if it can.
    Untag {
        /// The tag.
        tag: String,
        /// Also where a container uses the image.
        #[serde(default)]
        force: bool,
    },
    /// Removes an image by its ID.
    RemoveImage {
        /// Alias of a loaded image.
        image: String,
        /// Also where it has several tags.
        #[serde(default)]
        force: bool,
    },
    /// Creates a container, which sleeps once it is started.
    CreateContainer {
        /// Its name.
        name: String,
        /// Alias of a loaded image.
        image: String,
        /// Start it too.
        #[serde(default)]
        start: bool,
    },
    /// Changes the state of a container.
    Container {
        /// Its name.
        name: String,
        /// What is done to it.
        op: ContainerOp,
    },
    /// Removes a container, also a running one.
    RemoveContainer {
        /// Its name.
        name: String,
    },
    /// Creates a volume.
    CreateVolume {
        /// Its name.
        name: String,
    },
    /// Removes a volume.
    RemoveVolume {
        /// Its name.
        name: String,
    },
    /// Does something to the engine's process.
    Engine(EngineOp),
    /// Asks the daemon to start or stop, through its command line.
    App(AppStep),
    /// Sets properties of the App through the daemon's command line.
    Set(SetStep),
    /// Arms a gate that stops one message on the wire.
    Hold(Hold),
    /// Waits until a message stands at the gate.
    Reached(GateName),
    /// Lets the held message go.
    Release(GateName),
    /// Answers matching requests with a status; the engine never sees them.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Which requests.
        on: Match,
        /// How many of them; all, where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times: Option<u32>,
    },
    /// Resets connections between daemon and engine.
    Cut(Streams),
    /// Refuses new connections from here on.
    Refuse,
    /// Accepts connections again.
    Accept,
    /// Waits for a level.
    Await(Await),
    /// Waits until the world is quiet and proves it; the oracles judge what is there then.
    Settle,
}

/// A change of a container's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainerOp {
    /// Starts it.
    Start,
    /// Stops it.
    Stop,
    /// Kills it.
    Kill,
    /// Pauses it.
    Pause,
    /// Ends the pause.
    Unpause,
    /// Stops and starts it.
    Restart,
}

/// What is done to the engine's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineOp {
    /// SIGKILL, and its end awaited.
    Kill,
    /// SIGTERM, and its end awaited.
    Stop,
    /// Started again after `kill` or `stop`, and its readiness awaited.
    Start,
    /// SIGSTOP.
    Freeze,
    /// SIGCONT.
    Thaw,
}

/// Asks the daemon to start or stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppStep {
    /// Wanted.
    pub running: bool,
    /// Let the command wait until the App has settled.
    #[serde(default = "yes")]
    pub wait: bool,
}

fn yes() -> bool {
    true
}

/// Sets properties of the App.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetStep {
    /// Property paths and values, as the command line takes them.
    pub properties: BTreeMap<String, String>,
    /// Let the command wait until the App has settled.
    #[serde(default = "yes")]
    pub wait: bool,
    /// The exit code that the daemon promises here (contract 1.2).
    #[serde(default)]
    pub exit: i32,
}

/// Arms a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Name of the gate.
    pub gate: GateName,
    /// Where on the message's way it stands.
    pub at: Point,
    /// Which message.
    pub on: Match,
    /// Counts only from the release of this other gate on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<GateName>,
}

/// Where on its way a message is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// The engine has not seen the request.
    Request,
    /// The engine has acted, the daemon does not know.
    Response,
    /// One frame of an event stream, and what is behind it.
    Frame,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Frame => "frame",
        })
    }
}

/// Which messages on the wire are meant; what is left out matches all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Route template such as `/images/{id}/json`, without the API version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Parameters of the route; `$NAME` stands for the ID of a container or image of the scenario.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// Query parameters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// JSON pointers into the request's body, and the values there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub body: BTreeMap<String, Value>,
    /// JSON pointers into an event frame, and the values there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub frame: BTreeMap<String, Value>,
    /// The n-th message that matches the rest, from 1; the first, where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// Only in this phase of the daemon's connection to the engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
}

/// Phase of the daemon's connection to the engine, by the streams of events on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// No event stream has been answered yet.
    Bootstrap,
    /// An event stream is open.
    Steady,
    /// The last event stream has ended.
    Reconnect,
}

/// Connections between daemon and engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Streams {
    /// Those that carry an event stream.
    Events,
    /// All of them.
    All,
}

/// A level that is waited for; it must hold within the scenario's deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Await {
    /// The mirror of a container, by its name in the engine, in this state.
    Container {
        /// Name in the engine.
        name: String,
        /// `status.status`; any, where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<String>,
    },
    /// The mirror of a tag.
    Tag(String),
    /// The mirror of a volume.
    Volume(String),
    /// A condition of the App at its present generation.
    Condition {
        /// Its type.
        r#type: String,
        /// Its status, `True`, `False` or `Unknown`.
        status: String,
    },
    /// The mirrors equal the engine's objects.
    Converged,
}
