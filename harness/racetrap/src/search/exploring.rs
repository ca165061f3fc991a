//! Runs plans until the time is over, and counts failures by their signature.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt as _;
use racetrap_history::{Judgement, Verdict, triggers, turns};
use racetrap_search::{Plan, Policy, Signature};
use tokio::time::Instant;

use crate::bundle::archive_of;
use crate::known::{KnownFailures, KnownSignature};
use crate::matrix::{not_begun, reasons};
use crate::run::{self, EndAt, Outcome, RunError, RunOptions};

/// How many runs of one failure keep their evidence.
const EVIDENCE_MAX: usize = 2;

/// Which failure ends a search.
#[derive(Clone, Debug)]
pub(crate) enum Enough {
    /// None: the search goes on.
    Never,
    /// Any.
    First,
    /// One with this signature.
    Like(Signature),
}

impl Enough {
    fn accepts(&self, found: &Failure) -> bool {
        match self {
            Self::Never => false,
            Self::First => found.known.is_none(),
            Self::Like(wanted) => *wanted == found.signature,
        }
    }
}

/// When a search ends.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// No plan begins later.
    pub(crate) until: Instant,
    /// No more plans than this.
    pub(crate) plans: Option<usize>,
    /// No plan begins after a failure that this accepts.
    pub(crate) enough: Enough,
    /// How many runs there may be at once.
    pub(crate) jobs: NonZeroUsize,
    /// Failures that are known. None of them is what a search looks for.
    pub(crate) known: KnownFailures,
}

impl Limits {
    /// When a run may end. Behind a known failure there may be another one.
    fn end_at(&self) -> EndAt {
        match &self.enough {
            Enough::Like(wanted) => EndAt::ViolationOf(wanted.oracle),
            Enough::Never | Enough::First if self.known.signatures().is_empty() => {
                EndAt::AnyViolation
            }
            Enough::Never | Enough::First => EndAt::LastStep,
        }
    }

    /// How a run failed, if it did: in the wanted way, or in one that is not known. With what the list says
    /// of it.
    fn failure(&self, judgement: &Judgement) -> Option<(Signature, Option<KnownSignature>)> {
        let signature = match &self.enough {
            Enough::Like(wanted) if wanted.is_in(judgement) => Some(*wanted),
            Enough::Like(_) | Enough::Never | Enough::First => {
                Signature::unless(judgement, |found| self.known.of_search(found).is_some())
            }
        }?;
        let known = self.known.of_search(&signature).cloned();
        Some((signature, known))
    }
}

/// The result of one plan, as it is reported at once.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    /// The plan.
    pub(crate) plan: &'a Plan,
    /// Its place in the order in which plans began, from 1.
    pub(crate) number: usize,
    /// The verdict of its run.
    pub(crate) verdict: Verdict,
    /// Why the run showed nothing, if it did not.
    pub(crate) why: Option<String>,
    /// How long after the beginning of the search its run had ended.
    pub(crate) after: Duration,
    /// The failure, and whether it is the first of its kind.
    pub(crate) failure: Option<(&'a Failure, bool)>,
}

/// A way in which the daemon failed, and the plans that showed it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// What these plans' runs have in common.
    pub(crate) signature: Signature,
    /// What the list of known failures says of it.
    pub(crate) known: Option<KnownSignature>,
    /// The plan that failed first.
    pub(crate) plan: Plan,
    /// Its place in the order in which plans began, from 1.
    pub(crate) number: usize,
    /// How long after the beginning of the search its run had ended.
    pub(crate) after: Duration,
    /// Gates and rules in the order in which they acted in that run.
    pub(crate) order: Vec<String>,
    /// The broken promises of that run.
    pub(crate) reasons: Vec<String>,
    /// How many plans failed like this.
    pub(crate) count: usize,
    /// Evidence of the first ones.
    pub(crate) evidence: Vec<PathBuf>,
}

/// What a search has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Explored {
    /// Failures, in the order in which they were found.
    pub(crate) failures: Vec<Failure>,
    /// How many runs had each verdict, by policy.
    pub(crate) verdicts: BTreeMap<(Policy, Verdict), usize>,
    /// Kinds of places and of disturbances that a run met, and how often.
    pub(crate) covered: BTreeMap<(String, String), usize>,
    /// Why runs showed nothing, and how many there were.
    pub(crate) unknown: BTreeMap<String, usize>,
    /// Wall time.
    pub(crate) took: Duration,
}

impl Explored {
    /// How many plans were run.
    pub(crate) fn runs(&self) -> usize {
        self.verdicts.values().sum()
    }

    /// Whether something failed that is not known.
    pub(crate) fn has_failed(&self) -> bool {
        self.failures.iter().any(|failure| failure.known.is_none())
    }

