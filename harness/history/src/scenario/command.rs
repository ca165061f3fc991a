//! The daemon's command line: commands in the foreground and in the background, and how they end.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A step that runs a command of the daemon, or waits for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CommandStep {
    /// Asks the daemon to start or stop, through its command line.
    App(AppStep),
    /// Sets properties of the App through the daemon's command line.
    Set(SetStep),
    /// Runs any other command of the daemon that leaves its process alone, and waits for its end.
    RunCommand(RunCommand),
    /// Waits until a command in the background has ended.
    Returned(Returned),
    /// Sends SIGINT to a command in the background.
    Interrupt(CommandName),
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

/// A command of the daemon, by its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunCommand {
    /// What follows the name of the program.
    pub arguments: Vec<String>,
    /// The exit code that the daemon promises here (contract 1.2).
    #[serde(default)]
    pub exit: Codes,
    /// Texts that the daemon promises here, each on standard output or standard error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prints: Vec<String>,
    /// The editor that the command opens, as a command line to which the name of a file is added; without
    /// one, the command finds no editor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub editor: Option<String>,
}

impl RunCommand {
    /// The arguments that are no options. The first is the name of the command.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with('-'))
    }

    /// Whether the command starts, stops or deletes the service, which the harness does by other steps.
    #[must_use]
    pub(crate) fn is_about_service(&self) -> bool {
        let words: Vec<_> = self.words().take(2).collect();
        matches!(
            words.as_slice(),
            ["svc" | "service", "create" | "start" | "serve" | "stop" | "delete"]
        )
    }
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
