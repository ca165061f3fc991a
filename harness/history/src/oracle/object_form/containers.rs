//! A container's conditions follow from its state (contract 3.7.27).
//!
//! Another controller than that of the mirrors writes the conditions, so they may lag behind. They are
//! judged at a checkpoint, for the mirrors that nobody has written since the world was level.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::mirror::short;
use crate::oracle::Finding;
use crate::record::{Record, Stage, What};
use crate::scenario::OracleName;
use crate::view::View;

/// The conditions that are true in one state, each with that state.
const OF_STATE: [(&str, &str); 4] =
    [("Running", "running"), ("Paused", "paused"), ("Restarting", "restarting"), ("Dead", "dead")];

/// `has_conditions`: the daemon runs the controller that writes the conditions.
pub(super) fn judge(history: &[Record], has_conditions: bool) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut at_level: BTreeMap<String, Value> = BTreeMap::new();
    for record in history {
        view.apply(record);
        match record.what {
            What::Checkpoint { stage: Stage::Level, .. } => at_level = containers(&view),
            What::Checkpoint { number, stage: Stage::Probed } if has_conditions => {
                for (name, container) in containers(&view) {
                    if at_level.get(&name) != Some(&container) {
                        continue;
                    }
                    if let Some(complaint) = complaint(&container) {
                        let name = short(&name);
                        let text = format!("checkpoint {number}: container {name}: {complaint}");
                        finding.violated(OracleName::ObjectForm, record.seq, text);
                    }
                }
            }
            _ => {}
        }
    }
    finding
}

/// The mirrors of containers that are written and not being deleted, by name.
fn containers(view: &View) -> BTreeMap<String, Value> {
    let written = view.objects("containers").filter(|object| {
        object.pointer("/status/name").is_some()
            && object.pointer("/metadata/deletionTimestamp").is_none()
    });
    let named = written.filter_map(|object| {
        Some((object.pointer("/metadata/name")?.as_str()?.to_owned(), object.clone()))
    });
    named.collect()
}

/// The first condition that is not as the state wants it.
fn complaint(container: &Value) -> Option<String> {
    let state = container.pointer("/status/status").and_then(Value::as_str).unwrap_or_default();
    let listed = container.pointer("/status/conditions").and_then(Value::as_array);
    let found = |kind: &str| {
        let mut listed = listed.into_iter().flatten();
        let found = listed.find(|condition| condition["type"] == kind)?;
        Some((found["status"].as_str()?, found["reason"].as_str()?))
    };
    let of_state = OF_STATE.into_iter().map(|(kind, of)| {
        let wanted = if state == of { ("True", "") } else { ("False", "Not") };
        (kind, wanted.0, format!("{}{kind}", wanted.1))
    });
    // The mirror does not say it, so the condition is always unknown; its reason is not promised.
    let all = of_state.chain([("OOMKilled", "Unknown", String::new())]);
    all.into_iter().find_map(|(kind, status, reason)| match found(kind) {
        None => Some(format!("is {state}, and has no condition {kind}")),
        Some((is, given)) if is != status || !(reason.is_empty() || given == reason) => {
            Some(format!("is {state}, but {kind}={is} ({given})"))
        }
        Some(_) => None,
    })
}
