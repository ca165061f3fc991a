//! Repeats a failure, and makes its schedule as short as it can be.

use racetrap_history::{Scenario, triggers};
use racetrap_search::{Shrinking, Signature};
use tokio::time::Instant;

use super::exploring::remove_evidence;
use crate::matrix::not_begun;
use crate::run::{self, EndAt, RunOptions};

/// How often a failure is repeated before it is shrunk.
const REPEATS: usize = 3;

/// How often a candidate is run if the failure does not come every time, and how often it must fail.
const TRIES: (usize, usize) = (6, 2);

/// A failure that was repeated and shrunk.
#[derive(Clone, Debug)]
pub(crate) struct Shrunk {
    /// The shortest schedule that fails in the same way.
    pub(crate) scenario: Scenario,
    /// Of how many repetitions of the whole schedule how many failed in the same way.
    pub(crate) repeated: (usize, usize),
    /// Gates and rules in the order in which they acted, until the schedule failed last.
    pub(crate) order: Vec<String>,
    /// How many runs it took, repetitions included.
    pub(crate) runs: usize,
    /// Whether each single step is known to be needed.
    pub(crate) is_shortest: bool,
}

/// Shrinks a scenario that failed with `signature`, until `until`.
pub(crate) async fn shrink(
    scenario: &Scenario,
    signature: &Signature,
    options: &RunOptions,
    until: Instant,
) -> Shrunk {
    let options = RunOptions { end_at: EndAt::ViolationOf(signature.oracle), ..options.clone() };
    let is_over = || Instant::now() >= until || not_begun(&options.stop).is_some();
    let mut runs = 0;
    let mut repeated = (0, 0);
    let mut order = Vec::new();
    while repeated.1 < REPEATS && !is_over() {
        runs += 1;
        if let Some(seen) = fails(scenario, signature, &options).await {
            order = seen;
            repeated.0 += 1;
        }
        repeated.1 += 1;
    }
    let mut shrinking = Shrinking::new(scenario.clone());
    let is_stable = repeated.0 == repeated.1;
    let (tries, needed) = if is_stable { (1, 1) } else { TRIES };
    let mut is_shortest = false;
    // What did not come again even once cannot be told from what fails by chance.
    while repeated.0 > 0 && !is_over() {
        let Some(candidate) = shrinking.candidate() else {
            is_shortest = true;
            break;
        };
        let mut failed = 0;
        let mut last = Vec::new();
        for tried in 0..tries {
            if failed >= needed || failed + (tries - tried) < needed || is_over() {
                break;
            }
            runs += 1;
            if let Some(seen) = fails(&candidate, signature, &options).await {
                last = seen;
                failed += 1;
            }
        }
        shrinking.keep(failed >= needed);
        if failed >= needed {
            order = last;
        }
    }
    Shrunk { scenario: shrinking.best().clone(), repeated, order, runs, is_shortest }
}

/// If the scenario fails in this way, the order in which its gates and rules acted. Evidence of the tries
/// is removed; the failure's own is kept.
async fn fails(
    scenario: &Scenario,
    signature: &Signature,
    options: &RunOptions,
) -> Option<Vec<String>> {
    let outcome = run::run(scenario, options).await.ok()?;
    if let Some(evidence) = &outcome.evidence {
        remove_evidence(evidence);
    }
    signature.is_in(&outcome.judgement).then(|| triggers(&outcome.history))
}
