//! The paths of files in a bundle. Collectors write these files and the bundle server reads them.

use std::path::Path;

use super::kubernetes::resource_name;

/// Directory of the captured files of a world, in the evidence directory of its run.
pub(crate) const WORLD: &str = "world";

/// Directory of the neighbour's evidence, in the evidence directory of its run.
pub(crate) const NEIGHBOUR: &str = "neighbour";

// All paths below are relative to `WORLD`.

/// Directory of everything that the daemon's API server answered.
pub(crate) const API: &str = "api";

/// Directory of everything that the engine answered.
pub(crate) const ENGINE: &str = "engine";

/// Replies of the API server about what it serves: a JSON object from request path to reply.
pub(crate) const API_DISCOVERY: &str = "api/discovery.json";

/// The engine's events, one JSON object a line.
pub(crate) const ENGINE_EVENTS: &str = "engine/events.jsonl";

/// Health endpoints of the API server, each with a file of its own.
pub(crate) const HEALTH_ENDPOINTS: [&str; 2] = ["readyz", "livez"];

/// The text that a health endpoint answered.
pub(crate) fn api_health(endpoint: &str) -> String {
    format!("{API}/{endpoint}.txt")
}

/// All objects of a resource, as a `kind: List` in YAML.
pub(crate) fn api_objects(version: &str, plural: &str) -> String {
    format!("{API}/objects/{}.yaml", resource_name(version, plural))
}

/// A JSON document that the engine answered, such as `version` or `container-inspect`.
pub(crate) fn engine_document(name: &str) -> String {
    format!("{ENGINE}/{name}.json")
}

/// The log of a container, in the format of [`super::container_log`].
pub(crate) fn container_log(id: &str) -> String {
    format!("{ENGINE}/logs/{id}.log")
}

/// The container whose log is at `path`; `None` if `path` is no log of a container.
pub(crate) fn container_of_log(path: &str) -> Option<&str> {
    path.strip_prefix(ENGINE)?.strip_prefix("/logs/")?.strip_suffix(".log")
}

/// Whether a document is YAML, by the extension of its path. All other documents are JSON.
pub(super) fn is_yaml(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "yaml")
}
