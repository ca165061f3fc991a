//! What rules made the daemon read instead of the engine's own answers.
//!
//! A rule that rewrites answers says what the daemon is told for as long as it is armed. A mirror with
//! that value is as right as one with the engine's own: the daemon cannot know the difference. When the
//! rule has ended, only the engine's own value is right.

use std::collections::BTreeMap;

use serde_json::Value;

use super::names::Names;
use crate::mirror::{MirrorKey, field_form};
use crate::record::{Record, What, WireWhat};
use crate::scenario::{FaultKind, FaultName, FaultStep, Match, Side, Step};
use crate::steps::ArmedRules;

/// Where an engine's answer about one object has the fields of a mirror: JSON pointer, and field.
type Places = &'static [(&'static str, &'static str)];

const CONTAINER: Places = &[
    ("/Name", "name"),
    ("/Path", "path"),
    ("/Args", "args"),
    ("/Image", "image"),
    ("/NetworkSettings/Ports", "ports"),
    ("/Config/Labels", "labels"),
    ("/State/Status", "status"),
    ("/State/Pid", "pid"),
    ("/State/ExitCode", "exitCode"),
    ("/State/Error", "error"),
    ("/Created", "createdAt"),
    ("/State/StartedAt", "startedAt"),
    ("/State/FinishedAt", "finishedAt"),
];

const IMAGE: Places = &[
    ("/RepoDigests", "repoDigests"),
    ("/Architecture", "architecture"),
    ("/Os", "os"),
    ("/Size", "size"),
    ("/Created", "createdAt"),
    ("/Config/Labels", "labels"),
];

const VOLUME: Places = &[
    ("/CreatedAt", "createdAt"),
    ("/Driver", "driver"),
    ("/Mountpoint", "mountpoint"),
    ("/Scope", "scope"),
    ("/Labels", "labels"),
    ("/Options", "options"),
];

/// The rules that rewrite answers about objects now.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    rules: ArmedRules,
    armed: BTreeMap<String, Rewrite>,
}

/// One such rule.
#[derive(Clone, Debug)]
struct Rewrite {
    name: Option<FaultName>,
    /// The values by JSON pointer; null for one that is removed.
    values: BTreeMap<String, Value>,
    on: Match,
    /// How often it will still happen; any number of times if `None`.
    times: Option<u32>,
}

impl Told {
    /// Applies the next record; `begun` is the step that begins with it, if one does.
    pub(super) fn apply(&mut self, record: &Record, begun: Option<&Step>) {
        if let Some(step) = begun {
            self.apply_step(step);
        }
        if let What::Wire(message) = &record.what
            && let WireWhat::Faulted { rule, .. } = &message.event
            && let Some(rewrite) = self.armed.get_mut(rule)
            && let Some(times) = &mut rewrite.times
        {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.armed.remove(rule);
            }
        }
    }

    fn apply_step(&mut self, step: &Step) {
        let armed = self.rules.apply(step);
        match (step, armed) {
            (Step::Fault(FaultStep::Fault(fault)), Some(rule)) => {
                if let FaultKind::Rewrite { set, remove, .. } = &fault.kind
                    && fault.wire == Side::Engine
                    && fault.on.frame.is_empty()
                {
                    let removed = remove.iter().map(|at| (at.clone(), Value::Null));
                    let values = set.clone().into_iter().chain(removed).collect();
                    let (name, on, times) = (fault.name.clone(), fault.on.clone(), fault.times);
                    self.armed.insert(rule, Rewrite { name, values, on, times });
                }
            }
            (Step::Fault(FaultStep::Lift(name)), _) => {
                self.armed.retain(|_, rewrite| rewrite.name.as_ref() != Some(name));
            }
            _ => {}
        }
    }

    /// Whether a rule made the daemon read this value of a field.
    pub(super) fn has(&self, key: &MirrorKey, field: &str, seen: &str, names: &Names) -> bool {
        self.armed.values().any(|rewrite| rewrite.has(key, field, seen, names))
    }
}

impl Rewrite {
    fn has(&self, key: &MirrorKey, field: &str, seen: &str, names: &Names) -> bool {
        let (resource, places): (_, Places) = match key {
            MirrorKey::Container(_) => ("containers", CONTAINER),
            MirrorKey::Image { .. } => ("images", IMAGE),
            MirrorKey::Volume(_) => ("volumes", VOLUME),
            MirrorKey::Blank { .. } => return false,
        };
        let in_list = match (self.on.route.as_deref(), resource) {
            (Some("/containers/{id}/json"), "containers")
            | (Some("/images/{id}/json"), "images")
            | (Some("/volumes/{name}"), "volumes") => false,
            (Some("/volumes"), "volumes") => true,
            _ => return false,
        };
        let Some((place, _)) = places.iter().find(|(_, of)| *of == field) else { return false };
        if !self.is_about(key, names) {
            return false;
        }
        self.values.iter().any(|(pointer, value)| {
            // An entry of a list has its number before its fields.
            let pointer = if in_list { entry(pointer) } else { Some(pointer.as_str()) };
            pointer.is_some_and(|pointer| told(pointer, value, place, resource, field, seen))
        })
    }

    /// Whether the rule may be about the object of this mirror.
    fn is_about(&self, key: &MirrorKey, names: &Names) -> bool {
        let id = key.engine_id().unwrap_or_default();
        self.on.params.values().all(|wanted| match wanted.strip_prefix('$') {
            Some(alias) => names.get(id).is_some_and(|name| name == alias),
            None => id == wanted || names.get(id) == Some(wanted),
        })
    }
}

/// The pointer within an entry of the list of volumes; empty for the whole entry.
fn entry(pointer: &str) -> Option<&str> {
    let entry = pointer.strip_prefix("/Volumes/")?;
    Some(entry.find('/').map_or("", |slash| &entry[slash..]))
}

/// Whether a value at `pointer` made the daemon read `seen` for a field that is at `place`.
fn told(
    pointer: &str,
    value: &Value,
    place: &str,
    resource: &str,
    field: &str,
    seen: &str,
) -> bool {
    let is_below = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    if is_below(place, pointer) {
        // Only a part of the field was rewritten, so its whole value is not known here.
        return true;
    }
    let part = if pointer == place {
        Some(value)
    } else if is_below(pointer, place) {
        value.pointer(&place[pointer.len()..])
    } else {
        return false;
    };
    match field {
        // The API has another form of these than the engine.
        "ports" | "status" | "name" => true,
        _ => field_form(resource, field).is_some_and(|form| form.text(part) == seen),
    }
}

#[cfg(test)]
#[path = "told_tests.rs"]
mod tests;
