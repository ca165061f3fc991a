//! What two failures have in common if they are the same.

use std::fmt;

use racetrap_history::{Judgement, OracleName, Violation};
use serde::{Deserialize, Serialize};

/// The first broken promise of a run, by the check that found it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signature {
    /// The oracle.
    pub oracle: OracleName,
    /// Which of the oracle's checks.
    pub check: String,
}

impl Signature {
    /// The signature of a failed run; nothing if it did not fail.
    #[must_use]
    pub fn new(judgement: &Judgement) -> Option<Self> {
        Self::unless(judgement, |_| false)
    }

    /// The signature of a failed run: one that is not known, if it has any.
    #[must_use]
    pub fn unless(judgement: &Judgement, is_known: impl Fn(&Self) -> bool) -> Option<Self> {
        let signature = |found: &Violation| {
            let Violation { oracle, check, .. } = found;
            Self { oracle: *oracle, check: check.clone() }
        };
        let found = judgement.violations.iter();
        let found = found.map(|found| ((found.oracle, found.seq), signature(found)));
        // A failure often breaks several promises. The first oracle by name is the same in every run.
        found.min_by_key(|(order, own)| (is_known(own), *order)).map(|(_, own)| own)
    }
}

impl Signature {
    /// Whether a run failed in this way, whatever else it has broken.
    #[must_use]
    pub fn is_in(&self, judgement: &Judgement) -> bool {
        let Self { oracle, check } = self;
        judgement.violations.iter().any(|found| found.oracle == *oracle && found.check == *check)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.oracle, self.check)
    }
}
