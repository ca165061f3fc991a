//! Rules of the Kubernetes API by which objects are collected and served. A version is `v1` for the
//! core group and `GROUP/VERSION` for every other group.

use serde_json::Value;

/// The path below which an API server serves a version.
pub(crate) fn root_path(version: &str) -> String {
    if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") }
}

/// The version whose [`root_path`] this is; `None` for any other path.
pub(crate) fn version_at(path: &str) -> Option<&str> {
    let core = path.strip_prefix("/api/").filter(|version| !version.contains('/'));
    let named = || path.strip_prefix("/apis/").filter(|version| version.matches('/').count() == 1);
    core.or_else(named)
}

/// `PLURAL.GROUP`, or `PLURAL` for the core group, which has no name.
pub(crate) fn resource_name(version: &str, plural: &str) -> String {
    match version.split_once('/') {
        Some((group, _)) => format!("{plural}.{group}"),
        None => plural.to_owned(),
    }
}

/// Whether an entry of an `APIResourceList` has the verb `list`.
pub(crate) fn can_list(entry: &Value) -> bool {
    entry["verbs"].as_array().is_some_and(|verbs| verbs.iter().any(|verb| verb == "list"))
}
