//! What a run proved.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::scenario::OracleName;

/// What a run proved; `max` over several is the verdict of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every oracle saw all that it needed, and found nothing.
    Pass,
    /// The run shows nothing: engine gone, schedule not carried out, journal torn.
    Unknown,
    /// At least one promise was broken.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        })
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Which promise.
    pub oracle: OracleName,
    /// The record at which it became true.
    pub seq: u64,
    /// What was expected, and what was seen.
    pub text: String,
}

/// A verdict and its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Broken promises, in the order of the history.
    pub violations: Vec<Violation>,
    /// Why the run does not show all that it should.
    pub unknowns: Vec<String>,
}

impl Judgement {
    /// The oracles that found something, each once, in the order of their names.
    #[must_use]
    pub fn oracles(&self) -> Vec<OracleName> {
        let mut names: Vec<_> = self.violations.iter().map(|violation| violation.oracle).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
