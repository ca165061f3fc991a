//! The harness's admission webhook, which holds or denies single writes in the daemon's API server.
//!
//! Before the API server stores a write of a mirror or of the App, it asks an HTTPS server of the
//! harness, also about writes of the daemon's own controllers. So the harness can stop a write at
//! the instant at which its writer has decided on it and no other client can see it.
//!
//! - `webhook`: starts the server, and registers it with the daemon's API;
//! - `server`: receives reviews and answers them;
//! - `write`: one write, as its review describes it;
//! - `rule`: which writes a rule matches, and what it does to them;
//! - `reviewer`: decides on writes by the rules, and holds those that a gate stops;
//! - `gate`: the handles that keep a rule armed; `each`: holds every write of the daemon.

mod each;
mod gate;
mod reviewer;
mod rule;
mod server;
mod webhook;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use each::{HoldEachWrite, StoppedWrite};
pub(crate) use gate::{DenyGuard, WriteGate};
pub(crate) use webhook::{Admission, AdmissionError};
