//! What the App and its VM say of themselves, over time.

use std::collections::BTreeMap;

use racetrap_history::{View, What};
use serde_json::Value;

use super::{At, Item, Row, Source, Tone};

/// The resources whose conditions are shown, and what the rows of their objects begin with. A mirror's
/// conditions are those of one among many.
const SHOWN: [(&str, &str); 2] = [("apps", ""), ("limavms", "VM ")];

/// What stands above the other rows: what is wanted, and what says that it is so.
const FIRST: [&str; 2] = ["wanted", "Settled"];

/// A row for each condition; a bar for as long as it says the same.
pub(super) fn rows(source: &Source<'_>) -> Vec<Row> {
    let mut view = View::default();
    let mut rows: BTreeMap<(usize, usize, String), Vec<Item>> = BTreeMap::new();
    for record in &source.records {
        view.apply(record);
        let resource = match &record.what {
            What::Api(change) => &change.resource,
            What::Listed { resource, .. } => resource,
            _ => continue,
        };
        let Some(rank) = SHOWN.iter().position(|(shown, _)| shown == resource) else { continue };
        let name = view.names(resource).next().and_then(|name| name.rsplit('/').next());
        let object = name.and_then(|name| view.object(resource, name));
        let mut said = object.map(said).unwrap_or_default();
        let at = At::from(*record);
        // One that is not there any more says nothing.
        for ((of, _, title), items) in &mut rows {
            if *of == rank
                && let Some(last) = items.last_mut().filter(|last| last.to == Some(source.end))
            {
                match said.remove(title) {
                    Some((tone, label)) if last.tone == tone && last.label == label => {}
                    now => {
                        last.to = Some(at);
                        let next = now.map(|(tone, label)| Item::bar(at, source.end, tone, label));
                        items.extend(next);
                    }
                }
            }
        }
        for (title, (tone, label)) in said {
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

/// What an object says now, by its condition.
fn said(object: &Value) -> BTreeMap<String, (Tone, String)> {
    let mut said = BTreeMap::new();
    if let Some(running) = object.pointer("/spec/running").and_then(Value::as_bool) {
        let tone = if running { Tone::Good } else { Tone::Off };
        let wish = if running { "shall run" } else { "shall be stopped" };
        said.insert("wanted".to_owned(), (tone, wish.to_owned()));
    }
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    for condition in conditions.into_iter().flatten() {
        let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        let observed = condition.get("observedGeneration").and_then(Value::as_i64);
        let mut label = format!("{} {}", text("status"), text("reason"));
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
        said.insert(text("type").to_owned(), (tone, label));
    }
    said
}
