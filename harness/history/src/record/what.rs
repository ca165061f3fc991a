//! One thing that happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::{ApiChange, Review, UserWrite};
use super::docker::{DockerFile, DockerUser, UserCommand};
use super::engine::{EngineEvent, EngineState};
use super::header::RunHeader;
use super::kubernetes::Kubeconfig;
use super::logs::{Footprint, LogClient, LogCrowdSeen, LogSent, LogTruth};
use super::process::{CommandRun, ProcessState};
use super::vm::{VmFiles, VmProcess};
use super::wire::WireMessage;
use super::wsl::WslCall;
use crate::scenario::KubernetesState;

/// One thing that happened. All records of a run have one order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Position in the history, from 0, without gaps.
    pub seq: u64,
    /// Monotonic time since the run began, in microseconds.
    pub at_us: u64,
    /// The record is about the second daemon of the run, its world or its clients.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub neighbour: bool,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// All kinds of things that can happen in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// The first record: the scenario and the daemon.
    Run(RunHeader),
    /// Versions of the parts of the world, recorded as soon as the parts can be asked.
    Facts {
        /// The version that the daemon reports.
        daemon_version: String,
        /// The engine, its version and its image store.
        engine: String,
        /// The controllers that the daemon's discovery lists (contract 3.2); empty if the harness did not
        /// ask.
        #[serde(default)]
        controllers: Vec<String>,
    },
    /// The world could not be made, so that no step was carried out. The harness ends what it had
    /// started: nothing after this record says anything of the daemon.
    Unmade {
        /// Why.
        why: String,
    },
    /// The scenario is not for this daemon, or not for the world that was asked for. No step is
    /// carried out.
    NotApplicable {
        /// What the scenario needs, and what there is.
        why: String,
    },
    /// A step of the scenario begins; [`Steps`](crate::Steps) has the step itself.
    StepBegan {
        /// Its index in the header's scenario, from 0.
        index: usize,
    },
    /// The step was completed.
    StepDone {
        /// Its index.
        index: usize,
    },
    /// The step failed, which ends the run.
    StepFailed {
        /// Its index.
        index: usize,
        /// Who is to blame.
        blame: Blame,
        /// What the step waited for, how long, and the last state that it saw.
        why: String,
    },
    /// A message on the wire between daemon and engine.
    Wire(WireMessage),
    /// A message on the wire between clients and the daemon's API.
    ApiWire(WireMessage),
    /// A message on the wire before the user's own engine.
    UserWire(WireMessage),
    /// A message on the wire between the daemon and the guest's Kubernetes.
    KubernetesWire(WireMessage),
    /// From here on, the guest's Kubernetes is in this state.
    Kubernetes {
        /// The state.
        state: KubernetesState,
    },
    /// The user's kubeconfig was found, or has changed.
    Kubeconfig(Kubeconfig),
    /// From here on, the user's own engine can be reached at another address.
    Endpoint {
        /// The address, as a context contains it; `None` if the engine does not run.
        address: Option<String>,
        /// The context `default` leads to this engine.
        default: bool,
    },
    /// The name of the daemon's context, and what the daemon may do with the current one.
    DockerUser(DockerUser),
    /// A part of the docker command's configuration was found or has changed.
    DockerFile(DockerFile),
    /// A docker command of the user began or ended.
    UserCommand(UserCommand),
    /// The daemon's API server asked the harness about a write before it stored the write.
    Review(Review),
    /// A user wrote an object of the daemon's API, and the API answered that the write is stored.
    UserWrite(UserWrite),
    /// The daemon wrote a line to its log.
    Log {
        /// The level of the line.
        level: LogLevel,
        /// The complete line.
        text: String,
    },
    /// The engine reported an event past the wire.
    Engine(EngineEvent),
    /// The engine's objects, asked for past the wire.
    Truth(EngineState),
    /// A watch of the daemon's API reported that an object changed.
    Api(ApiChange),
    /// The daemon's API listed all objects of a kind. The list replaces the known state of that kind.
    Listed {
        /// Plural name of the kind.
        resource: String,
        /// Resource version of the list. A watch may still report older changes after it.
        version: u64,
        /// The complete objects.
        objects: Vec<Value>,
    },
    /// A watch ended, so changes may be missed until the next list.
    WatchLost {
        /// Plural name of the kind.
        resource: String,
        /// Why the watch ended.
        reason: String,
    },
    /// A command of the daemon starts to run in the background.
    CommandBegan {
        /// The scenario's name for the command.
        name: String,
        /// Arguments, without the program.
        arguments: Vec<String>,
    },
    /// A command of the daemon has ended.
    Command(CommandRun),
    /// A client of the daemon's log passthrough did or received something.
    LogClient(LogClient),
    /// What a client of the log passthrough has received was compared with what the engine has sent.
    LogSent(LogSent),
    /// The engine was asked for the log of a client of the log passthrough that does not read.
    LogTruth(LogTruth),
    /// The result of many short-lived clients of the log passthrough.
    LogCrowd(LogCrowdSeen),
    /// The resources that the daemon uses, measured because of clients of its log passthrough.
    Footprint(Footprint),
    /// The daemon announces these passthrough endpoints.
    Announced {
        /// Names of endpoints in their order, by the name of their controller.
        passthroughs: BTreeMap<String, Vec<String>>,
    },
    /// A process of the world began or ended.
    Process {
        /// Its part in the world, such as `engine`.
        name: String,
        /// Process ID.
        pid: u32,
        /// When it started, in clock ticks since boot. Process ID and start time identify a process.
        started: u64,
        /// What happened to the process.
        state: ProcessState,
    },
    /// Something happened to a process of a VM that the daemon runs, or to a bystander.
    VmProcess(VmProcess),
    /// The files of the VMs that the daemon runs were looked at.
    VmFiles(VmFiles),
    /// The daemon calls `wsl.exe`, which a stand-in plays.
    WslCall(WslCall),
    /// The world is quiet, and the oracles judge its state at this record.
    Checkpoint {
        /// Number of the scenario's `settle` step, from 1.
        number: u32,
        /// Before or after the harness proved that the daemon had its turn.
        stage: Stage,
    },
    /// Something of the world was left when the harness closed it.
    Leak {
        /// What was left, and where.
        text: String,
        /// Who should have removed it.
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
    /// In a part of the scenario in which messages and steps go on one at a time, this one went on next.
    Turn {
        /// The name of the message's gate, or of a step.
        of: String,
    },
    /// A remark of the harness for people.
    Note {
        /// Its text.
        text: String,
    },
    /// The harness begins to end the run: from here on it releases what it held, leaves its clients,
    /// captures and closes the world. What follows from that is nobody's fault.
    Ending,
    /// The last record: the world is closed.
    Ended,
}

impl What {
    /// Whether the machine of the App's VM has ended, and the engine with it.
    pub(crate) fn ends_vm(&self) -> bool {
        matches!(self, Self::VmProcess(process) if process.ends_app_vm())
    }
}

/// Who is to blame for a step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The daemon did not do within the deadline what it promises to do.
    Daemon,
    /// The run did not go as the schedule supposes; that says nothing about the promises of the daemon.
    Schedule,
    /// The machine, the engine or the harness failed.
    World,
}

/// Position of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The state is level, and the harness has caused no further event.
    Level,
    /// The daemon has mirrored the probe volume, so it has handled every earlier event.
    Probed,
}

/// The level of a line in the daemon's log, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Any other line.
    Info,
    /// A warning.
    Warning,
    /// An error.
    Error,
    /// The trace of a panic, or a fatal error.
    Panic,
}

/// Who should have removed something that was left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The harness.
    #[default]
    World,
    /// The daemon: it created the thing, was stopped in order, and has ended.
    Daemon,
}
