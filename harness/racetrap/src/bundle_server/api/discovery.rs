//! The resources that the API server served, without the verbs that a bundle cannot serve.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::bundle::kubernetes::{can_list, version_at};
use crate::bundle::layout::api_objects;
use crate::bundle::{InvalidBundle, LoadedBundle};

/// The verbs of every resource of a bundle.
const VERBS: [&str; 3] = ["get", "list", "watch"];

/// One resource with its objects.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) plural: String,
    pub(super) kind: String,
    pub(super) namespaced: bool,
    /// Its objects, as a `kind: List`, or the reason why they are missing.
    pub(super) list: Result<Value, String>,
}

impl Resource {
    /// Its objects; empty if they are missing.
    pub(super) fn items(&self) -> &[Value] {
        let items = self.list.as_ref().ok().and_then(|list| list["items"].as_array());
        items.map_or(&[], Vec::as_slice)
    }
}

/// Responses by request path, and resources by version and plural name.
type Discovery = (BTreeMap<String, Value>, BTreeMap<(String, String), Resource>);

/// Computes the responses of discovery from the captured ones, a JSON object by request path, and
/// reads the objects of all resources in them from the files below `world`.
pub(super) fn read_discovery(
    captured: &Value,
    bundle: &LoadedBundle,
    world: &str,
) -> Result<Discovery, InvalidBundle> {
    let mut replies = BTreeMap::new();
    let mut resources = BTreeMap::new();
    let mut versions = BTreeSet::new();
    for (path, reply) in captured.as_object().into_iter().flatten() {
        // All other replies are computed below.
        let Some(version) = version_at(path) else { continue };
        versions.insert(version.to_owned());
        let (served, mut kept) = (reply["resources"].as_array(), Vec::new());
        for entry in served.into_iter().flatten() {
            let Some((resource, entry)) = read_resource(entry, version, bundle, world)? else {
                continue;
            };
            resources.insert((version.to_owned(), resource.plural.clone()), resource);
            kept.push(entry);
        }
        // Computed and not copied, so that the list has only resources that are served.
        let list = json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
            "resources": kept,
        });
        replies.insert(path.clone(), list);
    }
    if let Some(version) = captured.get("/version") {
        replies.insert("/version".to_owned(), version.clone());
    }
    replies.extend(group_replies(&versions, &captured["/apis"]));
    Ok((replies, resources))
}

/// Reads a resource, and returns it with its entry, which has only the verbs of a bundle. Returns
/// `None` for a subresource, and for a resource without the verb `list`, whose objects could not be
/// captured.
fn read_resource(
    entry: &Value,
    version: &str,
    bundle: &LoadedBundle,
    world: &str,
) -> Result<Option<(Resource, Value)>, InvalidBundle> {
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    let names = text("name").zip(text("kind"));
    let names = names.filter(|(plural, _)| !plural.contains('/') && can_list(entry));
    let Some((plural, kind)) = names else { return Ok(None) };
    let file = format!("{world}{}", api_objects(version, &plural));
    let list = bundle.document(&file)?.ok_or_else(|| bundle.why_missing(&file));
    let namespaced = entry["namespaced"] == true;
    let mut entry = entry.as_object().cloned().unwrap_or_else(Map::new);
    entry.insert("verbs".to_owned(), json!(VERBS));
    Ok(Some((Resource { plural, kind, namespaced, list }, Value::Object(entry))))
}

/// The responses for `/api`, `/apis` and each group. They list only versions whose resources were
/// captured, because a client requests the resources of every listed version and complains if it
/// gets none. `captured` is the captured `/apis`, of which the preferred versions stay.
fn group_replies(versions: &BTreeSet<String>, captured: &Value) -> BTreeMap<String, Value> {
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for version in versions {
        // The core group is not listed here: `/api` has its versions.
        if let Some((group, name)) = version.split_once('/') {
            let version = json!({ "groupVersion": version, "version": name });
            groups.entry(group).or_default().push(version);
        }
    }
    let preferred_version = |name: &str| {
        let mut groups = captured["groups"].as_array().into_iter().flatten();
        groups.find(|group| group["name"] == name).map(|group| group["preferredVersion"].clone())
    };
    let groups: Vec<_> = groups
        .into_iter()
        .map(|(name, versions)| {
            let preferred = preferred_version(name).filter(|version| versions.contains(version));
            // The captured preference may name a version without captured resources.
            let preferred = preferred.unwrap_or_else(|| versions[0].clone());
            json!({ "name": name, "versions": versions, "preferredVersion": preferred })
        })
        .collect();
    let core: Vec<_> = versions.iter().filter(|version| !version.contains('/')).collect();
    let mut replies = BTreeMap::new();
    for group in &groups {
        let mut group = group.clone();
        let path = format!("/apis/{}", group["name"].as_str().unwrap_or_default());
        // In `/apis` a group has no type of its own; as a document it has one.
        group["kind"] = "APIGroup".into();
        group["apiVersion"] = "v1".into();
        replies.insert(path, group);
    }
    let all = json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups });
    replies.insert("/apis".to_owned(), all);
    let core = json!({ "kind": "APIVersions", "versions": core, "serverAddressByClientCIDRs": [] });
    replies.insert("/api".to_owned(), core);
    replies
}
