//! A VM that is a distribution of WSL, and the stand-in for `wsl.exe` by which the daemon runs it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the stand-in for `wsl.exe` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WslNeeds {
    /// The language of its output.
    pub language: WslLanguage,
    /// The encoding of its output.
    pub encoding: WslEncoding,
}

/// The language of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WslLanguage {
    /// English.
    #[default]
    English,
    /// German, in which the state of a distribution that runs has two words.
    German,
    /// Chinese, of which a word has no ASCII letter.
    Chinese,
}

/// The encoding of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WslEncoding {
    /// UTF-16 in little endian without a byte order mark, as the real program has it.
    #[default]
    Utf16,
    /// The same with a byte order mark.
    Utf16Bom,
    /// UTF-8, as the real program has it with `WSL_UTF8=1`.
    Utf8,
}

/// Decides what a call of `wsl.exe` does, instead of what it would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WslStep {
    /// The next call of this kind.
    pub next: WslCommand,
    /// What it does.
    pub op: WslOp,
}

/// What a call of `wsl.exe` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WslCommand {
    /// Makes a distribution.
    Import,
    /// Prints the distributions.
    List,
    /// Starts a distribution, and lasts as long as it runs.
    Session,
    /// Ends a distribution.
    Terminate,
    /// Removes a distribution.
    Unregister,
    /// Ends all distributions.
    Shutdown,
    /// Prints the default distribution.
    Status,
}

impl fmt::Display for WslCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Import => "import",
            Self::List => "list",
            Self::Session => "session",
            Self::Terminate => "terminate",
            Self::Unregister => "unregister",
            Self::Shutdown => "shutdown",
            Self::Status => "status",
        })
    }
}

/// What a call of `wsl.exe` does instead of what it would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WslOp {
    /// It never ends. Until it is killed, no other call is answered.
    Hangs,
    /// It changes nothing, and ends with an error.
    Fails,
    /// It takes 3 s longer.
    Slow,
}
