//! What users of the engine do, and what happens to the engine's process.

use serde::{Deserialize, Serialize};

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
    #[serde(rename = "engine")]
    Process(EngineOp),
}

impl EngineStep {
    /// Whether a user of the engine does it: it changes objects, and leaves the process alone.
    #[must_use]
    pub fn is_workload(&self) -> bool {
        !matches!(self, Self::Process(_))
    }
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
