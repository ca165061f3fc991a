//! The engine's events, and the events of the harness's watches of the daemon's API.

use std::collections::BTreeMap;

use racetrap_history::{Change, What};

use super::{At, Item, Row, Source, Tone};

/// Resources in the order of their rows. All other resources come after them.
const RESOURCES: [&str; 6] =
    ["apps", "limavms", "containernamespaces", "containers", "images", "volumes"];

/// The engine's events, one row for each kind of object.
pub(super) fn events(source: &Source<'_>) -> Vec<Row> {
    let mut rows: BTreeMap<&str, Vec<Item>> = BTreeMap::new();
    for record in &source.records {
        let What::Engine(event) = &record.what else { continue };
        let tone = match event.action.as_str() {
            "create" | "load" | "tag" | "pull" | "import" => Tone::Added,
            "destroy" | "delete" | "untag" | "remove" => Tone::Removed,
            _ => Tone::Changed,
        };
        let mark = Item::mark(At::from(*record), tone, source.text(record));
        rows.entry(&event.object).or_default().push(mark);
    }
    rows.into_iter().map(|(object, items)| Row::new(format!("{object}s"), items)).collect()
}

/// Changes and lists of the API, one row for each resource.
pub(super) fn watched(source: &Source<'_>) -> Vec<Row> {
    let mut rows: BTreeMap<(usize, &str), Vec<Item>> = BTreeMap::new();
    for record in &source.records {
        let (resource, tone) = match &record.what {
            What::Api(change) => {
                let tone = match change.change {
                    Change::Added => Tone::Added,
                    Change::Modified => Tone::Changed,
                    Change::Deleted => Tone::Removed,
                };
                (&change.resource, tone)
            }
            What::Listed { resource, .. } | What::WatchLost { resource, .. } => {
                (resource, Tone::Faint)
            }
            _ => continue,
        };
        // Unknown resources share the last place and are sorted by name.
        let place = RESOURCES.iter().position(|known| known == resource);
        let key = (place.unwrap_or(RESOURCES.len()), resource.as_str());
        let mark = Item::mark(At::from(*record), tone, source.text(record));
        rows.entry(key).or_default().push(mark);
    }
    rows.into_iter().map(|((_, resource), items)| Row::new(resource, items)).collect()
}
