//! A mirror has the promised name, finalizer and fields, and is written in the promised order
//! (contract 3.6.9, 3.6.17 to 3.6.22).
//!
//! - The daemon first creates the object: with its finalizer and nothing else, without a status. A
//!   watch shows that state.
//! - At a checkpoint, each mirror that is not being deleted has the name that follows from what it
//!   mirrors, and the daemon's finalizer, unless a user has written its finalizers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::check::Check;
use crate::mirror::{MIRROR_FINALIZER, Mirror, MirrorKey};
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::record::{Change, Record, Stage, What};
use crate::view::View;

/// Metadata that a new mirror does not have.
const NO_METADATA: [&str; 3] = ["labels", "annotations", "ownerReferences"];

const FINALIZERS: &str = "/metadata/finalizers";

/// Kinds of mirrors.
const RESOURCES: [&str; 3] = ["containers", "images", "volumes"];

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    // UIDs of the objects whose finalizers a user has written.
    let mut by_users = BTreeSet::new();
    for record in history {
        view.apply(record);
        match &record.what {
            What::UserWrite(write) if write.wrote(FINALIZERS).is_some() => {
                by_users.insert(write.uid.as_str());
            }
            What::Api(change) if change.change == Change::Added => {
                for seen in ObservedObject::in_record(&record.what) {
                    if let Some(complaint) = new_mirror(&seen) {
                        let text = format!("new {} {}: {complaint}", seen.resource, seen.name());
                        finding.violated(Check::NewMirror, record.seq, text);
                    }
                }
            }
            What::Checkpoint { number, stage: Stage::Probed } => {
                for resource in RESOURCES {
                    for object in view.objects(resource) {
                        if let Some(complaint) = written_mirror(resource, object, &by_users) {
                            let text = format!("checkpoint {number}: {complaint}");
                            finding.violated(Check::WrittenMirror, record.seq, text);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    finding
}

/// What is wrong with an object that a watch reports as new, if the daemon has created it.
fn new_mirror(seen: &ObservedObject<'_>) -> Option<String> {
    let metadata = seen.object.get("metadata")?;
    // What a user creates does not have the daemon's finalizer.
    let finalizers = metadata.get("finalizers").filter(|_| RESOURCES.contains(&seen.resource))?;
    if !finalizers.as_array()?.iter().any(|finalizer| finalizer == MIRROR_FINALIZER) {
        return None;
    }
    if *finalizers != json!([MIRROR_FINALIZER]) {
        return Some(format!("it has the finalizers {finalizers}"));
    }
    if let Some(field) = NO_METADATA.iter().find(|field| metadata.get(**field).is_some()) {
        return Some(format!("it has {field}"));
    }
    let spec = seen.object.get("spec").filter(|spec| !is_empty(spec));
    // Revisions whose users ask for a state by `spec.state` begin with one that asks for nothing.
    if let Some(spec) = spec.filter(|spec| **spec != json!({"state": "unknown"})) {
        return Some(format!("it has the spec {spec}"));
    }
    let status = seen.object.get("status").filter(|status| !is_empty(status))?;
    Some(format!("it has a status before it was stored without one: {status}"))
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// What is wrong with a mirror that has its status. Users have written the finalizers of the objects with these
/// UIDs.
fn written_mirror(resource: &str, object: &Value, by_users: &BTreeSet<&str>) -> Option<String> {
    let mirror = Mirror::read(resource, object)?;
    if mirror.terminating {
        return None;
    }
    let promised = match &mirror.key {
        MirrorKey::Blank { .. } => return None,
        MirrorKey::Container(id) => id.clone(),
        MirrorKey::Image { id, tag: None } => format!("img-{}", hex_digest(&[id])),
        MirrorKey::Image { id, tag: Some(tag) } => format!("img-{}", hex_digest(&[id, "\0", tag])),
        MirrorKey::Volume(name) => format!("vol-{}", hex_digest(&[name])),
    };
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if name != promised {
        return Some(format!("the mirror of {} is named {name}, not {promised}", mirror.key));
    }
    let is_owned = mirror.owned || by_users.contains(mirror.uid.as_str());
    (!is_owned).then(|| format!("the mirror of {} has no finalizer", mirror.key))
}

fn hex_digest(parts: &[&str]) -> String {
    let digest = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
