//! How many mirrors differ from the engine's objects, over time.

use std::collections::BTreeSet;

use racetrap_history::{Comparison, Comparisons, MirrorKey, Record};

use super::{At, Item, Row, Source, Tone};

/// The comparisons of mirrors that a record changed.
pub(in crate::timeline) struct Changed {
    pub(in crate::timeline) at: At,
    /// Whether there must be any mirrors.
    pub(in crate::timeline) wanted: bool,
    pub(in crate::timeline) comparisons: Vec<Comparison>,
}

/// All changes in the comparisons of one daemon's mirrors.
pub(super) fn changes(records: &[&Record]) -> Vec<Changed> {
    let mut followed = Comparisons::default();
    let mut wanted_before = false;
    let mut changes = Vec::new();
    for record in records {
        let comparisons = followed.apply(record);
        let wanted = followed.wants_mirrors();
        // Most records change neither.
        if !comparisons.is_empty() || wanted != wanted_before {
            changes.push(Changed { at: At::from(*record), wanted, comparisons });
            wanted_before = wanted;
        }
    }
    changes
}

/// One bar for as long as the number of different mirrors does not change.
pub(super) fn rows(source: &Source<'_>) -> Vec<Row> {
    let mut different: BTreeSet<&MirrorKey> = BTreeSet::new();
    let mut items: Vec<Item> = Vec::new();
    for Changed { at, wanted, comparisons } in source.changes {
        for Comparison { key, differences, .. } in comparisons {
            if differences.is_empty() {
                different.remove(key);
            } else {
                different.insert(key);
            }
        }
        let (tone, label) = match (different.len(), wanted) {
            (0, true) => (Tone::Good, "as in the engine".to_owned()),
            (0, false) => (Tone::Off, "none wanted".to_owned()),
            (1, _) => (Tone::Doubt, "1 differs".to_owned()),
            (many, _) => (Tone::Doubt, format!("{many} differ")),
        };
        if let Some(last) = items.last_mut() {
            // The comparisons changed, but not the number of different mirrors.
            if last.label == label {
                continue;
            }
            last.to = Some(*at);
        }
        items.push(Item::bar(*at, source.end, tone, label));
    }
    vec![Row::new("against the engine", items)]
}
