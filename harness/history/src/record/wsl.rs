//! Calls of `wsl.exe`, and the distributions of WSL.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::record::Exit;
use crate::scenario::WslCommand;

/// A call of `wsl.exe` began or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WslCall {
    /// Process ID.
    pub pid: u32,
    /// Number of the call among those of the run, from 0.
    pub number: u64,
    /// What the call is for.
    pub command: WslCommand,
    /// The distribution that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<String>,
    /// Whether that distribution ran when the call began.
    pub running: bool,
    /// What happened.
    pub change: WslChange,
}

/// What happened to a call of `wsl.exe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WslChange {
    /// It began.
    Began,
    /// It ended.
    Ended(Exit),
    /// Its process is gone, and had not answered.
    Killed,
}

impl fmt::Display for WslCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, command, distribution, running, change, .. } = self;
        write!(f, "wsl.exe {pid}: {command}")?;
        if let Some(name) = distribution {
            write!(f, " {name}{}", if *running { ", which runs" } else { "" })?;
        }
        match change {
            WslChange::Began => Ok(()),
            WslChange::Ended(exit) => write!(f, " {}", exit.predicate()),
            WslChange::Killed => f.write_str(" was killed"),
        }
    }
}

/// A distribution of WSL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WslDistribution {
    /// Its name, such as `lima-rd`.
    pub name: String,
    /// Whether it runs.
    pub running: bool,
}

impl fmt::Display for WslDistribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, if self.running { "runs" } else { "does not run" })
    }
}
