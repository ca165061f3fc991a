//! Compares judgements with the list of known failures.

use racetrap_history::{FindingId, OracleName, Verdict};

use super::file::{KnownFailure, KnownFailures};

/// What the list says of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KnownState {
    /// The listed failures that this run has.
    pub(crate) matched: Vec<KnownFailure>,
    /// The listed failures of its finding, if the run passed.
    pub(crate) repaired: Vec<KnownFailure>,
    /// The run failed, and by no oracle that is not listed for its finding.
    pub(crate) excuses: bool,
}

/// A listed failure that was not seen in every run that could have shown it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Repair {
    /// The listed failure.
    pub(crate) failure: KnownFailure,
    /// How many runs of the finding passed.
    pub(crate) passed: usize,
    /// How many runs of the finding passed or failed as listed.
    pub(crate) runs: usize,
}

impl KnownFailures {
    /// Compares the judgement of a run with the list.
    pub(crate) fn compare(
        &self,
        finding: &FindingId,
        verdict: Verdict,
        oracles: &[OracleName],
    ) -> KnownState {
        let listed = || self.entries().iter().filter(|entry| entry.finding == *finding);
        match verdict {
            Verdict::Fail => {
                let matched: Vec<_> =
                    listed().filter(|entry| oracles.contains(&entry.oracle)).cloned().collect();
                let is_listed =
                    |oracle: &OracleName| matched.iter().any(|entry| entry.oracle == *oracle);
                let excuses = !oracles.is_empty() && oracles.iter().all(is_listed);
                KnownState { matched, repaired: Vec::new(), excuses }
            }
            Verdict::Pass => {
                KnownState { repaired: listed().cloned().collect(), ..Default::default() }
            }
            Verdict::Unknown | Verdict::NotApplicable => KnownState::default(),
        }
    }

    /// The listed failures that at least one run did not show, in the order of the list.
    pub(crate) fn repairs<'a>(&self, states: impl Iterator<Item = &'a KnownState>) -> Vec<Repair> {
        let states: Vec<_> = states.collect();
        let repair = |failure: &KnownFailure| {
            let count = |list: fn(&KnownState) -> &Vec<KnownFailure>| {
                states.iter().filter(|state| list(state).contains(failure)).count()
            };
            let passed = count(|state| &state.repaired);
            let runs = passed + count(|state| &state.matched);
            Repair { failure: failure.clone(), passed, runs }
        };
        self.entries().iter().map(repair).filter(|repair| repair.passed > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn known() -> KnownFailures {
        let text = "- {finding: 1-A, oracle: counts, why: w, since: s}\n\
                    - {finding: 1-A, oracle: identity, why: w, since: s}\n\
                    - {finding: 1-B, oracle: counts, why: w, since: s}\n";
        KnownFailures::parse("known.yaml", text, Some(&["1-A", "1-B"])).expect("a list")
    }

    fn compare(finding: &str, verdict: Verdict, oracles: &[OracleName]) -> KnownState {
        known().compare(&finding.parse().expect("an id"), verdict, oracles)
    }

    /// Only a failure by nothing but listed oracles of the same finding is known.
    #[rstest]
    #[case("1-A", &[OracleName::Counts], 1, true)]
    #[case("1-A", &[OracleName::Counts, OracleName::Identity], 2, true)]
    #[case("1-A", &[OracleName::Counts, OracleName::Liveness], 1, false)]
    #[case("1-B", &[OracleName::Identity], 0, false)]
    #[case("1-C", &[OracleName::Counts], 0, false)]
    #[case("1-A", &[], 0, false)]
    fn a_failure_is_known_only_if_all_of_it_is_listed(
        #[case] finding: &str,
        #[case] oracles: &[OracleName],
        #[case] matched: usize,
        #[case] excuses: bool,
    ) {
        let state = compare(finding, Verdict::Fail, oracles);
        assert_eq!((state.matched.len(), state.excuses), (matched, excuses));
        assert_eq!(state.repaired, []);
    }

    /// A run that proves nothing neither repairs nor excuses.
    #[test]
    fn only_a_pass_repairs() {
        assert_eq!(compare("1-A", Verdict::Pass, &[]).repaired.len(), 2);
        for verdict in [Verdict::Unknown, Verdict::NotApplicable] {
            assert_eq!(compare("1-A", verdict, &[]), KnownState::default());
        }
    }

    /// Of three runs of a finding, one passed and two failed as listed; the other finding was not run.
    #[test]
    fn repairs_are_counted_over_all_runs() {
        let fails = compare("1-A", Verdict::Fail, &[OracleName::Counts]);
        let states = [compare("1-A", Verdict::Pass, &[]), fails.clone(), fails];
        let repairs = known().repairs(states.iter());
        let counts: Vec<_> =
            repairs.iter().map(|it| (it.failure.oracle, it.passed, it.runs)).collect();
        assert_eq!(counts, [(OracleName::Counts, 1, 3), (OracleName::Identity, 1, 1)]);
    }
}
