//! Clients of the daemon's log passthrough (contract 6), and the engine's copy of the same logs.
//!
//! - `route`: how a client reaches the passthrough: through the API server, or at a manager's own
//!   port;
//! - `request`: one request, and its response: a WebSocket or a refusal;
//! - `client`: one client from its request to its end; `received`: the bytes that it received;
//! - `crowd`: many clients that connect and leave;
//! - `compare`: compares the bytes that a client received with the engine's log.

mod client;
mod compare;
mod crowd;
mod received;
mod request;
mod route;

pub(crate) use client::{Client, ClientOptions};
pub(crate) use compare::compare_with_engine;
pub(crate) use crowd::run_crowd;
pub(crate) use request::PassthroughRequest;
pub(crate) use route::{Route, RouteError};
