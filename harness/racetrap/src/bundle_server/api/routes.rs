//! Responses of the Kubernetes API.

use http::StatusCode;
use serde_json::{Value, json};

use super::captured::CapturedApi;
use super::discovery::Resource;
use super::selector::Selection;
use super::status::{not_found, refused};
use crate::bundle_server::refusal::{READ_ONLY, not_captured};
use crate::bundle_server::request::ParsedRequest;
use crate::bundle_server::response::PreparedResponse;

impl CapturedApi {
    pub(in crate::bundle_server) fn respond(&self, request: &ParsedRequest) -> PreparedResponse {
        if !request.is_read() {
            return refused(StatusCode::METHOD_NOT_ALLOWED, READ_ONLY);
        }
        let segments = request.segments();
        if let [endpoint] = segments[..]
            && let Some(text) = self.health.get(endpoint)
        {
            return PreparedResponse::text(text.clone());
        }
        if let Some(reply) = self.discovery.get(&format!("/{}", segments.join("/"))) {
            return PreparedResponse::json(StatusCode::OK, reply);
        }
        match segments[..] {
            ["api", version, ref rest @ ..] => self.resource(version.to_owned(), rest, request),
            ["apis", group, version, ref rest @ ..] => {
                self.resource(format!("{group}/{version}"), rest, request)
            }
            _ => refused(
                StatusCode::NOT_FOUND,
                "a bundle has no such path: it has discovery and objects",
            ),
        }
    }

    /// Responds to `[namespaces/NAMESPACE/]PLURAL[/NAME[/status]]`.
    fn resource(
        &self,
        version: String,
        rest: &[&str],
        request: &ParsedRequest,
    ) -> PreparedResponse {
        let is_known =
            |plural: &str| self.resources.contains_key(&(version.clone(), plural.to_owned()));
        // `namespaces/NAME/status` has the same shape as a list in a namespace, so the plural must
        // be known.
        let (namespace, plural, rest) = match rest {
            ["namespaces", namespace, plural, rest @ ..] if is_known(plural) => {
                (Some(*namespace), *plural, rest)
            }
            [plural, rest @ ..] => (None, *plural, rest),
            [] => return not_found("this path names no resource"),
        };
        let Some(resource) = self.resources.get(&(version.clone(), plural.to_owned())) else {
            return not_found(&format!("the API server had no resource {plural:?} in {version}"));
        };
        let list = match &resource.list {
            Ok(list) => list,
            Err(why) => {
                return refused(StatusCode::SERVICE_UNAVAILABLE, &not_captured(plural, why));
            }
        };
        match rest {
            [] => list_objects(&version, resource, list, namespace, request),
            [name] | [name, "status"] => get_object(resource, namespace, name),
            [_, part, ..] => not_found(&format!("the bundle has no {part:?} of {plural}")),
        }
    }
}

/// Responds with one object. If the resource is namespaced, its name and its namespace must match.
fn get_object(resource: &Resource, namespace: Option<&str>, name: &str) -> PreparedResponse {
    let matches = |item: &&Value| {
        item["metadata"]["name"] == name
            && (!resource.namespaced || item["metadata"]["namespace"].as_str() == namespace)
    };
    match resource.items().iter().find(matches) {
        Some(item) => PreparedResponse::json(StatusCode::OK, item),
        None => not_found(&format!("{} {name:?} not found", resource.plural)),
    }
}

/// Responds with the selected objects of a resource, as a list or as a watch. `list` is the list
/// that was captured.
fn list_objects(
    version: &str,
    resource: &Resource,
    list: &Value,
    namespace: Option<&str>,
    request: &ParsedRequest,
) -> PreparedResponse {
    let selection = match Selection::from_request(request) {
        Ok(selection) => selection,
        Err(why) => return refused(StatusCode::BAD_REQUEST, &why),
    };
    let is_in_namespace = |item: &&Value| {
        namespace.is_none_or(|namespace| item["metadata"]["namespace"] == namespace)
    };
    let items = resource.items().iter().filter(is_in_namespace);
    let items: Vec<_> = items.filter(|item| selection.matches(item)).collect();
    if request.is_set("watch") {
        // A client with a resource version has the objects already and gets no event. Any other
        // client gets an event for each object first.
        let has_list = request.parameter("resourceVersion").is_some_and(|version| version != "0");
        let added = items.into_iter().filter(|_| !has_list);
        let events =
            added.map(|item| json!({ "type": "ADDED", "object": item }).to_string() + "\n");
        let events: String = events.collect();
        return PreparedResponse::new(StatusCode::OK, "application/json", events).staying_open();
    }
    let list = json!({
        "apiVersion": version,
        "kind": format!("{}List", resource.kind),
        "metadata": list["metadata"],
        "items": items,
    });
    PreparedResponse::json(StatusCode::OK, &list)
}
