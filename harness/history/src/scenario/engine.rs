//! What users of the engine do, and what happens to the engine's process.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::Codes;
use super::container::NewContainer;
use super::image_platform::ImagePlatform;

/// The names of volumes that the harness creates to probe the daemon begin with this; scenarios must
/// not use such names.
pub const PROBE_VOLUME_PREFIX: &str = "racetrap-probe-";

/// A step of a user of the engine, or one that is done to the engine's process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EngineStep {
    /// Loads a tiny image under an alias, with any number of tags (none: it is dangling).
    LoadImage {
        /// The alias, also what makes this image's ID differ from others'.
        image: String,
        /// Tags such as `base:1`.
        #[serde(default)]
        tags: Vec<String>,
        /// Further labels.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        labels: BTreeMap<String, String>,
        /// The platforms that it is for; without any, Linux on the engine's processor.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        platforms: Vec<ImagePlatform>,
    },
    /// Builds an image from another one by the engine's API.
    #[serde(rename = "build")]
    Build(BuildImage),
    /// Makes an image of a container.
    Commit {
        /// The container's name.
        container: String,
        /// Alias of the new image.
        image: String,
        /// Its tag; without one, it is dangling.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
    },
    /// Removes everything of a kind that nothing uses.
    Prune(Prune),
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
    /// Creates a container.
    CreateContainer(Box<NewContainer>),
    /// Changes the state of a container.
    Container {
        /// Its name.
        name: String,
        /// What is done to it.
        op: ContainerOp,
    },
    /// Gives a container another name, by which later steps know it.
    Rename {
        /// Its name.
        name: String,
        /// The new one.
        to: String,
    },
    /// Runs a command in a running container.
    Exec(Exec),
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
    CreateVolume(NewVolume),
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
    #[serde(rename = "engine")]
    Process(EngineOp),
    /// Does something to the virtual machine that runs the engine.
    Guest(GuestOp),
}

impl EngineStep {
    /// Whether a user of the engine does it: it changes objects, and leaves processes alone.
    #[must_use]
    pub fn is_workload(&self) -> bool {
        !matches!(self, Self::Process(_) | Self::Guest(_))
    }
}

/// An image that is built from another one. A label makes it differ from that one, and carries its
/// alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildImage {
    /// Alias of the new image.
    pub image: String,
    /// Alias of the image that it is built from.
    pub from: String,
    /// Its tag; without one, it is dangling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Further labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A command that is run in a running container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The container's name.
    pub container: String,
    /// Program and arguments, such as `[/probe, lines, "3"]`.
    pub command: Vec<String>,
    /// What it may exit with.
    #[serde(default)]
    pub exit: Codes,
    /// Goes on with the next step as soon as the command runs, and never looks at how it ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detach: bool,
}

/// A new volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewVolume {
    /// Its name.
    pub name: String,
    /// Its driver; the engine's own, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Options of the driver, such as `type: tmpfs`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The engine must refuse it, with this in its message. If its disk has failed, the engine may have the
    /// volume nevertheless, so no later step can name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What is pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prune {
    /// Containers that do not run.
    Containers,
    /// Images without a tag that no container uses.
    Images,
    /// Volumes that no container uses, also those with a name.
    Volumes,
    /// Containers that do not run, and then all images and volumes that no container uses.
    All,
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

/// What is done to the virtual machine that runs the engine. Only engines `vm:…` have one. In VM mode
/// `guest`, the daemon boots the machine and forwards its socket, so what is undone here is left to the
/// daemon: the step only waits until it has done it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestOp {
    /// Ends the machine in an instant, as a power cut does. What was not written to its disk is lost.
    PowerCut,
    /// Boots it again from its disk, and waits until its engine answers.
    PowerOn,
    /// Presses its reset button, and waits until its engine answers the harness. Open connections get
    /// no end.
    Reset,
    /// Stops its processors. Its clock stops with them.
    Pause,
    /// Lets its processors go on.
    Resume,
    /// Unplugs the network by which the daemon reaches it.
    NicDown,
    /// Plugs that network in again.
    NicUp,
    /// SIGKILL to the `ssh` that forwards the engine's socket. The socket's file stays.
    KillForward,
    /// Forwards the engine's socket by another `ssh`, and waits until the engine answers on it.
    Forward,
    /// SIGKILL to the hostagent, by which the daemon runs the machine. Only in VM mode `guest`. The machine
    /// runs on, until the daemon ends it and boots another one.
    KillHostagent,
    /// Lets its kernel panic. The kernel resets the machine a second later; the step waits, as for
    /// `reset`, until the engine answers the harness. What was not written to the disk is lost, and open
    /// connections get no end.
    Panic,
    /// Sets its clock forward or back. Its engine goes on, and nothing tells it.
    Clock(ClockJump),
    /// Changes what its disk does.
    Disk(GuestDisk),
    /// Changes how much memory its programs find.
    Memory(GuestMemory),
}

impl GuestOp {
    /// Whether only a machine that the harness starts can do it. In VM mode `guest`, the daemon's Lima starts
    /// the machine, chooses its disk and has its console, and Lima's agent in the guest sets a wrong clock
    /// right.
    #[must_use]
    pub fn needs_own_machine(self) -> bool {
        matches!(self, Self::Panic | Self::Clock(_) | Self::Disk(_))
    }

    /// Whether the machine boots, and its clock is set from that of the host.
    #[must_use]
    pub fn boots(self) -> bool {
        matches!(self, Self::PowerOn | Self::Reset | Self::Panic)
    }
}

/// How far a guest's clock jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockJump {
    /// Forward, in seconds.
    AheadS(u32),
    /// Back, in seconds.
    BehindS(u32),
}

impl ClockJump {
    /// How many seconds are added to the clock.
    #[must_use]
    pub fn seconds(self) -> i64 {
        match self {
            Self::AheadS(seconds) => seconds.into(),
            Self::BehindS(seconds) => -i64::from(seconds),
        }
    }
}

/// What the disk of a guest does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestDisk {
    /// Fails each write with an input/output error. The guest's file system may be read-only from then
    /// on, until the guest boots.
    Failing,
    /// The file of the disk cannot grow, because the host's file system is full: QEMU holds the machine
    /// at its first write, until there is room again.
    Full,
    /// Carries out no more than 50 reads and writes a second.
    Slow,
    /// Works.
    Normal,
}

/// How much memory the programs of a guest find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestMemory {
    /// No more than 64 MiB are left. There is no swap.
    Scarce,
    /// All that is there.
    Normal,
}
