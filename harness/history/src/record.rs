//! One thing that happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::docker::{DockerFile, DockerUser, UserCommand};
use crate::logs::{Footprint, LogClient, LogCrowdSeen, LogTruth};
use crate::{EngineEvent, EngineState, FindingId, VmMode};

/// Volumes of the harness's own probes begin so; scenarios may not use such names.
pub const PROBE_VOLUME_PREFIX: &str = "racetrap-probe-";

/// The parts in the world that are the daemon under test: its service, and its controllers where they
/// are a program of their own.
pub const DAEMON_PARTS: [&str; 2] = ["daemon", "controllers"];

/// One thing that happened, in the one order of its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Position in the history, from 0, without gaps.
    pub seq: u64,
    /// Monotonic time since the run began, in microseconds.
    pub at_us: u64,
    /// It happened to the second daemon of the run, its world or its clients.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub neighbour: bool,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// The closed list of all that can happen in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// The first record: what is run on what.
    Run(RunHeader),
    /// What the world is made of, as soon as that can be asked.
    Facts {
        /// What the daemon says of its version.
        daemon_version: String,
        /// The engine, its version and its image store.
        engine: String,
        /// Controllers that the daemon's discovery says it runs (contract 3.2); empty where it was
        /// not asked.
        #[serde(default)]
        controllers: Vec<String>,
    },
    /// A step of the scenario begins.
    StepBegan {
        /// Its index, from 0.
        index: usize,
        /// The step, as a line of text.
        text: String,
    },
    /// The step is done.
    StepDone {
        /// Its index.
        index: usize,
    },
    /// The step could not be done; the run ends here.
    StepFailed {
        /// Its index.
        index: usize,
        /// Whose failure it is.
        blame: Blame,
        /// What was awaited, for how long, and what was seen last.
        why: String,
    },
    /// A message on the wire between daemon and engine.
    Wire(WireMessage),
    /// A message on the wire between clients and the daemon's API.
    ApiWire(WireMessage),
    /// A message on the wire before the user's own engine.
    UserWire(WireMessage),
    /// Where the user's own engine can be reached from here on; nowhere, if none.
    Endpoint {
        /// As a context names it.
        address: Option<String>,
        /// The context `default` leads there.
        default: bool,
    },
    /// Whose context of the docker command the daemon keeps.
    DockerUser(DockerUser),
    /// A part of the docker command's configuration is there, or is different.
    DockerFile(DockerFile),
    /// A docker command of the user's begins or has ended.
    UserCommand(UserCommand),
    /// The daemon's API asked the harness about a write, before it stored it.
    Review(Review),
    /// A user wrote an object of the daemon's API, and was told that it is stored.
    UserWrite(UserWrite),
    /// The daemon wrote a line to its log.
    Log {
        /// How it calls the line.
        level: LogLevel,
        /// The line, whole.
        text: String,
    },
    /// The engine said on the side channel that something happened.
    Engine(EngineEvent),
    /// What the engine holds, asked on the side channel.
    Truth(EngineState),
    /// A watch of the daemon's API said that an object changed.
    Api(ApiChange),
    /// The daemon's API listed all objects of a kind; what was watched of it before is replaced.
    Listed {
        /// Plural name of the kind.
        resource: String,
        /// The list's version; a watch may still tell of older changes after it.
        version: u64,
        /// The objects, whole.
        objects: Vec<Value>,
    },
    /// A watch ended, so that changes may be missed until the next list.
    WatchLost {
        /// Plural name of the kind.
        resource: String,
        /// Why.
        reason: String,
    },
    /// A command of the daemon's goes on in the background from here.
    CommandBegan {
        /// By what name the scenario knows it.
        name: String,
        /// Arguments, without the program.
        arguments: Vec<String>,
    },
    /// A command of the daemon's was run.
    Command(CommandRun),
    /// A client of the daemon's log passthrough did or saw something.
    LogClient(LogClient),
    /// The engine was asked for what a client of the log passthrough should have got.
    LogTruth(LogTruth),
    /// Many clients of the log passthrough came and went.
    LogCrowd(LogCrowdSeen),
    /// What the daemon holds was looked at, because clients of its log passthrough came.
    Footprint(Footprint),
    /// The daemon announces these passthrough endpoints.
    Announced {
        /// Names of endpoints by the controller's, in their order.
        passthroughs: BTreeMap<String, Vec<String>>,
    },
    /// A process of the world began or ended.
    Process {
        /// Its part in the world, such as `engine`.
        name: String,
        /// Process ID.
        pid: u32,
        /// When it started, in clock ticks since boot: with the ID, its identity.
        started: u64,
        /// What became of it.
        state: ProcessState,
    },
    /// The world is as quiet as it will get, and is about to be judged.
    Checkpoint {
        /// Counts the scenario's `settle` steps, from 1.
        number: u32,
        /// Before or after the daemon was proved to have had its turn.
        stage: Stage,
    },
    /// Something of the world was still there when it was closed.
    Leak {
        /// What, and where.
        text: String,
        /// Who should have seen to its end.
        #[serde(default)]
        owner: Owner,
    },
    /// A remark for the reader.
    Note {
        /// Its text.
        text: String,
    },
    /// The last record: the world is closed.
    Ended,
}

