//! Processes of the world, and commands that were run in it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The parts in the world that are the daemon under test: its service, and its controllers where they
/// are a program of their own.
pub const DAEMON_PARTS: [&str; 2] = ["daemon", "controllers"];

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// The harness killed it, because it still ran at its limit.
    TimedOut,
    /// Nobody can say how; this is why.
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

    /// The same as the end of a sentence: `exited 3`, or `ended: signal 9 (SIGKILL)`.
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

/// Names of signals that end processes in practice; their numbers are the same on all platforms.
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

/// A command of the daemon's that was run to its end.
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

/// What became of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessState {
    /// It was started.
    Started,
    /// The harness ended it, and it is gone.
    Stopped,
    /// It ended by itself.
    Died {
        /// How.
        exit: Exit,
    },
}
