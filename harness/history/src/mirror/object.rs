//! A mirror as the API shows it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::compared_fields;
use super::key::MirrorKey;
use crate::scenario::PROBE_VOLUME_PREFIX;

/// What the daemon marks its mirrors with (contract 3.6).
pub(crate) const MIRROR_FINALIZER: &str = "engine.rancherdesktop.io/mirror";

/// A mirror as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// What it stands for.
    pub key: MirrorKey,
    /// UID of the API object.
    pub uid: String,
    /// It is marked for deletion, and a finalizer keeps it.
    pub terminating: bool,
    /// It has a finalizer that is not the daemon's own: somebody else decides when it goes.
    pub kept: bool,
    /// It has the daemon's own finalizer, or had it before its deletion began.
    pub owned: bool,
    /// The values of its status that are compared with the engine's, by field.
    pub fields: BTreeMap<String, String>,
}

impl Mirror {
    /// Reads an API object of `resource`; none where the resource holds no mirrors.
    #[must_use]
    pub fn read(resource: &str, object: &Value) -> Option<Self> {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let name = text("/metadata/name").unwrap_or_default();
        let blank = || MirrorKey::Blank { resource: resource.to_owned(), name: name.clone() };
        let status = object.get("status").filter(|status| status.is_object());
        let key = match resource {
            // Only a status says that the mirror is written; the ID is the mirror's name. The daemon
            // writes conditions into a Container that a user created, too: then the name is empty.
            "containers" => text("/status/name")
                .filter(|name| !name.is_empty())
                .map(|_| MirrorKey::Container(name.clone())),
            "images" => text("/status/id").map(|id| MirrorKey::Image {
                id,
                tag: text("/status/repoTag").filter(|tag| !tag.is_empty()),
            }),
            "volumes" => text("/status/name").map(MirrorKey::Volume),
            _ => return None,
        };
        let fields = compared_fields(resource).map(|(name, form)| {
            (name.to_owned(), form.text(status.and_then(|status| status.get(name))))
        });
        let fields = fields.collect();
        let terminating = object.pointer("/metadata/deletionTimestamp").is_some();
        let finalizers = finalizers(object);
        Some(Self {
            key: key.unwrap_or_else(blank),
            uid: text("/metadata/uid").unwrap_or_default(),
            terminating,
            kept: finalizers.iter().any(|finalizer| *finalizer != MIRROR_FINALIZER),
            owned: terminating || finalizers.contains(&MIRROR_FINALIZER),
            fields,
        })
    }

    /// It stands for nothing, and the daemon has not made it its own: a user created it (contract
    /// 4.3: such an object is tolerated).
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        matches!(self.key, MirrorKey::Blank { .. }) && !self.owned
    }

    /// It mirrors an object that the harness made to probe the daemon.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        matches!(&self.key, MirrorKey::Volume(name) if name.starts_with(PROBE_VOLUME_PREFIX))
    }
}

fn finalizers(object: &Value) -> Vec<&str> {
    let list = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The daemon writes conditions into each Container, and the other fields of the status are empty if
    /// no container of the engine has that ID. The control is the mirror of one that has a name.
    #[test]
    fn a_container_of_a_user_stays_foreign_when_it_gets_conditions() {
        let read = |name: &str| {
            let status = json!({"name": name, "status": "unknown", "conditions": []});
            let object = json!({"metadata": {"name": "mine", "uid": "u1"}, "status": status});
            Mirror::read("containers", &object).expect("containers are mirrors")
        };
        assert!(read("").is_foreign());
        assert_eq!(read("web").key, MirrorKey::Container("mine".to_owned()));
        assert!(!read("web").is_foreign());
    }
}
