//! All plans of a workload, without those that can show nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::learned::Learned;
use crate::plan::{Plan, Policy};
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
            if site.nth > NTH_MAX {
                self.remove(Rule::Repeated, plans.len());
            } else {
                self.add(learned, plans);
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
