//! Promises that are judged, one a file. Each is a pure function of the history, and all of them
//! judge every run, whatever its scenario is about.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an oracle looks only at the records that its promise is about"
)]

mod conditions;
mod convergence;
mod identity;
mod liveness;

#[cfg(test)]
mod tests;

pub use conditions::truthful_conditions;
pub use convergence::convergence;
pub use identity::identity;
pub use liveness::liveness;

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

/// All oracles, in the order of their names.
pub const ALL: [Oracle; 4] = [convergence, identity, truthful_conditions, liveness];
