//! Promises that are judged, one a file. Each is a pure function of the history, and all of them
//! judge every run, whatever its scenario is about.
//!
//! Each file says where its promises come from. What they share: `seen`, the API's objects in a
//! record; `excuse`, what the wire did to the daemon; `message`, log lines without their names.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an oracle looks only at the records that its promise is about"
)]

mod bounded_work;
mod conditions;
mod convergence;
mod counts;
mod docker_config;
mod excuse;
mod hygiene;
mod identity;
mod liveness;
mod log_fidelity;
mod message;
mod no_lost_update;
mod promises;
mod quiet_logs;
mod seen;

#[cfg(test)]
mod tests;

pub use bounded_work::bounded_work;
pub use conditions::truthful_conditions;
pub use convergence::convergence;
pub use counts::counts;
pub use docker_config::docker_config_integrity;
pub use hygiene::hygiene;
pub use identity::identity;
pub use liveness::liveness;
pub use log_fidelity::log_fidelity;
pub use no_lost_update::no_lost_update;
pub use promises::promises;
pub use quiet_logs::quiet_logs;

use crate::{OracleName, Record, Violation};

/// What one oracle found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// Broken promises.
    pub violations: Vec<Violation>,
    /// What the history does not show well enough to say either way.
    pub unknowns: Vec<String>,
}

impl Finding {
    fn violated(&mut self, oracle: OracleName, seq: u64, text: impl Into<String>) {
        self.violations.push(Violation { oracle, seq, text: text.into() });
    }
}

/// An oracle.
pub type Oracle = fn(&[Record]) -> Finding;

/// All oracles, in the order of [`OracleName`].
pub const ALL: [Oracle; 11] = [
    convergence,
    identity,
    truthful_conditions,
    no_lost_update,
    bounded_work,
    counts,
    hygiene,
    docker_config_integrity,
    log_fidelity,
    quiet_logs,
    liveness,
];
