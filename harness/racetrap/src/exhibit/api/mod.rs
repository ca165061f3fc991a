//! The Kubernetes API over the objects of a bundle: discovery, get, list, and watches in which nothing
//! happens any more.
//!
//! - `discovery`: which resources there are, as the API server has said;
//! - `selector`: which objects of a list are asked for;
//! - `status`: refusals, in the form that clients show.

mod discovery;
mod selector;
mod status;

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use self::discovery::{Resource, discovered};
use self::selector::Selection;
pub(super) use self::status::refuse_stranger;
use self::status::{not_found, refused};
use super::question::Question;
use super::reply::Reply;
use crate::bundle::{Opened, Refusal};

/// Where namespaced objects are, unless the App says otherwise.
const NAMESPACE: &str = "default";

/// Texts by which an API server says how it is.
const HEALTH: [&str; 2] = ["readyz", "livez"];

/// Everything that the API server has said.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// Replies about what there is, by their paths.
    discovery: BTreeMap<String, Value>,
    /// By the version, as `v1` or `GROUP/VERSION`, and the plural name.
    resources: BTreeMap<(String, String), Resource>,
    health: BTreeMap<&'static str, String>,
}

impl Objects {
    /// What lies below `world`; none, where the API was not captured at all.
    pub(super) fn of(bundle: &Opened, world: &str) -> Result<Option<Self>, Refusal> {
        let Some(said) = bundle.document(&format!("{world}api/discovery.json"))? else {
            return Ok(None);
        };
        let (discovery, resources) = discovered(&said, bundle, world)?;
        let health = HEALTH.iter().filter_map(|name| {
            let text = bundle.file(&format!("{world}api/{name}.txt"))?;
            Some((*name, String::from_utf8_lossy(text).into_owned()))
        });
        Ok(Some(Self { discovery, resources, health: health.collect() }))
    }

    /// The namespace in which the daemon's objects are.
    pub(super) fn namespace(&self) -> &str {
        let apps = self.resources.iter().find(|((_, plural), _)| plural == "apps");
        let app = apps.and_then(|(_, apps)| apps.items().first());
        app.and_then(|app| app["spec"]["namespace"].as_str()).unwrap_or(NAMESPACE)
    }

    /// Answers a question.
    pub(super) fn answer(&self, question: &Question) -> Reply {
        if !question.reads() {
            return refused(
                StatusCode::METHOD_NOT_ALLOWED,
                "this is a bundle, which can only be read: its world is gone",
            );
        }
        let parts = question.parts();
        if let [name] = parts[..]
            && let Some(text) = self.health.get(name)
        {
            return Reply::text(text.clone());
        }
        if let Some(reply) = self.discovery.get(&format!("/{}", parts.join("/"))) {
            return Reply::json(StatusCode::OK, reply);
        }
        match parts[..] {
            ["api", version, ref rest @ ..] => self.resource(version.to_owned(), rest, question),
            ["apis", group, version, ref rest @ ..] => {
                self.resource(format!("{group}/{version}"), rest, question)
            }
            _ => refused(
                StatusCode::NOT_FOUND,
                "a bundle has no such path: it has discovery and objects",
            ),
        }
    }

    /// `[namespaces/NAMESPACE/]PLURAL[/NAME[/status]]`.
    fn resource(&self, version: String, rest: &[&str], question: &Question) -> Reply {
        let is_known =
            |plural: &str| self.resources.contains_key(&(version.clone(), plural.to_owned()));
        let (namespace, plural, rest) = match rest {
            ["namespaces", namespace, plural, rest @ ..] if is_known(plural) => {
                (Some(*namespace), *plural, rest)
            }
            [plural, rest @ ..] => (None, *plural, rest),
            [] => return not_found("nothing is served here"),
        };
        let Some(resource) = self.resources.get(&(version.clone(), plural.to_owned())) else {
            return not_found(&format!("the API server had no resource {plural:?} in {version}"));
        };
        let list = match &resource.list {
            Ok(list) => list,
            Err(why) => {
                let why = format!("the bundle has no {plural}: {why}");
                return refused(StatusCode::SERVICE_UNAVAILABLE, &why);
            }
        };
        match rest {
            [] => list_of(&version, resource, list, namespace, question),
            [name] | [name, "status"] => one_of(resource, namespace, name),
            [_, part, ..] => not_found(&format!("the bundle has no {part:?} of {plural}")),
        }
    }
}

/// One object. Of a resource whose objects are in namespaces both names must fit.
fn one_of(resource: &Resource, namespace: Option<&str>, name: &str) -> Reply {
    let is_it = |item: &&Value| {
        item["metadata"]["name"] == name
            && (!resource.namespaced || item["metadata"]["namespace"].as_str() == namespace)
    };
    match resource.items().iter().find(is_it) {
        Some(item) => Reply::json(StatusCode::OK, item),
        None => not_found(&format!("{} {name:?} not found", resource.plural)),
    }
}

fn list_of(
    version: &str,
    resource: &Resource,
    list: &Value,
    namespace: Option<&str>,
    question: &Question,
) -> Reply {
    let selection = match Selection::of(question) {
        Ok(selection) => selection,
        Err(why) => return refused(StatusCode::BAD_REQUEST, &why),
    };
    let is_here = |item: &&Value| {
        namespace.is_none_or(|namespace| item["metadata"]["namespace"] == namespace)
    };
    let items = resource.items().iter().filter(is_here);
    let items: Vec<_> = items.filter(|item| selection.takes(item)).collect();
    if question.is_set("watch") {
        // Who says up to where the state is known is told of nothing more, and anybody else of what there is.
        let knows = question.parameter("resourceVersion").is_some_and(|version| version != "0");
        let added = items.into_iter().filter(|_| !knows);
        let events =
            added.map(|item| json!({ "type": "ADDED", "object": item }).to_string() + "\n");
        let events: String = events.collect();
        return Reply::of(StatusCode::OK, "application/json", events).silent();
    }
    let list = json!({
        "apiVersion": version,
        "kind": format!("{}List", resource.kind),
        "metadata": list["metadata"],
        "items": items,
    });
    Reply::json(StatusCode::OK, &list)
}

#[cfg(test)]
mod tests;
