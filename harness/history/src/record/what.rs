//! One thing that happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::{ApiChange, Review, UserWrite};
use super::docker::{DockerFile, DockerUser, UserCommand};
use super::engine::{EngineEvent, EngineState};
use super::header::RunHeader;
use super::logs::{Footprint, LogClient, LogCrowdSeen, LogTruth};
use super::process::{CommandRun, ProcessState};
use super::wire::WireMessage;

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
    /// A step of the scenario begins; [`Steps`](crate::Steps) has the step itself.
    StepBegan {
        /// Its index in the header's scenario, from 0.
        index: usize,
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
    /// A step of the scenario named a container or an image.
    Named {
        /// The engine's ID.
        id: String,
        /// The scenario's name.
        name: String,
    },
    /// A remark for the reader.
    Note {
        /// Its text.
        text: String,
    },
    /// The last record: the world is closed.
    Ended,
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
