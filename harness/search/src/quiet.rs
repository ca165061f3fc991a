//! What runs of a workload without faults have in common whenever the world is quiet.

use std::collections::{BTreeMap, BTreeSet};

use racetrap_history::{
    Counts, MirrorField, QuietObjects, QuietState, Record, Stage, Treatment, What, mirror_fields,
};
use serde::{Deserialize, Serialize};

/// Runs that are needed to know what differs between them by itself.
const RUNS_MIN: usize = 2;

/// The quiet world after a step of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// Index of the step, from 0; it settles.
    pub step: usize,
    /// Objects with the fields that were the same in every run.
    pub objects: QuietObjects,
    /// The most that was counted in any run.
    pub counts: BTreeMap<String, Counts>,
}

/// What all of these histories of one workload show at each step that settles while the App runs.
pub(crate) fn quiet(histories: &[Vec<Record>]) -> Vec<Quiet> {
    if histories.len() < RUNS_MIN {
        return Vec::new();
    }
    let mut histories = histories.iter().map(|history| of_history(history));
    let first = histories.next().unwrap_or_default();
    histories.fold(first, |common, other| {
        let both = common.into_iter().filter_map(|one| {
            let other = other.iter().find(|other| other.step == one.step)?;
            Some(in_common(one, other))
        });
        both.collect()
    })
}

fn in_common(mut one: Quiet, other: &Quiet) -> Quiet {
    one.objects.retain(|name, fields| {
        let Some(others) = other.objects.get(name) else { return false };
        fields.retain(|field, value| others.get(field) == Some(value));
        true
    });
    one.counts.retain(|name, _| other.counts.contains_key(name));
    for (name, most) in &mut one.counts {
        let Counts { writes, objects } = other.counts[name];
        *most = Counts { writes: most.writes.max(writes), objects: most.objects.max(objects) };
    }
    one
}

fn of_history(history: &[Record]) -> Vec<Quiet> {
    let mut state = QuietState::default();
    let (mut step, mut all) = (0, Vec::new());
    for record in history.iter().filter(|record| !record.neighbour) {
        state.apply(record);
        if let What::StepBegan { index } = record.what {
            step = index;
        }
        let is_quiet = matches!(record.what, What::Checkpoint { stage: Stage::Probed, .. });
        if is_quiet && state.view().wants_mirrors() {
            let counts = state.counts().into_iter();
            let counts = counts.map(|(name, (writes, objects))| (name, Counts { writes, objects }));
            let objects = compared(state.objects());
            all.push(Quiet { step, objects, counts: counts.collect() });
        }
    }
    all
}

/// The App's fields that differ between worlds: each has ports of its own.
const OF_ITS_WORLD: &str = "status.kubernetesPort";

/// Without the fields that another check compares with the engine itself, and without addresses, ports and
/// the user's credentials, which differ between worlds.
fn compared(mut objects: QuietObjects) -> QuietObjects {
    let of_engine = |field: &MirrorField| matches!(field.treatment, Treatment::Compared(_));
    let kinds = ["containers", "images", "volumes"].into_iter().flat_map(mirror_fields);
    let of_engine: BTreeSet<_> = kinds
        .filter(|field| of_engine(field))
        .map(|field| format!("status.{}", field.name))
        .collect();
    for fields in objects.values_mut() {
        let is_lasting = |name: &str| {
            let parts = ["metadata.", "condition ", "status."];
            parts.iter().any(|part| name.starts_with(part))
                || ["spec", "current context"].contains(&name)
        };
        fields.retain(|name, _| {
            is_lasting(name) && name != OF_ITS_WORLD && !of_engine.contains(name)
        });
    }
    objects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_clean_runs_is_not_compared() {
        let quiet = |value: &str, writes| {
            let fields = [("same", "1"), ("spec", value)];
            let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let objects = BTreeMap::from([("volume data".to_owned(), fields)]);
            let counts =
                BTreeMap::from([("volume data".to_owned(), Counts { writes, objects: 1 })]);
            Quiet { step: 0, objects, counts }
        };
        let common = in_common(quiet("a", 2), &quiet("b", 5));
        assert_eq!(common.objects["volume data"].keys().collect::<Vec<_>>(), ["same"]);
        assert_eq!(common.counts["volume data"].writes, 5);
    }
}
