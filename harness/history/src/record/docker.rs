//! The docker command's configuration: names and digests, without any secret.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::process::Exit;

/// The prefix of the names of all contexts that daemons create (contract 5).
pub const CONTEXT_PREFIX: &str = "rancher-desktop-";

/// The configuration's main file.
pub const CONFIG_FILE: &str = "config.json";

/// The directory of all contexts.
pub const CONTEXTS_DIRECTORY: &str = "contexts";

/// The daemon's context, and whether the daemon may make it the current one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerUser {
    /// The name of the daemon's context.
    pub context: String,
    /// The daemon's environment names an engine or a context, so the daemon must not change the current
    /// context (contract 5).
    pub overruled: bool,
    /// The scenario is about the configuration. Other scenarios also run on revisions that have no
    /// context, so there its absence is not a violation.
    pub about: bool,
}

/// The state of one part of the configuration after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerFile {
    /// `config.json`, `contexts/NAME`, `contexts` for the directory of all contexts, or the name of another
    /// file in the directory. `other/` precedes the path of a file in a directory that the daemon must not
    /// use.
    pub path: String,
    /// What happened to the file.
    pub how: FileChange,
    /// The harness made the change, as the user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_user: bool,
    /// The content of the file.
    pub holds: DockerContent,
    /// Whose the file is and where it leads, if the harness could see that. Journals of older versions do
    /// not have it, and it is not recorded of files that only the daemon uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<FileAttributes>,
}

/// Whose a file is, and where it leads. If it is a link, mode and owner are those of what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAttributes {
    /// Permissions, such as `0600` in octal.
    pub mode: u32,
    /// User ID of the owner.
    pub owner: u32,
    /// Group ID of the owner.
    pub group: u32,
    /// Where it leads, if it is a symbolic link: the text of the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// It leads into another file system than that of the configuration's directory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_file_system: bool,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// Nothing: this is its state at the start of the run.
    Found,
    /// It was created.
    Made,
    /// It was written or truncated in place, so another program could read a part of it.
    Written,
    /// Another file replaced it atomically.
    Replaced,
    /// It was a link, and a file replaced the link itself instead of the link's target.
    Unlinked,
    /// It was removed.
    Removed,
    /// A file below it, or the target of its link, has changed.
    Changed,
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DockerContent {
    /// The file does not exist.
    Nothing,
    /// The file cannot be read.
    Unreadable {
        /// The reason.
        why: String,
    },
    /// The file is not a JSON object.
    Malformed {
        /// The place of the first error.
        why: String,
        /// Length of the file in bytes.
        bytes: u64,
    },
    /// A configuration.
    Config {
        /// `currentContext`.
        current: Option<String>,
        /// All other keys, with a digest of each value. Maps of credentials have one key for each entry,
        /// such as `auths/HOST`.
        members: BTreeMap<String, String>,
    },
    /// A context.
    Context {
        /// Address of its docker endpoint, if it has one.
        host: Option<String>,
    },
    /// Another file, which the harness does not read.
    Other,
    /// The file changed again before the harness could read it.
    Passed,
}

impl DockerContent {
    /// Whether the file exists and cannot be used.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Malformed { .. })
    }

    /// The current context that a configuration names; empty if it names none.
    #[must_use]
    pub fn current(&self) -> &str {
        match self {
            Self::Config { current: Some(current), .. } => current,
            Self::Config { current: None, .. }
            | Self::Nothing
            | Self::Unreadable { .. }
            | Self::Malformed { .. }
            | Self::Context { .. }
            | Self::Other
            | Self::Passed => "",
        }
    }
}

/// The start or the end of a docker command of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCommand {
    /// Distinguishes commands that run at the same time.
    pub number: u32,
    /// Arguments, without the program.
    pub arguments: Vec<String>,
    /// How the command ended; `None` in the record of its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<UserCommandEnd>,
}

/// How a docker command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCommandEnd {
    /// How its process ended.
    pub exit: Exit,
    /// Its standard error.
    pub said: String,
}

impl DockerFile {
    /// The name of the context, if the file is a context.
    pub(crate) fn context(&self) -> Option<&str> {
        self.path.strip_prefix("contexts/")
    }
}

impl fmt::Display for DockerFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, how, by_user, holds, attributes } = self;
        let who = if *by_user { " by the user" } else { "" };
        let how = format!("{how:?}").to_lowercase();
        write!(f, "{path} {how}{who}: {holds}")?;
        attributes.iter().try_for_each(|attributes| write!(f, " ({attributes})"))
    }
}

impl fmt::Display for FileAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mode, owner, group, link, other_file_system } = self;
        write!(f, "mode {mode:04o}, owner {owner}:{group}")?;
        if let Some(link) = link {
            write!(f, ", a link to {link}")?;
        }
        if *other_file_system { f.write_str(" in another file system") } else { Ok(()) }
    }
}

impl fmt::Display for DockerContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Unreadable { why } => write!(f, "unreadable, {why}"),
            Self::Malformed { why, bytes } => write!(f, "invalid JSON in {bytes} bytes, {why}"),
            Self::Config { current, members } => {
                let keys: Vec<_> = members.keys().map(String::as_str).collect();
                let current = current.as_deref().unwrap_or("none");
                write!(f, "current {current}; {}", keys.join(", "))
            }
            Self::Context { host: Some(host) } => f.write_str(host),
            Self::Context { host: None } => f.write_str("no docker endpoint"),
            Self::Other => f.write_str("another file"),
            Self::Passed => f.write_str("changed again before it was read"),
        }
    }
}

impl fmt::Display for UserCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`docker {}`", self.arguments.join(" "))?;
        match &self.end {
            None => Ok(()),
            Some(UserCommandEnd { exit, .. }) => write!(f, " {}", exit.predicate()),
        }
    }
}
