//! Runs plans until the time is over, and counts failures by their signature.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use futures::StreamExt as _;
use racetrap_history::{Judgement, Verdict, triggers, turns};
use racetrap_search::{Plan, Policy, Signature};
use tokio::time::Instant;

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
    fn accepts(&self, found: &Signature) -> bool {
        match self {
            Self::Never => false,
            Self::First => true,
            Self::Like(wanted) => wanted == found,
        }
    }

    /// When a run of such a search may end.
    fn end_at(&self) -> EndAt {
        match self {
            Self::Never | Self::First => EndAt::AnyViolation,
            Self::Like(wanted) => EndAt::ViolationOf(wanted.oracle),
        }
    }

    /// How a run failed: in the wanted way, if it did.
    fn signature(&self, judgement: &Judgement) -> Option<Signature> {
        match self {
            Self::Like(wanted) if wanted.is_in(judgement) => Some(wanted.clone()),
            Self::Like(_) | Self::Never | Self::First => Signature::new(judgement),
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
    /// The failure, and whether it is the first of its kind.
    pub(crate) failure: Option<(Signature, bool)>,
}

/// A way in which the daemon failed, and the plans that showed it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// What these plans' runs have in common.
    pub(crate) signature: Signature,
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
        let options = RunOptions { again, end_at: limits.enough.end_at(), ..options.clone() };
        async move {
            let came = run::run(&plan.scenario, &options).await;
            (number, plan, came)
        }
    });
    let mut running =
        std::pin::pin!(futures::stream::iter(runs).buffer_unordered(limits.jobs.get()));
    while let Some((number, plan, came)) = running.next().await {
        let came = came.map(|outcome| {
            let signature = limits.enough.signature(&outcome.judgement);
            (outcome, signature)
        });
        let failed = explored.add(number, &plan, came, began.elapsed());
        let is_enough = |(signature, _): &(Signature, bool)| limits.enough.accepts(signature);
        found.set(found.get() || failed.1.as_ref().is_some_and(is_enough));
        observe(Seen { plan: &plan, number, verdict: failed.0, failure: failed.1 });
    }
    explored.took = began.elapsed();
    explored
}

impl Explored {
    /// Counts a run. Returns its verdict, and its failure with whether that is the first of its kind.
    fn add(
        &mut self,
        number: usize,
        plan: &Plan,
        came: Result<(Outcome, Option<Signature>), RunError>,
        after: Duration,
    ) -> (Verdict, Option<(Signature, bool)>) {
        let (outcome, signature) = match came {
            Ok(came) => came,
            Err(error) => {
                *self.unknown.entry(error.told()).or_default() += 1;
                *self.verdicts.entry((plan.policy, Verdict::Unknown)).or_default() += 1;
                return (Verdict::Unknown, None);
            }
        };
        let order = triggers(&outcome.history);
        let turns = turns(&outcome.history);
        let Outcome { judgement, evidence, .. } = outcome;
        let verdict = judgement.verdict;
        *self.verdicts.entry((plan.policy, verdict)).or_default() += 1;
        if verdict == Verdict::Unknown {
            let why = judgement.unknowns.first().map(|unknown| unknown.text.clone());
            *self.unknown.entry(why.unwrap_or_default()).or_default() += 1;
        } else {
            let covered = (plan.place.clone(), plan.disturbance.clone());
            *self.covered.entry(covered).or_default() += 1;
        }
        let Some(signature) = signature else { return (verdict, None) };
        let known = self.failures.iter_mut().find(|failure| failure.signature == signature);
        let Some(known) = known else {
            self.failures.push(Failure {
                signature: signature.clone(),
                plan: plan.clone().in_order(&turns),
                number,
                after,
                order,
                reasons: reasons(&judgement).collect(),
                count: 1,
                evidence: evidence.into_iter().collect(),
            });
            return (verdict, Some((signature, true)));
        };
        known.count += 1;
        match evidence {
            Some(evidence) if known.evidence.len() < EVIDENCE_MAX => known.evidence.push(evidence),
            // A search may fail a thousand times in one way. What is removed was made by this run alone.
            Some(evidence) => drop(std::fs::remove_dir_all(evidence)),
            None => {}
        }
        (verdict, Some((signature, false)))
    }
}