/// What is run on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// Version of the journal's format.
    pub format: u32,
    /// Version of the harness.
    pub harness: String,
    /// The finding.
    pub finding: FindingId,
    /// The whole scenario, so that the journal alone can repeat the run.
    pub scenario: Value,
    /// Program of the daemon.
    pub daemon: String,
    /// Defects switched on in a reference daemon.
    pub defects: Vec<String>,
    /// How the daemon's VM is run.
    pub vm: VmMode,
    /// Wall-clock time of the start, RFC 3339.
    pub started: String,
    /// How many runs were in this world before, each followed by a reset that was proved clean.
    #[serde(default)]
    pub reused: u32,
    /// The command that repeats the run; empty where a journal is older than this.
    #[serde(default)]
    pub again: String,
}

/// Whose failure it is that a step could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The daemon did not do within the deadline what it promises to do.
    Daemon,
    /// The daemon went another way than the schedule supposes; that says nothing of its promises.
    Schedule,
    /// The machine, the engine or the harness failed.
    World,
}

/// Position of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The state is level; the daemon was given no further event.
    Level,
    /// A probe that came after everything else has passed through the daemon's mirror.
    Probed,
}

/// A message on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireMessage {
    /// Number of the connection, from 0.
    pub connection: u64,
    /// Number of the exchange of request and response, over all connections.
    pub exchange: u64,
    /// What happened to it.
    #[serde(flatten)]
    pub event: WireWhat,
}

/// What happened on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "wire", rename_all = "snake_case")]
pub enum WireWhat {
    /// The daemon connected.
    Opened,
    /// A request came.
    Request {
        /// HTTP method.
        method: String,
        /// Path and query as sent.
        target: String,
        /// Route template, where the path is a known one.
        route: Option<String>,
        /// Phase of the daemon's connection to the engine.
        phase: String,
    },
    /// The message stands at a gate.
    Held {
        /// The gate.
        gate: String,
        /// Where on its way.
        point: String,
    },
    /// The message goes on.
    Released {
        /// The gate.
        gate: String,
    },
    /// The daemon gave up the held message.
    Abandoned {
        /// The gate.
        gate: String,
    },
    /// The response's head was passed on.
    Response {
        /// HTTP status.
        status: u16,
    },
    /// A frame of an event stream was passed on.
    Frame {
        /// The frame, a string where it is no JSON.
        frame: Value,
    },
    /// The exchange is over.
    Finished {
        /// Bytes of the response's body.
        bytes: u64,
    },
    /// The connection became a raw stream.
    Upgraded,
    /// A rule did something to the message.
    Faulted {
        /// Name of the rule.
        rule: String,
        /// What it did.
        fault: String,
    },
    /// The connection was cut on purpose.
    Cut,
    /// New connections are refused on purpose from here on.
    Refused,
    /// The engine did not answer, or went away in the middle.
    UpstreamLost {
        /// Why.
        reason: String,
    },
    /// One side sent what is no HTTP.
    Malformed {
        /// `client` or `upstream`.
        side: String,
        /// What was wrong.
        reason: String,
    },
    /// The connection is over.
    Closed,
}

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

/// A command of the daemon's that was run to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRun {
    /// Arguments, without the program.
    pub arguments: Vec<String>,
    /// Exit code; none where a signal or the harness's own deadline ended it.
    pub exit: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The harness interrupted it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
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
    /// What came of it: `allowed`, `denied`, `held at NAME`, `released from NAME`.
    pub outcome: String,
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

/// How a daemon calls a line of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Everything that is neither of the others.
    Info,
    /// A warning.
    Warning,
    /// An error.
    Error,
    /// The trace of a panic, or a fatal error.
    Panic,
}

/// Who should have seen to something's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The harness.
    #[default]
    World,
    /// The daemon: it began it, was stopped in order, and is gone.
    Daemon,
}

/// What became of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessState {
    /// It was started.
    Started,
    /// The harness ended it, and it is gone.
    Stopped,
    /// It ended by itself.
    Died {
        /// Exit code or signal, where known.
        how: String,
    },
}
