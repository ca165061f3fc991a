//! The harness's own admission: holds or denies single writes inside the daemon's API server.
//!
//! The API server asks an HTTPS server of the harness about each write of a mirror or of the App
//! before it stores it, also about those of the daemon's own controllers. So a write can be stopped
//! at the instant at which the writer has made up its mind, and nobody else knows.
//!
//! - `webhook`: starts the server, and puts it in force in the daemon's API;
//! - `server`: reviews in, answers out;
//! - `write`: one write, as its review tells of it;
//! - `rule`: which writes are meant, and what becomes of them;
//! - `gate`: the handles by which a rule is kept, and the writes that stand at a gate.

mod gate;
mod rule;
mod server;
mod webhook;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use gate::{DenyGuard, WriteGate};
pub(crate) use webhook::{Admission, AdmissionError};
