//! What two failures have in common if they are the same.

use std::fmt;

use racetrap_history::{Check, Judgement, OracleName, Violation};
use serde::{Deserialize, Serialize};

/// The first broken promise of a run, by the check that found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signature {
    /// The oracle.
    pub oracle: OracleName,
    /// Which of the oracle's checks.
    pub check: Check,
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
        let found = judgement.violations.iter().filter_map(|found: &Violation| {
            Some(((found.oracle, found.seq), Self::from(found.check?)))
        });
        // A failure often breaks several promises. The first oracle by name is the same in every run.
        found.min_by_key(|(order, own)| (is_known(own), *order)).map(|(_, own)| own)
    }
}

impl Signature {
    /// Whether a run failed in this way, whatever else it has broken.
    #[must_use]
    pub fn is_in(&self, judgement: &Judgement) -> bool {
        judgement.violations.iter().any(|found| found.check == Some(self.check))
    }
}

impl From<Check> for Signature {
    fn from(check: Check) -> Self {
        Self { oracle: check.oracle(), check }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.oracle, self.check)
    }
}

#[cfg(test)]
mod tests {
    use racetrap_history::Verdict;

    use super::*;

    fn judgement(checks: &[(u64, Option<Check>)]) -> Judgement {
        let violation = |&(seq, check): &(u64, Option<Check>)| {
            let oracle = check.map_or(OracleName::Convergence, Check::oracle);
            Violation { oracle, seq, check, text: String::new() }
        };
        let violations = checks.iter().map(violation).collect();
        Judgement { verdict: Verdict::Fail, violations, ..Judgement::unknown(Vec::new()) }
    }

    // Where the check stands in the source, and what its text says, plays no part.
    #[test]
    fn a_failure_is_known_by_the_check_of_the_first_oracle() {
        let both = judgement(&[(7, Some(Check::RestartChanges)), (9, Some(Check::UidChanged))]);
        let (uid, restart) = (Signature::from(Check::UidChanged), Check::RestartChanges.into());
        assert_eq!(Signature::new(&both), Some(uid));
        assert_eq!(Signature::unless(&both, |found| *found == uid), Some(restart));
        assert!(uid.is_in(&both) && !Signature::from(Check::MirrorDeleted).is_in(&both));
        assert_eq!(uid.to_string(), "identity (4.7.3-uid-changed)");
        let json = serde_json::json!({"oracle": "identity", "check": "4.7.3-uid-changed"});
        assert_eq!(serde_json::to_value(uid).expect("JSON"), json);
    }

    #[test]
    fn a_violation_of_an_unknown_check_has_no_signature() {
        assert_eq!(Signature::new(&judgement(&[(1, None)])), None);
        assert_eq!(Signature::new(&judgement(&[])), None);
    }
}
