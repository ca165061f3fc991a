//! Clients of the daemon's log passthrough (contract 6), and the engine's copy of the same logs.
//!
//! - `route`: how a client reaches the passthrough: through the API server, or at a manager's own
//!   port;
//! - `request`: one request, and its response: a WebSocket or a refusal;
//! - `client`: one client from its request to its end; `received`: the bytes that it received;
//! - `crowd`: many clients that connect and leave;
//! - `demux`: the content of the engine's log streams, without the headers of its frames;
//! - `sent`: what the engine has sent of each log over the wire;
//! - `engine_log`: how long a log is in the engine, past the wire.

mod client;
mod crowd;
mod demux;
mod engine_log;
mod received;
mod request;
mod route;
mod sent;

pub(crate) use client::{Client, ClientOptions};
pub(crate) use crowd::run_crowd;
pub(crate) use engine_log::compare_with_engine;
pub(crate) use request::PassthroughRequest;
pub(crate) use route::{Route, RouteError};
pub(crate) use sent::{SentLogs, compare_with_wire};
