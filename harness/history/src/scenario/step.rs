//! What a scenario does.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::api::{Action, MirrorRef, UserObject, UserPatch, WriteMatch};
use super::docker::{DiskOp, DockerFileStep, DockerStep, EndpointOp, Moment};
use super::fault::{Fault, FaultName};
use super::level::Await;
use super::logs::{ClientName, LeaveLog, LogCrowd, OpenLog};
use super::message::{GateName, Hold, HoldWrite, Match, Streams};

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
    /// Creates a container, which sleeps once it is started, unless it is told to print.
    CreateContainer {
        /// Its name.
        name: String,
        /// Alias of a loaded image.
        image: String,
        /// Start it too.
        #[serde(default)]
        start: bool,
        /// Volumes that it uses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        volumes: Vec<String>,
        /// What it prints, where it shall not only sleep.
        #[serde(default, skip_serializing_if = "Prints::is_nothing")]
        prints: Prints,
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
    /// Prepares commands in a running container, and runs none: the engine tells of each, and nothing
    /// else changes. Those are the cheapest events that there are.
    PrepareExecs {
        /// The container's name.
        container: String,
        /// How many.
        count: u32,
    },
    /// Creates a volume.
    CreateVolume {
        /// Its name.
        name: String,
    },
    /// Creates many volumes, called after their prefix and number.
    CreateVolumes {
        /// What their names begin with.
        prefix: String,
        /// How many.
        count: u32,
    },
    /// Removes what `create_volumes` made.
    RemoveVolumes {
        /// What their names begin with.
        prefix: String,
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
    /// Waits until a command in the background has ended.
    Returned(Returned),
    /// Sends SIGINT to a command in the background.
    Interrupt(CommandName),
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
    /// Does something to the daemon's process.
    Daemon(DaemonOp),
    /// Lets the VM wait with what it was told to do, or go on; in VM mode `api` only.
    Vm(VmOp),
    /// Does a step to the neighbour: the second daemon of the scenario's needs.
    Neighbour(Box<Step>),
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
    /// Resets connections.
    Cut(Streams),
    /// Arms a gate that stops one write to the daemon's API.
    HoldWrite(HoldWrite),
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
    /// Runs the docker command as the user would.
    Docker(DockerStep),
    /// The user's own engine is at this place from here on.
    Endpoint(EndpointOp),
    /// A part of the docker command's configuration is put into a state.
    DockerFile(DockerFileStep),
    /// The file system of the docker command's configuration is put into a state.
    DockerDisk(DiskOp),
    /// Kills the daemon when it comes to this moment.
    KillAt(Moment),
    /// Waits until it was killed there.
    Killed,
    /// Freezes the daemon when it comes to this moment.
    FreezeAt(Moment),
    /// Waits until it was frozen there; `daemon: thaw` lets it go on.
    Frozen,
    /// Opens a client of the daemon's log passthrough.
    OpenLog(OpenLog),
    /// Lets a client of the log passthrough read that was told not to.
    ReadLog(ClientName),
    /// Lets a client of the log passthrough leave.
    LeaveLog(LeaveLog),
    /// Lets many clients of the log passthrough come and go.
    LogCrowd(LogCrowd),
    /// Compares what a client has got of a log with what the engine has of it. `settle` does so too,
    /// but a container that is removed has no log any more.
    CompareLog(ClientName),
    /// Reads which passthrough endpoints the daemon announces.
    ReadDiscovery,
    /// Waits for a level.
    Await(Await),
    /// Waits until the world is quiet and proves it; the oracles judge what is there then.
    Settle,
}

/// What a container runs: the words of the images' own program, which documents them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prints {
    /// Its command, such as `[lines, "3", --stay]`; it sleeps, where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// It has a terminal.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tty: bool,
    /// The engine's driver for its log; `json-file` replaces what is not UTF-8, and `local` does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_driver: Option<String>,
}

impl Prints {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
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
    /// Seconds that the command may wait; the run's own limit for a step, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
    /// The exit code that the daemon promises here (contract 1.2).
    #[serde(default)]
    pub exit: Codes,
    /// Goes on with the next step while the command waits; `returned` awaits its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<CommandName>,
}

/// Name of a command in the background, unique within its scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandName(pub String);

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Waits for the end of a command in the background.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// Which command.
    pub command: CommandName,
    /// The exit code that the daemon promises here.
    #[serde(default)]
    pub exit: Codes,
}

/// Exit codes or HTTP statuses that are right: one, or any of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Codes {
    /// This one.
    One(i32),
    /// Any of these.
    Any(Vec<i32>),
}

impl Default for Codes {
    fn default() -> Self {
        Self::One(0)
    }
}

impl Codes {
    /// Whether it may be this one.
    #[must_use]
    pub fn allow(&self, code: i32) -> bool {
        match self {
            Self::One(one) => *one == code,
            Self::Any(several) => several.contains(&code),
        }
    }
}

impl fmt::Display for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => write!(f, "{one}"),
            Self::Any(several) => {
                let several: Vec<_> = several.iter().map(ToString::to_string).collect();
                f.write_str(&several.join(" or "))
            }
        }
    }
}

/// What the VM does with what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmOp {
    /// It stays as it is.
    Wait,
    /// It does what it was told meanwhile, and from here on at once.
    Go,
}

/// What is done to the daemon's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DaemonOp {
    /// SIGKILL, and its end awaited.
    Kill,
    /// `svc stop`, and its end awaited.
    Stop,
    /// `svc start` after `kill` or `stop`; the App has kept what it wants.
    Start,
    /// SIGSTOP.
    Freeze,
    /// SIGCONT.
    Thaw,
}
