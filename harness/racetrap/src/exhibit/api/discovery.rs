//! Which resources there are: what the API server has said, without what a bundle cannot do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::bundle::{Opened, Refusal};

/// What can be done with a resource of a bundle.
const VERBS: [&str; 3] = ["get", "list", "watch"];

/// One resource.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) plural: String,
    pub(super) kind: String,
    pub(super) namespaced: bool,
    /// Its objects, as `kind: List`; or why they are not there.
    pub(super) list: Result<Value, String>,
}

impl Resource {
    /// Its objects; none, where they were not captured.
    pub(super) fn items(&self) -> &[Value] {
        let items = self.list.as_ref().ok().and_then(|list| list["items"].as_array());
        items.map_or(&[], Vec::as_slice)
    }
}

/// Replies by their paths, and resources by version and plural name.
type Discovered = (BTreeMap<String, Value>, BTreeMap<(String, String), Resource>);

/// Puts together what was captured of discovery, an object of replies by path, with the objects.
pub(super) fn discovered(
    said: &Value,
    bundle: &Opened,
    world: &str,
) -> Result<Discovered, Refusal> {
    let mut replies = BTreeMap::new();
    let mut resources = BTreeMap::new();
    let mut versions = BTreeSet::new();
    for (path, reply) in said.as_object().into_iter().flatten() {
        let Some(version) = version_of(path) else { continue };
        versions.insert(version.to_owned());
        let (served, mut kept) = (reply["resources"].as_array(), Vec::new());
        for entry in served.into_iter().flatten() {
            let Some((resource, entry)) = resource(entry, version, bundle, world)? else {
                continue;
            };
            resources.insert((version.to_owned(), resource.plural.clone()), resource);
            kept.push(entry);
        }
        let list = json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
            "resources": kept,
        });
        replies.insert(path.clone(), list);
    }
    if let Some(version) = said.get("/version") {
        replies.insert("/version".to_owned(), version.clone());
    }
    replies.extend(groups(&versions, &said["/apis"]));
    Ok((replies, resources))
}

/// The version whose resources are listed at a path.
fn version_of(path: &str) -> Option<&str> {
    let core = path.strip_prefix("/api/").filter(|version| !version.contains('/'));
    let named = || path.strip_prefix("/apis/").filter(|version| version.matches('/').count() == 1);
    core.or_else(named)
}

/// A resource whose objects can be listed, and its entry without what else could be done with it.
fn resource(
    entry: &Value,
    version: &str,
    bundle: &Opened,
    world: &str,
) -> Result<Option<(Resource, Value)>, Refusal> {
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    let lists =
        entry["verbs"].as_array().is_some_and(|verbs| verbs.iter().any(|verb| verb == "list"));
    let names = text("name").zip(text("kind")).filter(|(plural, _)| !plural.contains('/') && lists);
    let Some((plural, kind)) = names else { return Ok(None) };
    let file = match version.split_once('/') {
        Some((group, _)) => format!("{world}api/objects/{plural}.{group}.yaml"),
        None => format!("{world}api/objects/{plural}.yaml"),
    };
    let list = bundle.document(&file)?.ok_or_else(|| bundle.why_missing(&file));
    let namespaced = entry["namespaced"] == true;
    let mut entry = entry.as_object().cloned().unwrap_or_else(Map::new);
    entry.insert("verbs".to_owned(), json!(VERBS));
    Ok(Some((Resource { plural, kind, namespaced, list }, Value::Object(entry))))
}

/// `/api`, `/apis`, and each group: those of which resources are known, for a client asks for all that it is
/// told of. The one that the API server prefers is preferred.
fn groups(versions: &BTreeSet<String>, said: &Value) -> BTreeMap<String, Value> {
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for version in versions {
        if let Some((group, name)) = version.split_once('/') {
            let version = json!({ "groupVersion": version, "version": name });
            groups.entry(group).or_default().push(version);
        }
    }
    let said = |name: &str| {
        let mut groups = said["groups"].as_array().into_iter().flatten();
        groups.find(|group| group["name"] == name).map(|group| group["preferredVersion"].clone())
    };
    let groups: Vec<_> = groups
        .into_iter()
        .map(|(name, versions)| {
            let preferred = said(name).filter(|version| versions.contains(version));
            let preferred = preferred.unwrap_or_else(|| versions[0].clone());
            json!({ "name": name, "versions": versions, "preferredVersion": preferred })
        })
        .collect();
    let core: Vec<_> = versions.iter().filter(|version| !version.contains('/')).collect();
    let mut replies = BTreeMap::new();
    for group in &groups {
        let mut group = group.clone();
        let path = format!("/apis/{}", group["name"].as_str().unwrap_or_default());
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
