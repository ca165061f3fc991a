//! Objects of the daemon's API, from lists and watches.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::mirror::Mirror;
use crate::record::{ApiChange, Change};

/// Objects by their `NAMESPACE/NAME`.
type ByKey = BTreeMap<String, Value>;

/// The latest state of every object, by the plural name of its kind.
///
/// A watch and a list of one kind use different connections, so each may show a state that the other has
/// already replaced. Resource versions tell which state is newer.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    kinds: BTreeMap<String, ByKey>,
    /// Resource version of the last list of each kind.
    listed_at: BTreeMap<String, u64>,
    /// The last change of each object that a watch reported, with its version. The object is `None` after
    /// a deletion.
    changes: BTreeMap<String, BTreeMap<String, (u64, Option<Value>)>>,
}

impl Objects {
    pub(super) fn apply_change(&mut self, change: &ApiChange) {
        let listed_at = self.listed_at.get(&change.resource).copied().unwrap_or_default();
        let version = version(&change.object);
        if version <= listed_at {
            return; // The list already contained this change.
        }
        let kept = (change.change != Change::Deleted).then(|| change.object.clone());
        let key = object_key(&change.object);
        let objects = self.kinds.entry(change.resource.clone()).or_default();
        match &kept {
            Some(object) => objects.insert(key.clone(), object.clone()),
            None => objects.remove(&key),
        };
        // The change is kept, because a list that was made before it may still arrive.
        let changes = self.changes.entry(change.resource.clone()).or_default();
        changes.insert(key, (version, kept));
    }

    /// Replaces the objects of a kind by a list, except for changes that are newer than the list.
    pub(super) fn apply_list(&mut self, resource: &str, version: u64, objects: &[Value]) {
        let mut listed: ByKey =
            objects.iter().map(|object| (object_key(object), object.clone())).collect();
        let changes = self.changes.entry(resource.to_owned()).or_default();
        // An object without a version (`u64::MAX`) cannot be compared, so the list replaces it.
        changes.retain(|_, (changed_at, _)| *changed_at > version && *changed_at < u64::MAX);
        // The remaining changes are newer than the list, so they are applied to it again.
        for (key, (_, kept)) in changes {
            match kept {
                Some(object) => listed.insert(key.clone(), object.clone()),
                None => listed.remove(key),
            };
        }
        self.listed_at.insert(resource.to_owned(), version);
        self.kinds.insert(resource.to_owned(), listed);
    }

    /// Mirrors of all kinds, in the order of kind and key.
    pub(super) fn mirrors(&self) -> impl Iterator<Item = Mirror> {
        self.kinds.iter().flat_map(|(resource, objects)| {
            objects.values().filter_map(|object| Mirror::read(resource, object))
        })
    }

    /// The object of a resource with this `NAMESPACE/NAME`, as a mirror.
    pub(super) fn mirror(&self, resource: &str, key: &str) -> Option<Mirror> {
        Mirror::read(resource, self.kinds.get(resource)?.get(key)?)
    }

    /// The objects of a resource.
    pub(super) fn of_kind(&self, resource: &str) -> Option<(&str, &ByKey)> {
        let (resource, objects) = self.kinds.get_key_value(resource)?;
        Some((resource, objects))
    }

    /// The object of a resource with this name; the first one, if several namespaces have one.
    pub(super) fn named(&self, resource: &str, name: &str) -> Option<&Value> {
        let named = |object: &&Value| text(object, "/metadata/name") == Some(name);
        self.kinds.get(resource)?.values().find(named)
    }

    /// The object with this UID.
    pub(super) fn by_uid(&self, uid: &str) -> Option<&Value> {
        let mut objects = self.kinds.values().flat_map(BTreeMap::values);
        objects.find(|object| text(object, "/metadata/uid") == Some(uid))
    }
}

/// The text at a pointer into an object.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

/// The object's resource version. The versions of one server are comparable numbers (contract 3.1: kine
/// counts revisions). An object without one counts as newer than any other.
fn version(object: &Value) -> u64 {
    object_version(object).unwrap_or(u64::MAX)
}

/// The version of the write that gave the object this state, if the object contains it.
pub(crate) fn object_version(object: &Value) -> Option<u64> {
    text(object, "/metadata/resourceVersion")?.parse().ok()
}

/// The object's `NAMESPACE/NAME`.
pub(crate) fn object_key(object: &Value) -> String {
    let part = |pointer| text(object, pointer).unwrap_or_default();
    format!("{}/{}", part("/metadata/namespace"), part("/metadata/name"))
}
