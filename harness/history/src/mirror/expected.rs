//! The mirrors that the engine's objects must have, and how they differ from those that there are.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fields::compared_fields;
use super::key::MirrorKey;
use super::object::Mirror;
use crate::record::{EngineContainer, EngineImage, EngineState, EngineVolume};
use crate::scenario::PROBE_VOLUME_PREFIX;

/// The namespace of everything whose name does not contain another one (contract 3.6.11).
const ENGINE_NAMESPACE: &str = "moby";

/// The states that the API has. Any other state of the engine is `unknown` (contract 3.6.10).
const STATES: [&str; 8] =
    ["created", "running", "pausing", "paused", "restarting", "removing", "exited", "dead"];

/// What a mirror must say, field by field.
type Fields = BTreeMap<String, String>;

/// The mirrors that an engine's objects must have, and what each must say. A field that the history
/// does not know is missing, and is not compared.
#[must_use]
pub fn expected(state: &EngineState) -> BTreeMap<MirrorKey, Fields> {
    let mut wanted = BTreeMap::new();
    for (id, container) in &state.containers {
        let fields = fields("containers", &container_values(container));
        wanted.insert(MirrorKey::Container(id.clone()), fields);
    }
    for (id, image) in &state.images {
        let fields = fields("images", &image_values(image));
        let tags: Vec<Option<String>> = match image.tags.as_slice() {
            [] => vec![None],
            tags => tags.iter().cloned().map(Some).collect(),
        };
        for tag in tags {
            wanted.insert(MirrorKey::Image { id: id.clone(), tag }, fields.clone());
        }
    }
    for (name, volume) in &state.volumes {
        if !name.starts_with(PROBE_VOLUME_PREFIX) {
            let fields = fields("volumes", &volume_values(volume));
            wanted.insert(MirrorKey::Volume(name.clone()), fields);
        }
    }
    wanted
}

/// The compared fields of a resource that are known, in the form in which they are compared.
fn fields(resource: &str, values: &Value) -> Fields {
    let known = compared_fields(resource)
        .filter_map(|(name, form)| Some((name.to_owned(), form.text(Some(values.get(name)?)))));
    known.collect()
}

/// A container's fields as the API has them. Fields that the record does not have are missing.
fn container_values(container: &EngineContainer) -> Value {
    let EngineContainer { name, image, state, labels, details } = container;
    let (namespace, name) = name.split_once('/').unwrap_or((ENGINE_NAMESPACE, name));
    let status = STATES.iter().find(|known| *known == state).unwrap_or(&"unknown");
    let mut values = json!({ "name": name, "image": image, "status": status, "labels": labels });
    if let Some(details) = details {
        let ports = details.ports.iter().map(|(name, bindings)| {
            let bindings = bindings
                .iter()
                .map(|binding| json!({ "hostIP": binding.host_ip, "hostPort": binding.host_port }));
            json!({ "name": name, "bindings": bindings.collect::<Vec<_>>() })
        });
        let more = json!({
            "namespace": namespace,
            "path": details.path,
            "args": details.args,
            "ports": ports.collect::<Vec<_>>(),
            "pid": details.pid,
            "exitCode": details.exit_code,
            "error": details.error,
            "createdAt": details.created_at,
            "startedAt": details.started_at,
            "finishedAt": details.finished_at,
        });
        extend(&mut values, more);
    }
    values
}

/// An image's fields as the API has them. Fields that the record does not have are missing.
fn image_values(image: &EngineImage) -> Value {
    let EngineImage { os, architecture, labels, .. } = image;
    let mut values = json!({ "os": os, "architecture": architecture, "labels": labels });
    if let Some(details) = &image.details {
        let more = json!({
            "namespace": ENGINE_NAMESPACE,
            "repoDigests": details.repo_digests,
            "size": details.size,
            "createdAt": details.created_at,
        });
        extend(&mut values, more);
    }
    values
}

/// A volume's fields as the API has them. Fields that the record does not have are missing.
fn volume_values(volume: &EngineVolume) -> Value {
    let EngineVolume { driver, mountpoint, labels, details } = volume;
    let mut values = json!({ "driver": driver, "mountpoint": mountpoint, "labels": labels });
    if let Some(details) = details {
        let more = json!({
            "namespace": ENGINE_NAMESPACE,
            "scope": details.scope,
            "options": details.options,
            "createdAt": details.created_at,
        });
        extend(&mut values, more);
    }
    values
}

/// Adds the fields of one object to another one.
fn extend(values: &mut Value, more: Value) {
    if let (Value::Object(values), Value::Object(more)) = (values, more) {
        values.extend(more);
    }
}

/// Every difference between the mirrors that must be and those that are, as sentence fragments.
///
/// What a user created is no mirror, and a mirror that somebody else's finalizer keeps beyond its
/// deletion is not the daemon's to remove (contract 4.3, 4.6). The mirror of an image or a volume
/// may be marked for deletion for as long as the engine has it in use (contract 4.3).
#[must_use]
pub fn compare(wanted: &BTreeMap<MirrorKey, Fields>, seen: &[Mirror]) -> Vec<String> {
    compare_with(wanted, seen, |_, _, _| false)
}

/// The same, where `is_told` says of a mirror's field and the value that it has whether that is as right
/// as the engine's own.
#[must_use]
pub(crate) fn compare_with(
    wanted: &BTreeMap<MirrorKey, Fields>,
    seen: &[Mirror],
    is_told: impl Fn(&MirrorKey, &str, &str) -> bool,
) -> Vec<String> {
    let mut differences = Vec::new();
    let mut by_key: BTreeMap<&MirrorKey, Vec<&Mirror>> = BTreeMap::new();
    for mirror in seen.iter().filter(|mirror| !mirror.is_probe() && !mirror.is_foreign()) {
        by_key.entry(&mirror.key).or_default().push(mirror);
    }
    for (key, fields) in wanted {
        match by_key.get(key).map(Vec::as_slice) {
            None => differences.push(format!("{key}: in the engine, but has no mirror")),
            Some([mirror]) => differences.extend(differing_fields(fields, mirror, &is_told)),
            Some(several) => differences.push(format!("{key}: {} mirrors", several.len())),
        }
    }
    for (key, mirrors) in by_key.iter().filter(|(key, _)| !wanted.contains_key(**key)) {
        if !mirrors.iter().all(|mirror| mirror.kept) {
            differences.push(format!("{key}: mirrored, but the engine has no such object"));
        }
    }
    differences
}

fn differing_fields(
    wanted: &Fields,
    mirror: &Mirror,
    is_told: &impl Fn(&MirrorKey, &str, &str) -> bool,
) -> Vec<String> {
    if mirror.kept && mirror.terminating {
        return Vec::new();
    }
    let mut differences: Vec<_> = wanted
        .iter()
        .filter(|(field, value)| match mirror.fields.get(*field) {
            Some(seen) => seen != *value && !is_told(&mirror.key, field, seen),
            None => true,
        })
        .map(|(field, value)| {
            let seen = mirror.fields.get(field).map_or("nothing", String::as_str);
            format!("{}: {field} is `{value}` in the engine, `{seen}` in its mirror", mirror.key)
        })
        .collect();
    // The removal of a container is forced, so that nothing can be in its way (contract 4.3).
    if mirror.terminating && matches!(mirror.key, MirrorKey::Container(_)) {
        differences.push(format!("{}: its mirror is being deleted", mirror.key));
    }
    differences
}

#[cfg(test)]
#[path = "expected_tests.rs"]
mod tests;