    /// How many of them showed nothing.
    pub(crate) fn unknowns(&self) -> usize {
        self.unknown.values().sum()
    }
}

/// Runs `plans` in their order. `again` returns the command that repeats a plan, and `observe` is called
/// at the end of each run.
pub(crate) async fn explore(
    mut plans: impl Iterator<Item = Plan>,
    options: &RunOptions,
    limits: Limits,
    again: impl Fn(&Plan) -> String,
    mut observe: impl FnMut(Seen<'_>),
) -> Explored {
    let began = Instant::now();
    let mut explored = Explored::default();
    // Plans are counted when they begin: `buffer_unordered` takes the next one only when it has room.
    let found = std::cell::Cell::new(false);
    let mut taken = 0;
    let next = std::iter::from_fn(|| {
        let is_over = Instant::now() >= limits.until
            || limits.plans.is_some_and(|most| taken >= most)
            || found.get()
            || not_begun(&options.stop).is_some();
        let plan = if is_over { None } else { plans.next() }?;
        taken += 1;
        Some((taken, plan))
    });
    let runs = next.map(|(number, plan)| {
        let again = again(&plan);
        let options = RunOptions { again, end_at: limits.end_at(), ..options.clone() };
        async move {
            let came = run::run(&plan.scenario, &options).await;
            (number, plan, came)
        }
    });
    let mut running =
        std::pin::pin!(futures::stream::iter(runs).buffer_unordered(limits.jobs.get()));
    while let Some((number, plan, came)) = running.next().await {
        let after = began.elapsed();
        let verdict = came.as_ref().map_or(Verdict::Unknown, |outcome| outcome.judgement.verdict);
        let why = explored.count(&plan, &came);
        let failure = came.ok().and_then(|outcome| {
            let found = limits.failure(&outcome.judgement)?;
            Some(explored.add_failure(found, (number, &plan, after), outcome))
        });
        let failure = failure.map(|(at, is_first)| (&explored.failures[at], is_first));
        let is_enough = failure.is_some_and(|(failure, _)| limits.enough.accepts(failure));
        found.set(found.get() || is_enough);
        observe(Seen { plan: &plan, number, verdict, why, after, failure });
    }
    explored.took = began.elapsed();
    explored
}

impl Explored {
    /// Counts a run. Returns why it showed nothing, if it did not.
    fn count(&mut self, plan: &Plan, came: &Result<Outcome, RunError>) -> Option<String> {
        let verdict = came.as_ref().map_or(Verdict::Unknown, |outcome| outcome.judgement.verdict);
        *self.verdicts.entry((plan.policy, verdict)).or_default() += 1;
        if verdict != Verdict::Unknown {
            let covered = (plan.place.clone(), plan.disturbance.clone());
            *self.covered.entry(covered).or_default() += 1;
            return None;
        }
        let why = match came {
            Ok(outcome) => {
                let first = outcome.judgement.unknowns.first();
                first.map(|unknown| unknown.text.clone()).unwrap_or_default()
            }
            Err(error) => error.told(),
        };
        *self.unknown.entry(why.clone()).or_default() += 1;
        Some(why)
    }

    /// Counts a run that failed. Returns the index of its failure, and whether it is the first of its kind.
    fn add_failure(
        &mut self,
        (signature, known): (Signature, Option<KnownSignature>),
        (number, plan, after): (usize, &Plan, Duration),
        outcome: Outcome,
    ) -> (usize, bool) {
        let Outcome { judgement, evidence, history, .. } = outcome;
        let at = self.failures.iter().position(|failure| failure.signature == signature);
        let Some(at) = at else {
            self.failures.push(Failure {
                signature,
                known,
                plan: plan.clone().in_order(&turns(&history)),
                number,
                after,
                order: triggers(&history),
                reasons: reasons(&judgement).collect(),
                count: 1,
                evidence: evidence.into_iter().collect(),
            });
            return (self.failures.len() - 1, true);
        };
        let failure = &mut self.failures[at];
        failure.count += 1;
        match evidence {
            Some(evidence) if failure.evidence.len() < EVIDENCE_MAX => {
                failure.evidence.push(evidence);
            }
            // A search may fail a thousand times in one way. What is removed was made by this run alone.
            Some(evidence) => remove_evidence(&evidence),
            None => {}
        }
        (at, false)
    }
}

/// Removes the evidence of a run, with the archive beside it. What cannot be removed is only in the way.
pub(super) fn remove_evidence(directory: &Path) {
    drop(std::fs::remove_dir_all(directory));
    drop(std::fs::remove_file(archive_of(directory)));
}
