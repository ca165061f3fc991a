//! What earlier searches say of the plans of the next one.
//!
//! Every plan is run once, over several searches of the same subject, before any is run again: that is a
//! round. What failed or covered something new, in an earlier round or in another subject such as another
//! revision of the daemon, comes first.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use racetrap_history::{Scenario, Verdict};
use racetrap_search::{Earlier, Learned, Order, Plan, Signature};

use super::state::{Shortened, State, Subject};

/// What earlier searches have shown.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// How often each plan was run on this subject.
    runs: BTreeMap<String, usize>,
    /// Plans that failed, on any subject, and how.
    failed: BTreeMap<String, BTreeSet<Signature>>,
    /// Plans that covered what none before had covered, on any subject.
    new: BTreeSet<String>,
    /// Places with disturbances that a run with a verdict had on this subject.
    covered: BTreeSet<(String, String)>,
    /// The first plan of each failure.
    plans: Vec<Plan>,
    /// How often each failure was seen on this subject.
    seen: BTreeMap<Signature, usize>,
    /// What was learned from this subject.
    learned: Vec<Learned>,
    /// Failures of this subject whose schedules were shortened.
    shortened: Vec<Shortened>,
}

impl Past {
    /// Reads a state, for a search of this subject.
    pub(crate) fn new(state: &State, subject: &Subject) -> Self {
        let mut past = Self::default();
        let mut pairs = BTreeSet::new();
        for session in &state.sessions {
            let is_same = session.began.subject == *subject;
            for ran in &session.ran {
                if is_same {
                    *past.runs.entry(ran.plan.clone()).or_default() += 1;
                }
                if let Some(signature) = &ran.signature {
                    past.failed.entry(ran.plan.clone()).or_default().insert(*signature);
                    if is_same {
                        *past.seen.entry(*signature).or_default() += 1;
                    }
                }
                if ran.verdict == Verdict::Unknown {
                    continue;
                }
                if pairs.insert((&ran.place, &ran.disturbance)) {
                    past.new.insert(ran.plan.clone());
                }
                if is_same {
                    past.covered.insert((ran.place.clone(), ran.disturbance.clone()));
                }
            }
            past.plans.extend(session.met.iter().map(|met| met.plan.clone()));
            if is_same {
                past.learned.extend(session.learned.iter().cloned());
                past.shortened.extend(session.shortened.iter().cloned());
            }
        }
        past
    }

    fn runs_of(&self, plan: &Plan) -> usize {
        self.runs.get(plan.scenario.finding.as_str()).copied().unwrap_or_default()
    }

    /// Orders the plans of this round, and says how many of it were run earlier.
    pub(crate) fn order(&self, plans: Vec<Plan>) -> (Order, usize) {
        let round = plans.iter().map(|plan| self.runs_of(plan)).min().unwrap_or_default();
        let all = plans.len();
        let order = Order::after(plans, |plan| {
            let id = plan.scenario.finding.as_str();
            if self.runs_of(plan) > round {
                Earlier::Done
            } else if self.failed.contains_key(id) {
                Earlier::Failed
            } else if self.new.contains(id) {
                Earlier::Covered
            } else {
                Earlier::Nothing
            }
        });
        let earlier = all - order.len();
        (order, earlier)
    }

    /// The plans of a hunt for this failure: those that have shown it come first, also again, and then those
    /// of this round that are left, in their own order. Says how many of the round were run earlier.
    pub(crate) fn after_worked(&self, plans: Vec<Plan>, wanted: &Signature) -> (Vec<Plan>, usize) {
        let round = plans.iter().map(|plan| self.runs_of(plan)).min().unwrap_or_default();
        let all = plans.len();
        let has_worked = |plan: &Plan| {
            let failed = self.failed.get(plan.scenario.finding.as_str());
            failed.is_some_and(|failed| failed.contains(wanted))
        };
        let (mut first, rest): (Vec<_>, Vec<_>) = plans.into_iter().partition(has_worked);
        first.extend(rest.into_iter().filter(|plan| self.runs_of(plan) == round));
        let earlier = all - first.len();
        (first, earlier)
    }

    /// The plans that failed on other subjects, as far as they are `own`, and then those of `plans`; without
    /// those that were run already.
    pub(crate) fn before_endless(
        self: Rc<Self>,
        plans: impl Iterator<Item = Plan>,
        own: impl Fn(&Plan) -> bool,
    ) -> impl Iterator<Item = Plan> {
        let mut known = BTreeSet::new();
        let first = self.plans.clone().into_iter().filter(own);
        first.chain(plans).filter(move |plan| {
            self.runs_of(plan) == 0 && known.insert(plan.scenario.finding.clone())
        })
    }

    /// Places with disturbances that were covered on this subject.
    pub(crate) fn covered(&self) -> &BTreeSet<(String, String)> {
        &self.covered
    }

    /// What was learned from at least so many runs of the workload, so that it need not be run again.
    pub(crate) fn learned(&self, workload: &Scenario, runs: usize) -> Option<&Learned> {
        let is_it = |known: &&Learned| known.workload == *workload && known.runs >= runs;
        self.learned.iter().rev().find(is_it)
    }

    /// How many plans were run on this subject.
    pub(crate) fn runs(&self) -> usize {
        self.runs.values().sum()
    }

    /// How often earlier searches of this subject have seen the failure.
    pub(crate) fn times(&self, signature: &Signature) -> usize {
        self.seen.get(signature).copied().unwrap_or_default()
    }

    /// The schedule of the failure, if an earlier search has shortened it.
    pub(crate) fn shortened(&self, signature: &Signature) -> Option<&Shortened> {
        self.shortened.iter().rev().find(|short| short.signature == *signature)
    }
}
