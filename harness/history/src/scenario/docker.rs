//! What a user of the docker command does and has, and what goes wrong with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::{Codes, CommandName};

/// Stands in arguments and contents for the address of the user's own engine.
pub const ENDPOINT: &str = "{endpoint}";

/// Stands in arguments for the registry that the harness runs.
pub const REGISTRY: &str = "{registry}";

/// Stands in arguments for the digest of the manifest that was last pushed to that registry.
pub const DIGEST: &str = "{digest}";

/// Stands for the name of the daemon's own context.
pub const OURS: &str = "$ours";

/// A step of a user of the docker command, or an accident that happens to the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DockerStep {
    /// Runs the docker command as the user would.
    #[serde(rename = "docker")]
    Run(DockerCommand),
    /// The user's own engine is at this place from here on.
    Endpoint(EndpointOp),
    /// A part of the docker command's configuration is put into a state.
    #[serde(rename = "docker_file")]
    File(DockerFileStep),
    /// The file system of the docker command's configuration is put into a state.
    #[serde(rename = "docker_disk")]
    Disk(DiskOp),
    /// Kills the daemon when it comes to this moment.
    KillAt(Moment),
    /// Waits until it was killed there.
    Killed,
    /// Freezes the daemon when it comes to this moment.
    FreezeAt(Moment),
    /// Waits until it was frozen there; `daemon: thaw` lets it go on.
    Frozen,
}

/// How the user of the docker command has it. Where a scenario does not say it, the daemon is told by
/// `DOCKER_HOST` to leave the current context alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DockerNeeds {
    /// `DOCKER_CONFIG` names another directory than the one below HOME.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// The configuration is in a file system of its own, with little room.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disk: bool,
    /// Further variables of the docker command in the daemon's environment.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<DockerVariable, String>,
}

/// A variable that overrules the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DockerVariable {
    /// Names an engine.
    DockerHost,
    /// Names a context.
    DockerContext,
}

impl DockerVariable {
    /// Its name in an environment.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DockerHost => "DOCKER_HOST",
            Self::DockerContext => "DOCKER_CONTEXT",
        }
    }
}

/// Runs the docker command as the user would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DockerCommand {
    /// Arguments; [`ENDPOINT`], [`REGISTRY`] and [`DIGEST`] are replaced in them.
    pub arguments: Vec<String>,
    /// What it reads. It is recorded nowhere but in the scenario, and may stand for a secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub input: String,
    /// How many times, one after the other; `{n}` in the arguments is the number.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
    /// What it may exit with each time.
    #[serde(default)]
    pub exit: Codes,
    /// Goes on with the next step meanwhile; `returned` awaits its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<CommandName>,
    /// Name for the container or image that it makes, by which later steps know it. The command
    /// prints its ID or name in the last line, as `create`, `run --detach`, `commit`, `build --quiet`
    /// and `pull --quiet` do.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_once(times: &u32) -> bool {
    *times == 1
}

/// Where the user's own engine is: the world's, behind a wire of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointOp {
    /// At a unix socket.
    Unix,
    /// At a port of the loopback interface.
    Tcp,
    /// At the place where the context `default` leads.
    Default,
    /// Nowhere any more.
    Gone,
}

/// Puts a part of the configuration into a state, as the user or an accident would: first the
/// content, then owner and mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DockerFileStep {
    /// Which part: the file of this context, [`OURS`] for the daemon's; the configuration's own file,
    /// where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The directory of all contexts instead, which can only become a link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contexts: bool,
    /// Into which state; as it is, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put: Option<FileOp>,
    /// Permissions in octal digits, such as `"0600"`; of what a link leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// User ID of the owner; of what a link leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<u32>,
}

impl DockerFileStep {
    /// The permissions as a number; nothing if they are no octal digits of at most `7777`.
    #[must_use]
    pub fn mode_bits(&self) -> Option<u32> {
        let mode = self.mode.as_deref()?;
        let octal = mode.bytes().all(|digit| digit.is_ascii_digit());
        u32::from_str_radix(mode, 8).ok().filter(|bits| octal && *bits <= 0o7777)
    }
}

/// A state of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileOp {
    /// With this text in it; [`ENDPOINT`] is replaced in it.
    Text(String),
    /// A directory is in its place, so that nobody can read it.
    Directory,
    /// A symbolic link to a file elsewhere, with the same content.
    Link,
    /// A symbolic link as [`Self::Link`], whose path begins at the directory that it is in.
    RelativeLink,
    /// A symbolic link to a file that is not there.
    DanglingLink,
    /// A symbolic link to itself, which nobody can follow.
    LoopingLink,
    /// A second name of a file elsewhere, which stays what it is.
    HardLink,
    /// With a key more, of so many KiB.
    Padded(u32),
    /// Not there.
    Gone,
}

/// A state of the file system that the configuration is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskOp {
    /// Without any room.
    Full,
    /// Nothing can be written.
    ReadOnly,
    /// As it was.
    Normal,
}

/// A moment of the daemon's own, at which it is killed or frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// It has begun to write the configuration: a file was made beside it, or it was emptied.
    ConfigWrite,
}
