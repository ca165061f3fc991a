//! A container's conditions follow from its state (contract 3.7.27).
//!
//! Another controller than that of the mirrors writes the conditions, so they may lag behind. They are
//! judged at a checkpoint, for the mirrors that nobody has written since the world was level. If they
//! become right later, while the container's state stays, they were late, and nothing is wrong.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::Check;
use crate::mirror::short;
use crate::oracle::Finding;
use crate::record::{Record, Stage, What};
use crate::view::View;

/// The conditions that are true in one state, each with that state.
const OF_STATE: [(&str, &str); 4] =
    [("Running", "running"), ("Paused", "paused"), ("Restarting", "restarting"), ("Dead", "dead")];

/// A mirror whose conditions did not fit at a checkpoint.
struct Unfit {
    name: String,
    state: String,
    seq: u64,
    text: String,
    /// Its state has changed since, so its conditions cannot become right any more.
    over: bool,
}

/// `has_conditions`: the daemon runs the controller that writes the conditions.
pub(super) fn judge(history: &[Record], has_conditions: bool) -> Finding {
    let mut view = View::default();
    let mut at_level: BTreeMap<String, Value> = BTreeMap::new();
    let mut unfit: Vec<Unfit> = Vec::new();
    for record in history {
        view.apply(record);
        match &record.what {
            What::Api(change) if change.resource == "containers" => {
                unfit.retain_mut(|unfit| !unfit.was_late(&change.object));
            }
            What::Checkpoint { stage: Stage::Level, .. } => at_level = containers(&view),
            What::Checkpoint { number, stage: Stage::Probed } if has_conditions => {
                for (name, container) in containers(&view) {
                    if at_level.get(&name) != Some(&container) {
                        continue;
                    }
                    if let Some(complaint) = complaint(&container) {
                        let short = short(&name);
                        let text = format!("checkpoint {number}: container {short}: {complaint}");
                        let state = state(&container).to_owned();
                        unfit.push(Unfit { name, state, seq: record.seq, text, over: false });
                    }
                }
            }
            _ => {}
        }
    }
    let mut finding = Finding::default();
    for Unfit { seq, text, .. } in unfit {
        finding.violated(Check::ContainerConditions, seq, text);
    }
    finding
}

impl Unfit {
    /// Whether a later state of the mirror shows that its conditions were only late.
    fn was_late(&mut self, object: &Value) -> bool {
        let name = object.pointer("/metadata/name").and_then(Value::as_str);
        if name != Some(self.name.as_str()) || self.over {
            return false;
        }
        self.over = state(object) != self.state;
        !self.over && complaint(object).is_none()
    }
}

fn state(container: &Value) -> &str {
    container.pointer("/status/status").and_then(Value::as_str).unwrap_or_default()
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
    let state = state(container);
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
