//! The names by which an error may mean an object of the engine.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::complaint::Complaint;
use crate::record::{EngineState, What};

/// All names of each object that the history has shown, by the engine's ID or by a volume's name.
#[derive(Default)]
pub(super) struct Objects(BTreeMap<String, BTreeSet<String>>);

impl Objects {
    /// Applies the next record.
    pub(super) fn apply(&mut self, what: &What) {
        match what {
            What::Truth(state) => self.apply_truth(state),
            What::Api(change) => self.apply_mirror(&change.object),
            What::Listed { objects, .. } => {
                objects.iter().for_each(|object| self.apply_mirror(object))
            }
            _ => {}
        }
    }

    fn apply_truth(&mut self, state: &EngineState) {
        for (id, container) in &state.containers {
            self.add(id, [&container.name]);
        }
        for (id, image) in &state.images {
            self.add(id, &image.tags);
        }
        for name in state.volumes.keys() {
            self.add(name, []);
        }
    }

    /// A mirror's own name stands for the object as well.
    fn apply_mirror(&mut self, object: &Value) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let Some(name) = text("/metadata/name") else { return };
        let image = text("/status/id");
        let volume = text("/status/name").filter(|_| text("/status/mountpoint").is_some());
        // A container's mirror has the ID as its name.
        if let Some(id) = image.or(volume) {
            self.add(&id.to_owned(), [&name.to_owned()]);
        }
    }

    fn add<'a>(&mut self, id: &String, names: impl IntoIterator<Item = &'a String>) {
        let known = self.0.entry(id.clone()).or_insert_with(|| BTreeSet::from([id.clone()]));
        known.extend(names.into_iter().cloned());
    }

    /// Whether an error may be about this object: it names the object, or no other one.
    pub(super) fn may_be_about(&self, object: &str, complaint: &Complaint) -> bool {
        let is_this = |names: &BTreeSet<String>| names.iter().any(|name| same(name, object));
        let (these, others): (Vec<_>, Vec<_>) = self.0.values().partition(|names| is_this(names));
        let named = these.into_iter().flatten().any(|name| complaint.names(name));
        if named || complaint.names(object) {
            return true;
        }
        !others.into_iter().flatten().any(|name| complaint.quotes(name))
    }
}

/// Whether a name in a request means the object with that name: an ID may be shortened.
fn same(name: &str, object: &str) -> bool {
    let digits = name.strip_prefix("sha256:").unwrap_or(name);
    name == object || digits == object || object.len() >= 12 && digits.starts_with(object)
}
