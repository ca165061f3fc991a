//! All plans of a workload, without those that can show nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use racetrap_history::{EngineStep, Scenario, Step, WaitStep};
use serde::{Deserialize, Serialize};

use crate::call::Kind;
use crate::compared::texts;
use crate::learned::Learned;
use crate::plan::{Plan, Policy};
use crate::site::Site;
use crate::{dark, held, poison};

/// Calls of one kind that one step causes are held up to this one; later ones are done by the same code.
const NTH_MAX: u32 = 3;

/// Why plans were removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Not every run came to the site, so that a gate there might wait in vain.
    Unstable,
    /// One step causes many calls of the kind.
    Repeated,
    /// The call follows from an event of an earlier step.
    OldEvent,
    /// The call may be the end of what an earlier step has caused.
    Late,
    /// The schedule cannot be carried out, such as an operation on what is gone by then.
    NotPossible,
    /// Another plan has the same steps.
    Same,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unstable => "at a site that not every run has",
            Self::Repeated => "at the fourth or a later call of its kind",
            Self::OldEvent => {
                "at a call that only an event from before the daemon connected causes"
            }
            Self::Late => "at a call that an earlier step may have caused",
            Self::NotPossible => "cannot be carried out",
            Self::Same => "the same as another one",
        })
    }
}

/// The plans of some workloads.
#[derive(Clone, Debug, Default)]
pub struct Plans {
    /// In the order of workloads and sites.
    pub plans: Vec<Plan>,
    /// How many plans each rule removed.
    pub removed: BTreeMap<Rule, usize>,
}

/// Plans everything for what was learned of some workloads. With `undisturbed`, each workload is also a plan
/// as it is; without, only one whose runs have all failed.
#[must_use]
pub fn plan_workloads(learned: &[Learned], undisturbed: bool) -> Plans {
    let mut planning = Planning { undisturbed, ..Planning::default() };
    for learned in learned {
        planning.add_workload(learned);
    }
    Plans { plans: planning.plans, removed: planning.removed }
}

/// Why a gate at the site might wait in vain, or shows nothing that another site does not show.
fn rule(workload: &Scenario, site: &Site) -> Option<Rule> {
    if site.nth > NTH_MAX {
        Some(Rule::Repeated)
    } else if site.repeated {
        Some(Rule::OldEvent)
    } else if is_late(&workload.steps, site) {
        Some(Rule::Late)
    } else {
        None
    }
}

/// Whether the call is about an object that the step before it leaves alone, and nothing has waited for the
/// effects of the steps that changed this object: then it may as well come before that step.
fn is_late(steps: &[Step], site: &Site) -> bool {
    let Step::Engine(step) = &steps[site.cause] else { return false };
    let (Some(about), Some(kind)) = (&site.about, site.call.kind()) else { return false };
    let is_named = |step: &Step| {
        let mut names = BTreeSet::new();
        texts(&serde_json::to_value(step).unwrap_or_default(), &mut names);
        names.contains(about)
    };
    let is_left_alone = match (kind, changed_kind(step)) {
        // A tag that moves changes two images, and a container that goes changes its volumes.
        (_, None)
        | (Kind::Image, Some(Kind::Image))
        | (Kind::Container, Some(Kind::Image))
        | (Kind::Volume, Some(Kind::Container)) => false,
        (Kind::Image, Some(Kind::Container | Kind::Volume))
        | (Kind::Container, Some(Kind::Volume))
        | (Kind::Volume, Some(Kind::Image)) => true,
        (Kind::Container, Some(Kind::Container)) | (Kind::Volume, Some(Kind::Volume)) => {
            !is_named(&steps[site.cause])
        }
    };
    let before = steps[..site.cause].iter().rev().take_while(|step| !is_named(step));
    let has_settled = before.into_iter().any(|step| *step == Step::Wait(WaitStep::Settle));
    is_left_alone && !has_settled
}

/// The kind of the one object that the step changes.
#[expect(clippy::wildcard_enum_match_arm, reason = "other steps change several kinds, or none")]
fn changed_kind(step: &EngineStep) -> Option<Kind> {
    match step {
        EngineStep::CreateContainer(_)
        | EngineStep::Container { .. }
        | EngineStep::Rename { .. }
        | EngineStep::RemoveContainer { .. } => Some(Kind::Container),
        EngineStep::LoadImage { .. }
        | EngineStep::Tag { .. }
        | EngineStep::Untag { .. }
        | EngineStep::RemoveImage { .. } => Some(Kind::Image),
        EngineStep::CreateVolume(_) | EngineStep::RemoveVolume { .. } => Some(Kind::Volume),
        _ => None,
    }
}

#[derive(Default)]
struct Planning {
    undisturbed: bool,
    known: BTreeSet<String>,
    plans: Vec<Plan>,
    removed: BTreeMap<Rule, usize>,
}

impl Planning {
    fn add_workload(&mut self, learned: &Learned) {
        let Learned { workload, runs, sites, unstable, quiet: _ } = learned;
        // Runs that passed have shown the workload as it is.
        if self.undisturbed || *runs == 0 {
            let steps = workload.steps.clone();
            self.add(learned, vec![Plan::new(workload, Policy::Undisturbed, "", "", steps)]);
        }
        for site in sites {
            let plans = [held::plans(workload, site), poison::plans(workload, site)].concat();
            match rule(workload, site) {
                Some(rule) => self.remove(rule, plans.len()),
                None => self.add(learned, plans),
            }
        }
        for unstable in unstable {
            let plans = held::plans(workload, &unstable.site).len();
            self.remove(Rule::Unstable, plans);
        }
        self.add(learned, dark::plans(workload));
    }

    fn add(&mut self, learned: &Learned, plans: Vec<Plan>) {
        for plan in plans {
            if plan.scenario.check().is_err() {
                self.remove(Rule::NotPossible, 1);
            } else if self.known.insert(plan.scenario.finding.to_string()) {
                self.plans.push(plan.compared_with(learned));
            } else {
                self.remove(Rule::Same, 1);
            }
        }
    }

    fn remove(&mut self, rule: Rule, count: usize) {
        if count > 0 {
            *self.removed.entry(rule).or_default() += count;
        }
    }
}
