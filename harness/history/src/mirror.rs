//! Mirrors: what the engine's objects must look like in the API, and what is seen there.
//!
//! A mirror is recognised by what it says of its object (`status`), not by its name: names differ
//! between revisions of the contract, what is mirrored does not (contract 3.6).

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::record::EngineState;
use crate::scenario::PROBE_VOLUME_PREFIX;

/// What the daemon marks its mirrors with (contract 3.6).
pub(crate) const MIRROR_FINALIZER: &str = "engine.rancherdesktop.io/mirror";

/// Which object of the engine a mirror stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MirrorKey {
    /// A container, by ID.
    Container(String),
    /// One tag of an image, or an image without a tag.
    Image {
        /// Image ID.
        id: String,
        /// The tag; none for a dangling image.
        tag: Option<String>,
    },
    /// A volume, by name.
    Volume(String),
    /// A mirror whose status does not say what it stands for.
    Blank {
        /// Plural name of its kind.
        resource: String,
        /// Its own name.
        name: String,
    },
}

impl MirrorKey {
    /// The engine's ID of the container or image, or the name of the volume; none of a blank mirror.
    pub(crate) fn engine_id(&self) -> Option<&str> {
        match self {
            Self::Container(id) | Self::Volume(id) | Self::Image { id, .. } => Some(id),
            Self::Blank { .. } => None,
        }
    }
}

impl fmt::Display for MirrorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(id) => write!(f, "container {}", short(id)),
            Self::Image { id, tag: Some(tag) } => write!(f, "image {} tagged {tag}", short(id)),
            Self::Image { id, tag: None } => write!(f, "dangling image {}", short(id)),
            Self::Volume(name) => write!(f, "volume {name}"),
            Self::Blank { resource, name } => write!(f, "{resource} {name} without a status"),
        }
    }
}

/// First twelve digits of an ID, as the docker command shows it.
pub(crate) fn short(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..12).unwrap_or(digits)
}

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
    /// What it says of its object; the fields that [`expected`] has too.
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
        let (key, wanted): (_, &[&str]) = match resource {
            "containers" => (
                status
                    .filter(|s| s.get("name").is_some())
                    .map(|_| MirrorKey::Container(name.clone())),
                &["name", "image", "status", "labels"],
            ),
            "images" => (
                text("/status/id").map(|id| MirrorKey::Image {
                    id,
                    tag: text("/status/repoTag").filter(|tag| !tag.is_empty()),
                }),
                &["os", "architecture", "labels"],
            ),
            "volumes" => {
                (text("/status/name").map(MirrorKey::Volume), &["driver", "mountpoint", "labels"])
            }
            _ => return None,
        };
        let fields = wanted
            .iter()
            .map(|field| ((*field).to_owned(), plain(status.and_then(|status| status.get(*field)))))
            .collect();
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

/// A field as text that compares equal where the API may leave out what is empty.
fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(map)) if map.is_empty() => String::new(),
        Some(other) => other.to_string(),
    }
}

fn labels(map: &BTreeMap<String, String>) -> String {
    if map.is_empty() {
        return String::new();
    }
    let value: serde_json::Map<_, _> =
        map.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    Value::Object(value).to_string()
}

/// The mirrors that an engine's objects must have, and what each must say.
#[must_use]
pub fn expected(state: &EngineState) -> BTreeMap<MirrorKey, BTreeMap<String, String>> {
    let mut wanted = BTreeMap::new();
    let fields = |pairs: Vec<(&str, String)>| -> BTreeMap<String, String> {
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    };
    for (id, container) in &state.containers {
        wanted.insert(
            MirrorKey::Container(id.clone()),
            fields(vec![
                ("name", container.name.clone()),
                ("image", container.image.clone()),
                ("status", container.state.clone()),
                ("labels", labels(&container.labels)),
            ]),
        );
    }
    for (id, image) in &state.images {
        let said = || {
            fields(vec![
                ("os", image.os.clone()),
                ("architecture", image.architecture.clone()),
                ("labels", labels(&image.labels)),
            ])
        };
        if image.tags.is_empty() {
            wanted.insert(MirrorKey::Image { id: id.clone(), tag: None }, said());
        }
        for tag in &image.tags {
            wanted.insert(MirrorKey::Image { id: id.clone(), tag: Some(tag.clone()) }, said());
        }
    }
    for (name, volume) in &state.volumes {
        if !name.starts_with(PROBE_VOLUME_PREFIX) {
            wanted.insert(
                MirrorKey::Volume(name.clone()),
                fields(vec![
                    ("driver", volume.driver.clone()),
                    ("mountpoint", volume.mountpoint.clone()),
                    ("labels", labels(&volume.labels)),
                ]),
            );
        }
    }
    wanted
}

/// Every difference between the mirrors that must be and those that are, as sentence fragments.
///
/// What a user created is no mirror, and a mirror that somebody else's finalizer keeps beyond its
/// deletion is not the daemon's to remove (contract 4.3, 4.6). The mirror of an image or a volume
/// may be marked for deletion for as long as the engine has it in use (contract 4.3).
#[must_use]
pub fn compare(
    wanted: &BTreeMap<MirrorKey, BTreeMap<String, String>>,
    seen: &[Mirror],
) -> Vec<String> {
    let mut differences = Vec::new();
    let mut by_key: BTreeMap<&MirrorKey, Vec<&Mirror>> = BTreeMap::new();
    for mirror in seen.iter().filter(|mirror| !mirror.is_probe() && !mirror.is_foreign()) {
        by_key.entry(&mirror.key).or_default().push(mirror);
    }
    for (key, fields) in wanted {
        match by_key.get(key).map(Vec::as_slice) {
            None => differences.push(format!("{key}: in the engine, but has no mirror")),
            Some([mirror]) => differences.extend(differing_fields(fields, mirror)),
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

fn differing_fields(wanted: &BTreeMap<String, String>, mirror: &Mirror) -> Vec<String> {
    if mirror.kept && mirror.terminating {
        return Vec::new();
    }
    let mut differences: Vec<_> = wanted
        .iter()
        .filter(|(field, value)| mirror.fields.get(*field) != Some(value))
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
