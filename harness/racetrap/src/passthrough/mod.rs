//! Clients of the daemon's log passthrough (contract 6), and what the engine has for them.
//!
//! - `way`: how a client comes to it, through the API server or at the manager's own port;
//! - `asking`: one request, and its answer: a WebSocket or a refusal;
//! - `client`: one WebSocket, from its opening to its end; `got`: what has come;
//! - `crowd`: many that come and go;
//! - `compare`: the same log, asked past the wire.

mod asking;
mod client;
mod compare;
mod crowd;
mod got;
mod way;

pub(crate) use asking::Asking;
pub(crate) use client::{Client, Wanted};
pub(crate) use compare::compare;
pub(crate) use crowd::crowd;
pub(crate) use way::{Way, WayError};
