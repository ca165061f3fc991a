//! The docker command's configuration, as the harness saw it: names and digests, and no secret.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::process::Exit;

/// How the names of all contexts begin that daemons make (contract 5).
pub const CONTEXT_PREFIX: &str = "rancher-desktop-";

/// The configuration's own file.
pub const CONFIG_FILE: &str = "config.json";

/// Whose context is meant, and how far the daemon may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerUser {
    /// The name of the daemon's context.
    pub context: String,
    /// The daemon's environment names an engine or a context, so that it must leave the current one
    /// alone (contract 5).
    pub overruled: bool,
    /// The scenario is about the configuration. In others, revisions run that keep no context.
    pub about: bool,
}

/// A part of the configuration, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerFile {
    /// `config.json`, `contexts/NAME`, or the name of another file in the directory; `other/` precedes
    /// what is in a directory that the daemon was told not to use.
    pub path: String,
    /// What happened to it.
    pub how: FileChange,
    /// The harness did it, for the user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_user: bool,
    /// What is in it.
    pub holds: DockerContent,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// Nothing: it is so as the run begins.
    Found,
    /// It is new.
    Made,
    /// It was written to, or emptied, while others could read it.
    Written,
    /// Another file has taken its place at once.
    Replaced,
    /// It was a link, and another file has taken the link's place, not that of what it leads to.
    Unlinked,
    /// It is gone.
    Removed,
    /// Something below it, or where it leads to, is different.
    Changed,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DockerContent {
    /// There is no file.
    Nothing,
    /// It cannot be read.
    Unreadable {
        /// Why.
        why: String,
    },
    /// It is no JSON object.
    Malformed {
        /// Where it ceases to be one.
        why: String,
        /// How long it is.
        bytes: u64,
    },
    /// A configuration.
    Config {
        /// `currentContext`.
        current: Option<String>,
        /// All other keys and a digest of each value; of a map of credentials, each entry by itself,
        /// such as `auths/HOST`.
        members: BTreeMap<String, String>,
    },
    /// A context.
    Context {
        /// Where its docker endpoint leads; none, where it has no docker endpoint.
        host: Option<String>,
    },
    /// It is not looked into.
    Other,
    /// It was changed again before it could be read.
    Passed,
}

impl DockerContent {
    /// A file that is there, and that nobody can use.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Malformed { .. })
    }

    /// The current context that a configuration names; empty where it names none.
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

/// A docker command of the user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCommand {
    /// Tells it from others that go on at the same time.
    pub number: u32,
    /// Arguments, without the program.
    pub arguments: Vec<String>,
    /// How it ended; none where it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<UserCommandEnd>,
}

/// How a docker command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCommandEnd {
    /// How it ended.
    pub exit: Exit,
    /// What it said on standard error.
    pub said: String,
}

impl DockerFile {
    /// The name of the context that it is; none where it is another file.
    pub(crate) fn context(&self) -> Option<&str> {
        self.path.strip_prefix("contexts/")
    }
}

impl fmt::Display for DockerFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, how, by_user, holds } = self;
        let who = if *by_user { " by the user" } else { "" };
        let how = format!("{how:?}").to_lowercase();
        write!(f, "{path} {how}{who}: {holds}")
    }
}

impl fmt::Display for DockerContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Unreadable { why } => write!(f, "unreadable, {why}"),
            Self::Malformed { why, bytes } => write!(f, "no JSON in {bytes} bytes, {why}"),
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
