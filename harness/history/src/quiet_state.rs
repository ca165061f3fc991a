//! What a quiet world shows of the daemon, for a comparison with the same world at another time: the App,
//! all mirrors, and the docker command's configuration, field by field.
//!
//! Left out, because it changes although nothing is different:
//! - UID, resource version, generation, time of creation and managed fields of an object: they count and
//!   date writes, and `identity` follows the UIDs;
//! - time and generation of a condition: they date it, and `truthful_conditions` judges the generations;
//! - the volumes by which the harness proves that the daemon had its turn, and objects of users, which a
//!   full sync may remove (contract 4.3.12);
//! - files beside the docker command's configuration: `docker_config_integrity` judges them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::mirror::{Mirror, MirrorKey};
use crate::record::{CONFIG_FILE, DockerContent, Record, What};
use crate::scenario::{OURS, QuietObjects};
use crate::view::{View, object_version};

/// What the docker command's configuration is called.
const CONFIGURATION: &str = "the docker command's configuration";

/// Kinds of mirrors.
const MIRRORS: [&str; 3] = ["containers", "images", "volumes"];

/// The parts of an object's metadata that mean something to its users.
const METADATA: [&str; 4] = ["annotations", "finalizers", "labels", "ownerReferences"];

/// Follows a history, and tells what a quiet world shows at the last record.
#[derive(Clone, Debug, Default)]
pub struct QuietState {
    view: View,
    files: BTreeMap<String, DockerContent>,
    /// The name of the daemon's own context.
    own_context: String,
    /// Versions that were seen of each mirror, by what it stands for.
    writes: BTreeMap<MirrorKey, BTreeSet<u64>>,
    /// UIDs that were seen of each mirror.
    uids: BTreeMap<MirrorKey, BTreeSet<String>>,
    /// How often the App's VM has ended.
    vm_ends: u32,
}

impl QuietState {
    /// What the App is called.
    pub const APP: &str = "the App";

    /// Removes the fields of mirrors that users may have written. A mirror that is made anew has none of them;
    /// the App stays.
    pub fn remove_users_fields(objects: &mut QuietObjects) {
        let is_users = |field: &str| field == "spec" || field.starts_with("metadata.");
        for (_, fields) in objects.iter_mut().filter(|(name, _)| *name != Self::APP) {
            fields.retain(|field, _| !is_users(field));
        }
    }

    /// Applies the next record.
    pub fn apply(&mut self, record: &Record) {
        self.view.apply(record);
        self.vm_ends += u32::from(record.what.ends_vm());
        if let What::DockerUser(user) = &record.what {
            self.own_context.clone_from(&user.context);
        }
        if let What::DockerFile(file) = &record.what
            && file.holds != DockerContent::Passed
        {
            self.files.insert(file.path.clone(), file.holds.clone());
        }
        if let What::Api(change) = &record.what
            && let Some(mirror) = Mirror::read(&change.resource, &change.object)
            && !mirror.is_probe()
        {
            self.writes
                .entry(mirror.key.clone())
                .or_default()
                .extend(object_version(&change.object));
            self.uids.entry(mirror.key).or_default().insert(mirror.uid);
        }
    }

    /// The state after the records so far.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// How often the App's VM has ended, which takes all mirrors with it (contract 4.6.8).
    #[must_use]
    pub fn vm_ends(&self) -> u32 {
        self.vm_ends
    }

    /// Objects with their fields. They have the scenario's names instead of IDs.
    #[must_use]
    pub fn objects(&self) -> QuietObjects {
        let app =
            self.view.object("apps", "app").map(|app| (Self::APP.to_owned(), self.fields(app)));
        let mirrors = MIRRORS.iter().flat_map(|resource| {
            let objects = self.view.objects(resource);
            objects.filter_map(|object| {
                let mirror = Mirror::read(resource, object)?;
                let is_compared = !mirror.is_probe() && !mirror.is_foreign();
                is_compared.then(|| (self.name(&mirror.key), self.fields(object)))
            })
        });
        let configuration = (CONFIGURATION.to_owned(), self.configuration());
        mirrors.chain(app).chain([configuration]).collect()
    }

    /// How often each mirror was written, and how many objects of the API it was, by its name.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, (u32, u32)> {
        let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
        let uids = |key| count(self.uids.get(key).map_or(0, BTreeSet::len));
        let counts = self.writes.iter().filter(|(key, _)| !matches!(key, MirrorKey::Blank { .. }));
        counts.map(|(key, writes)| (self.name(key), (count(writes.len()), uids(key)))).collect()
    }

    /// The name of what a mirror stands for.
    #[must_use]
    pub fn name(&self, key: &MirrorKey) -> String {
        self.view.named(&key.to_string())
    }

    fn fields(&self, object: &Value) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        let mut add = |name: String, value: &Value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.insert(name, self.view.named(&text));
        };
        // A map or a list whose last entry was removed means the same as none.
        let is_empty = |value: &Value| {
            value.as_object().is_some_and(Map::is_empty)
                || value.as_array().is_some_and(Vec::is_empty)
        };
        for name in METADATA {
            let value = object.pointer(&format!("/metadata/{name}"));
            if let Some(value) = value.filter(|value| !is_empty(value)) {
                add(format!("metadata.{name}"), value);
            }
        }
        if let Some(spec) = object.get("spec") {
            add("spec".to_owned(), spec);
        }
        for (name, value) in object.get("status").and_then(Value::as_object).into_iter().flatten() {
            if name != "conditions" {
                add(format!("status.{name}"), value);
            }
        }
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        for condition in conditions.into_iter().flatten() {
            let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
            let value = format!("{} ({}): {}", text("status"), text("reason"), text("message"));
            add(format!("condition {}", text("type")), &Value::String(value));
        }
        fields
    }

    fn configuration(&self) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        // The daemon's own context has another name in each world.
        let named = |text: &str| match self.own_context.as_str() {
            "" => text.to_owned(),
            own => text.replace(own, OURS),
        };
        for (path, holds) in &self.files {
            match holds {
                DockerContent::Config { current, members } if path == CONFIG_FILE => {
                    let current = named(current.as_deref().unwrap_or_default());
                    fields.insert("current context".to_owned(), current);
                    fields.extend(members.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                DockerContent::Context { host } => {
                    fields.insert(named(path), host.clone().unwrap_or_default());
                }
                DockerContent::Nothing
                | DockerContent::Unreadable { .. }
                | DockerContent::Malformed { .. }
                | DockerContent::Config { .. }
                | DockerContent::Other
                | DockerContent::Passed => {}
            }
        }
        fields
    }
}

/// Differences between the fields of two objects, as sentence fragments: the field, what it was, what it is.
/// Only the fields in `before` are compared if `all` is false.
#[must_use]
pub(crate) fn differing(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    all: bool,
) -> Vec<(String, String, String)> {
    let value = |fields: &BTreeMap<String, String>, name: &String| {
        fields.get(name).map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"))
    };
    let new = after.keys().filter(|name| all && !before.contains_key(*name));
    let differs = |name: &&String| before.get(*name) != after.get(*name);
    let names = before.keys().chain(new).filter(differs);
    names.map(|name| (name.clone(), value(before, name), value(after, name))).collect()
}
