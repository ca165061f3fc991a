//! The conditions of the App and its VM over time.

use std::collections::BTreeMap;

use racetrap_history::{View, What};
use serde_json::Value;

use super::{At, Item, Row, Source, Tone};

/// The resources whose conditions are shown, with the prefix of the titles of their rows. Mirrors
/// are left out, because there are many of them.
const SHOWN: [(&str, &str); 2] = [("apps", ""), ("limavms", "VM ")];

/// The first rows: the desired state, and the condition that says whether it is reached.
const FIRST: [&str; 2] = ["wanted", "Settled"];

/// One row for each condition, with one bar for as long as the condition does not change.
pub(super) fn rows(source: &Source<'_>) -> Vec<Row> {
    let mut view = View::default();
    // By the positions in `SHOWN` and `FIRST`, and by the title, so that the order of the map is
    // that of the rows.
    let mut rows: BTreeMap<(usize, usize, String), Vec<Item>> = BTreeMap::new();
    for record in &source.records {
        view.apply(record);
        let resource = match &record.what {
            What::Api(change) => &change.resource,
            What::Listed { resource, .. } => resource,
            _ => continue,
        };
        let Some(rank) = SHOWN.iter().position(|(shown, _)| shown == resource) else { continue };
        // Both resources have a single object.
        let name = view.names(resource).next().and_then(|name| name.rsplit('/').next());
        let object = name.and_then(|name| view.object(resource, name));
        let mut current = object.map(conditions).unwrap_or_default();
        let at = At::from(*record);
        // The last bar of a row is still open if it lasts until the end of the history. It ends
        // here if its condition has changed or disappeared.
        for ((of, _, title), items) in &mut rows {
            if *of == rank
                && let Some(last) = items.last_mut().filter(|last| last.to == Some(source.end))
            {
                match current.remove(title) {
                    Some((tone, label)) if last.tone == tone && last.label == label => {}
                    changed => {
                        last.to = Some(at);
                        let next =
                            changed.map(|(tone, label)| Item::bar(at, source.end, tone, label));
                        items.extend(next);
                    }
                }
            }
        }
        // The remaining conditions have no open bar.
        for (title, (tone, label)) in current {
            let bar = Item::bar(at, source.end, tone, label);
            let first = FIRST.iter().position(|first| *first == title).unwrap_or(FIRST.len());
            rows.entry((rank, first, title)).or_default().push(bar);
        }
    }
    let titled = |((rank, _, title), items): ((usize, _, String), _)| {
        Row::new(format!("{}{title}", SHOWN[rank].1), items)
    };
    rows.into_iter().map(titled).collect()
}

/// The conditions of an object by type, and its desired state as `wanted`.
fn conditions(object: &Value) -> BTreeMap<String, (Tone, String)> {
    let mut found = BTreeMap::new();
    if let Some(running) = object.pointer("/spec/running").and_then(Value::as_bool) {
        let tone = if running { Tone::Good } else { Tone::Off };
        let state = if running { "should run" } else { "should be stopped" };
        found.insert("wanted".to_owned(), (tone, state.to_owned()));
    }
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    for condition in conditions.into_iter().flatten() {
        let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        let observed = condition.get("observedGeneration").and_then(Value::as_i64);
        let mut label = format!("{} {}", text("status"), text("reason"));
        // A condition of an older generation does not say anything about the current spec.
        let is_stale = observed < generation && observed.is_some();
        if is_stale {
            label += ", of an older generation";
        }
        let tone = match text("status") {
            _ if is_stale => Tone::Doubt,
            "True" => Tone::Good,
            "False" => Tone::Off,
            _ => Tone::Doubt,
        };
        found.insert(text("type").to_owned(), (tone, label));
    }
    found
}
