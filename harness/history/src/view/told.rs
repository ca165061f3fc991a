//! What rules made the daemon read instead of the engine's own answers.
//!
//! A rule that rewrites answers says what the daemon is told for as long as it is armed. A mirror with
//! that value is as right as one with the engine's own: the daemon cannot know the difference. When the
//! rule has ended, only the engine's own value is right.
//!
//! A rule that answers an inspection with 404 says that the object is gone. The daemon need not mirror it until
//! the engine itself shows it the object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::names::Names;
use super::wire::object_in;
use crate::mirror::{MirrorKey, field_form};
use crate::record::{Record, What, WireWhat};
use crate::scenario::{FaultKind, FaultName, FaultStep, Match, Side, Step};
use crate::steps::ArmedRules;

const CONTAINER_ROUTE: &str = "/containers/{id}/json";
const IMAGE_ROUTE: &str = "/images/{id}/json";
const VOLUME_ROUTE: &str = "/volumes/{name}";

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
    /// The exchanges in which the daemon inspects an object, and the object.
    inspections: BTreeMap<u64, Object>,
    /// The objects that the daemon was told to be gone.
    missing: BTreeSet<Object>,
}

/// Route of its inspection, and ID of a container or an image or name of a volume.
type Object = (String, String);

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
        let What::Wire(message) = &record.what else { return };
        let exchange = message.exchange;
        if let WireWhat::Request { target, route: Some(route), .. } = &message.event {
            if [CONTAINER_ROUTE, IMAGE_ROUTE, VOLUME_ROUTE].contains(&route.as_str())
                && let Some(id) = object_in(route, target)
            {
                self.inspections.insert(exchange, (route.clone(), id));
            }
        } else if let WireWhat::Faulted { rule, .. } = &message.event {
            self.apply_fault(exchange, rule);
        } else if let WireWhat::Response { status: 200 } = &message.event
            && let Some(object) = self.inspections.get(&exchange)
        {
            self.missing.remove(object);
        }
    }

    fn apply_fault(&mut self, exchange: u64, rule: &str) {
        if let Some(FaultStep::Answer { status: 404, .. }) = self.rules.get(rule)
            && let Some(object) = self.inspections.get(&exchange)
        {
            self.missing.insert(object.clone());
        }
        if let Some(rewrite) = self.armed.get_mut(rule)
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

    /// Whether a rule told the daemon that the object is gone, and the engine has not shown it since.
    pub(super) fn is_missing(&self, key: &MirrorKey) -> bool {
        let route = match key {
            MirrorKey::Container(_) => CONTAINER_ROUTE,
            MirrorKey::Image { .. } => IMAGE_ROUTE,
            MirrorKey::Volume(_) => VOLUME_ROUTE,
            MirrorKey::Blank { .. } => return false,
        };
        let id = key.engine_id().unwrap_or_default();
        self.missing.iter().any(|(of, missing)| of == route && missing == id)
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
            (Some(CONTAINER_ROUTE), "containers")
            | (Some(IMAGE_ROUTE), "images")
            | (Some(VOLUME_ROUTE), "volumes") => false,
            (Some("/volumes"), "volumes") => true,
            _ => return false,
        };
        let Some((place, name)) = places.iter().find(|(_, of)| *of == field) else {
            return false;
        };
        let field = Field { resource, name, place };
        if !self.is_about(key, names) {
            return false;
        }
        self.values.iter().any(|(pointer, value)| {
            // An entry of a list has its number before its fields.
            let pointer = if in_list { entry(pointer) } else { Some(pointer.as_str()) };
            pointer.is_some_and(|pointer| field.is_told(pointer, value, seen))
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

/// A field of a mirror.
struct Field<'a> {
    /// Plural name of the mirror's kind.
    resource: &'a str,
    name: &'a str,
    /// Where the engine's answer has it: a JSON pointer.
    place: &'a str,
}

impl Field<'_> {
    /// Whether a value at `pointer` made the daemon read `seen` for this field.
    fn is_told(&self, pointer: &str, value: &Value, seen: &str) -> bool {
        let is_below = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
        };
        if is_below(self.place, pointer) {
            // Only a part of the field was rewritten, so its whole value is not known here.
            return true;
        }
        let part = if pointer == self.place {
            Some(value)
        } else if is_below(pointer, self.place) {
            value.pointer(&self.place[pointer.len()..])
        } else {
            return false;
        };
        match self.name {
            // The API has another form of these than the engine.
            "ports" | "status" | "name" => true,
            name => field_form(self.resource, name).is_some_and(|form| form.text(part) == seen),
        }
    }
}

#[cfg(test)]
#[path = "told_tests.rs"]
mod tests;
