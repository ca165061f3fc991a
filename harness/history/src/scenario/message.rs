//! Which messages are meant, and where on their way.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Between whom a wire stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Between the daemon and its engine.
    #[default]
    Engine,
    /// Between clients and the daemon's API.
    Api,
    /// Before the user's own engine.
    User,
    /// Between the daemon and the guest's Kubernetes.
    Kubernetes,
}

impl Side {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    pub(super) fn is_engine(&self) -> bool {
        *self == Self::Engine
    }
}

/// Where on its way a message is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// The engine has not seen the request.
    Request,
    /// The engine has acted, the daemon does not know.
    Response,
    /// One frame of an event stream, and what is behind it.
    Frame,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Frame => "frame",
        })
    }
}

/// Which messages on the wire are meant; what is left out matches all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Route template such as `/images/{id}/json`, without the API version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Parameters of the route; `$NAME` stands for the ID of a container or image of the scenario.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// Query parameters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// JSON pointers into the request's body, and the values there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub body: BTreeMap<String, Value>,
    /// JSON pointers into an event frame, and the values there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub frame: BTreeMap<String, Value>,
    /// The n-th message that matches the rest, from 1; the first, where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// Only in this phase of the daemon's connection to the engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
}

/// Phase of the daemon's connection to the engine, by the streams of events on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// No event stream has been answered yet.
    Bootstrap,
    /// An event stream is open.
    Steady,
    /// The last event stream has ended.
    Reconnect,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bootstrap => "bootstrap",
            Self::Steady => "steady",
            Self::Reconnect => "reconnect",
        })
    }
}

/// Connections that are reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Streams {
    /// Those between daemon and engine that carry an event stream.
    Events,
    /// All between daemon and engine.
    All,
    /// Those between clients and the daemon's API that carry a watch. The step is done when each command
    /// has ended, or a client has asked for something anew.
    Watches,
    /// All between the daemon and the guest's Kubernetes.
    Kubernetes,
}
