//! The surface with the workloads that touch each item.

use std::collections::{BTreeMap, BTreeSet};

use racetrap_history::{FindingId, Scenario};

use super::item::{Group, Item};
use super::surface::{out_of_reach, surface};
use super::touched::touched;

/// One item, and who touches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CoveredItem<'a> {
    pub(crate) item: Item,
    /// The workloads that touch it, sorted by id.
    pub(crate) workloads: Vec<&'a FindingId>,
    /// Why no workload can touch it; nothing if one could.
    pub(crate) why_not: Option<&'static str>,
}

/// All items of the surface, sorted by group and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SurfaceCoverage<'a> {
    /// The workloads, with the number of their steps, sorted by id.
    pub(crate) workloads: Vec<(&'a FindingId, usize)>,
    pub(crate) items: Vec<CoveredItem<'a>>,
}

impl<'a> SurfaceCoverage<'a> {
    /// Which of the scenarios touch what.
    pub(crate) fn new(scenarios: impl Iterator<Item = &'a Scenario>) -> Self {
        let scenarios: Vec<_> = scenarios.collect();
        let mut by_item: BTreeMap<Item, Vec<&FindingId>> = BTreeMap::new();
        for scenario in &scenarios {
            for item in touched(scenario) {
                by_item.entry(item).or_default().push(&scenario.finding);
            }
        }
        let items = surface().into_iter().map(|item| {
            let why_not = out_of_reach(&item);
            let workloads = by_item.remove(&item).unwrap_or_default();
            CoveredItem { item, workloads, why_not }
        });
        let count = |scenario: &&'a Scenario| (&scenario.finding, scenario.steps.len());
        Self { workloads: scenarios.iter().map(count).collect(), items: items.collect() }
    }

    /// The items of a group that a workload touches.
    pub(crate) fn touched(&self, group: Group) -> impl Iterator<Item = &CoveredItem<'a>> {
        self.of(group).filter(|covered| !covered.workloads.is_empty())
    }

    /// The items of a group that no workload touches.
    pub(crate) fn untouched(&self, group: Group) -> impl Iterator<Item = &CoveredItem<'a>> {
        self.of(group).filter(|covered| covered.workloads.is_empty())
    }

    /// How many items no workload can touch, with the reason.
    pub(crate) fn with_reason(&self) -> usize {
        self.items.iter().filter(|covered| covered.why_not.is_some()).count()
    }

    fn of(&self, group: Group) -> impl Iterator<Item = &CoveredItem<'a>> {
        self.items.iter().filter(move |covered| covered.item.group == group)
    }
}

/// The events that the engine certainly sends while the scenario runs, as `type action`.
#[must_use]
pub fn promised_events(scenario: &Scenario) -> BTreeSet<String> {
    let items = touched(scenario).into_iter();
    items.filter(|item| item.group == Group::EngineEvent).map(|item| item.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::workloads::Workloads;

    /// An item that the table does not have would be touched without being seen.
    #[test]
    fn everything_that_a_workload_touches_is_part_of_the_surface() {
        let surface = surface();
        let workloads = Workloads::embedded().expect("each file is a workload");
        for scenario in workloads.scenarios() {
            for item in touched(scenario) {
                assert!(surface.contains(&item), "{}: {item:?}", scenario.finding);
            }
        }
    }

    /// A finding lives in the shadow of what users do. Without its operations in a workload, no search
    /// could find it.
    #[test]
    fn what_users_do_in_a_finding_a_workload_does_too() {
        let workloads = Workloads::embedded().expect("each file is a workload");
        let done: BTreeSet<_> = workloads.scenarios().flat_map(touched).collect();
        let surface = surface();
        let catalogue = Catalogue::embedded().expect("the catalogue is sound");
        let mut missing = Vec::new();
        for entry in catalogue.entries() {
            let items = touched(&entry.control());
            let items = items.difference(&done).filter(|item| surface.contains(*item));
            missing.extend(items.map(|item| format!("{}: {item:?}", entry.finding)));
        }
        assert_eq!(missing, [""; 0]);
    }

    /// A reason why no workload can touch something is wrong if one does.
    #[test]
    fn what_is_out_of_reach_is_touched_by_nobody() {
        let workloads = Workloads::embedded().expect("each file is a workload");
        for covered in SurfaceCoverage::new(workloads.scenarios()).items {
            let touched = covered.workloads.is_empty() || covered.why_not.is_none();
            assert!(touched, "{:?} by {:?}", covered.item, covered.workloads);
        }
    }
}
