//! What clients of the daemon's log passthrough do (contract 6).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::command::Codes;

/// A step of clients of the daemon's log passthrough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LogStep {
    /// Opens a client of the daemon's log passthrough.
    #[serde(rename = "open_log")]
    Open(OpenLog),
    /// Lets a client of the log passthrough read that was told not to.
    #[serde(rename = "read_log")]
    Read(ClientName),
    /// Lets a client of the log passthrough leave.
    #[serde(rename = "leave_log")]
    Leave(LeaveLog),
    /// Lets many clients of the log passthrough come and go.
    #[serde(rename = "log_crowd")]
    Crowd(LogCrowd),
    /// Compares what a client has got of a log with what the engine has of it. `settle` does so too,
    /// but a container that is removed has no log any more.
    #[serde(rename = "compare_log")]
    Compare(ClientName),
    /// Reads which passthrough endpoints the daemon announces.
    ReadDiscovery,
}

/// Name of a client, unique within its scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientName(pub String);

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// By which way a client comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The daemon's API server, with TLS and a token.
    #[default]
    Api,
    /// The port of the controllers' own manager, which the discovery ConfigMap names.
    Inner,
}

impl Door {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    fn is_api(&self) -> bool {
        *self == Self::Api
    }
}

/// What is asked of the passthrough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogRequest {
    /// Whose log: the container's name in the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Controller, endpoint and what is behind them, where it is not the log of a container of the
    /// scenario; `$NAME` in it stands for the ID of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Query parameters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// By which way.
    #[serde(skip_serializing_if = "Door::is_api")]
    pub door: Door,
}

/// A client that asks for a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenLog {
    /// How it is called.
    pub client: ClientName,
    /// What it asks for.
    pub log: LogRequest,
    /// The HTTP status that the daemon promises here (contract 6.1).
    #[serde(default = "switching_protocols")]
    pub status: Codes,
    /// Sends the token of the daemon's kubeconfig.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub token: bool,
    /// Asks for a WebSocket; without, it sends a plain request.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub upgrade: bool,
    /// Reads what it is sent. One that does not, until `read_log` tells it to, answers no ping either.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub reads: bool,
    /// Goes on with the next step at once; `await: {log_answer: NAME}` waits for its answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub background: bool,
    /// Header fields that it sends beside, or instead of, those of its library.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

fn switching_protocols() -> Codes {
    Codes::One(101)
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

/// What a client does to its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveHow {
    /// Sends a close frame, and waits for the answer.
    Close,
    /// Ends the connection without a word.
    Drop,
    /// Says that it has no more to say, by the end of its half of the connection, and reads on.
    HalfClose,
    /// Sends a message that is longer than the daemon takes (contract 6.1: 4096 bytes).
    Oversize,
}

/// A client leaves, or is made to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveLog {
    /// Which client.
    pub client: ClientName,
    /// How.
    pub how: LeaveHow,
}

/// Many clients that ask for the same log and leave as soon as they are let in, with and without a
/// close frame in turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogCrowd {
    /// How many, all together.
    pub clients: u32,
    /// How many at a time.
    pub at_once: u32,
    /// What each asks for.
    pub log: LogRequest,
    /// The HTTP status that the daemon promises each of them.
    #[serde(default = "switching_protocols")]
    pub status: Codes,
}
