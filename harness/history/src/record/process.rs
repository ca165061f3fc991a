//! Processes of the world, and commands of the daemon.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The parts of the world that belong to the daemon under test: its service, and its controllers if they
/// run as a stand-alone program.
pub const DAEMON_PARTS: [&str; 2] = ["daemon", "controllers"];

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// The harness killed it because it still ran at its time limit.
    TimedOut,
    /// The harness does not know how it ended, for this reason.
    Unknown(String),
}

impl Exit {
    /// The exit code, if it exited.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(*code),
            Self::Signal(_) | Self::TimedOut | Self::Unknown(_) => None,
        }
    }

    /// The exit as a predicate, such as `exited 3` or `ended: signal 9 (SIGKILL)`.
    #[must_use]
    pub fn predicate(&self) -> String {
        match self {
            Self::Code(code) => format!("exited {code}"),
            Self::Signal(_) | Self::TimedOut | Self::Unknown(_) => format!("ended: {self}"),
        }
    }

    /// Whether it exited with code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        *self == Self::Code(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
            Self::TimedOut => f.write_str("it still ran at its limit, and was killed"),
            Self::Unknown(why) => f.write_str(why),
        }
    }
}

/// The name of a signal that ends processes in practice. These numbers are the same on all platforms.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

/// The exit code of a command of the daemon that has waited for as long as it was told (contract 1.2).
pub const TIMED_OUT: i32 = 4;

/// A command of the daemon that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRun {
    /// Arguments, without the program.
    pub arguments: Vec<String>,
    /// How it ended.
    pub exit: Exit,
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

/// What happened to a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessState {
    /// It was started.
    Started,
    /// The harness ended it, and it has ended.
    Stopped,
    /// It ended by itself.
    Died {
        /// How.
        exit: Exit,
    },
}
