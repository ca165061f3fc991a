//! What an oracle returns, and the list of all oracles.

use super::{
    bounded_work, convergence, counts, docker_config_integrity, hygiene, identity, liveness,
    log_fidelity, no_lost_update, quiet_logs, truthful_conditions,
};
use crate::record::Record;
use crate::scenario::OracleName;
use crate::verdict::Violation;

/// What one oracle found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// Broken promises.
    pub violations: Vec<Violation>,
    /// Reasons why the history neither shows that a promise was kept nor that it was broken.
    pub unknowns: Vec<String>,
}

impl Finding {
    /// Adds a violation, which the record with the number `seq` shows.
    pub(super) fn violated(&mut self, oracle: OracleName, seq: u64, text: impl Into<String>) {
        self.violations.push(Violation { oracle, seq, text: text.into() });
    }
}

/// An oracle: judges some promises over a complete history of one daemon.
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
