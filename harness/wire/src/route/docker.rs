//! Routes of the Docker Engine API.

use std::collections::BTreeMap;

use crate::route::percent::decode_segment;

/// Templates of paths, for all methods. A parameter such as `{name}` stands for one segment; below
/// `/images/` it may stand for several, because names of images contain slashes. The first template
/// that matches counts.
pub(super) const TEMPLATES: &[&str] = &[
    "/_ping",
    "/version",
    "/info",
    "/events",
    "/auth",
    "/session",
    "/grpc",
    "/system/df",
    "/containers/json",
    "/containers/create",
    "/containers/prune",
    "/containers/{id}/json",
    "/containers/{id}/start",
    "/containers/{id}/stop",
    "/containers/{id}/restart",
    "/containers/{id}/kill",
    "/containers/{id}/pause",
    "/containers/{id}/unpause",
    "/containers/{id}/rename",
    "/containers/{id}/update",
    "/containers/{id}/wait",
    "/containers/{id}/logs",
    "/containers/{id}/attach",
    "/containers/{id}/exec",
    "/containers/{id}/resize",
    "/containers/{id}/stats",
    "/containers/{id}/top",
    "/containers/{id}/changes",
    "/containers/{id}/archive",
    "/containers/{id}",
    "/exec/{id}/start",
    "/exec/{id}/resize",
    "/exec/{id}/json",
    "/images/json",
    "/images/create",
    "/images/load",
    "/images/prune",
    "/images/{id}/json",
    "/images/{id}/tag",
    "/images/{id}/history",
    "/images/{id}/push",
    "/images/{id}/get",
    "/images/{id}",
    "/volumes",
    "/volumes/create",
    "/volumes/prune",
    "/volumes/{name}",
    "/networks",
    "/networks/create",
    "/networks/prune",
    "/networks/{id}",
];

/// The template that matches a path, and the values of its parameters.
pub(super) fn find(path: &str) -> Option<(&'static str, BTreeMap<String, String>)> {
    let path = without_version(path);
    TEMPLATES.iter().find_map(|template| Some((*template, match_template(template, path)?)))
}

/// Removes the API version: `/v1.41/info` and `/info` are the same route.
fn without_version(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/v") else { return path };
    let end = rest.find('/').unwrap_or(rest.len());
    let version = &rest[..end];
    let is_version =
        version.contains('.') && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_version { &rest[end..] } else { path }
}

/// The parameters of `path`, if the template matches it.
fn match_template(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let Some((before, rest)) = template.split_once('{') else {
        return (template == path).then(BTreeMap::new);
    };
    let (name, after) = rest.split_once('}')?;
    let value = path.strip_prefix(before)?.strip_suffix(after)?;
    let may_contain_slash = before == "/images/";
    if value.is_empty() || (value.contains('/') && !may_contain_slash) {
        return None;
    }
    Some(BTreeMap::from([(name.to_owned(), decode_segment(value))]))
}
