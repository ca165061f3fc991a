//! Routes of a Kubernetes API server.

use std::collections::BTreeMap;

use crate::route::percent::decode_segment;

/// Templates of paths, for all methods; the first that matches counts. A parameter such as `{name}`
/// stands for one segment. The list of a kind over all namespaces has the same path as the list of
/// a cluster-wide kind, and therefore the same template.
pub(super) const TEMPLATES: &[&str] = &[
    "/version",
    "/healthz",
    "/livez",
    "/readyz",
    "/openapi/v2",
    "/openapi/v3",
    "/api",
    "/api/v1",
    "/api/v1/{plural}",
    "/api/v1/{plural}/{name}",
    "/api/v1/{plural}/{name}/status",
    // Before the collections of a namespace: besides `status`, `finalize` is the only last segment
    // that is a subresource of the namespace itself.
    "/api/v1/{plural}/{name}/finalize",
    "/api/v1/namespaces/{namespace}/{plural}",
    "/api/v1/{plural}/{name}/{subresource}",
    "/api/v1/namespaces/{namespace}/{plural}/{name}",
    "/api/v1/namespaces/{namespace}/{plural}/{name}/status",
    "/api/v1/namespaces/{namespace}/{plural}/{name}/{subresource}",
    "/apis",
    "/apis/{group}",
    "/apis/{group}/{version}",
    "/apis/{group}/{version}/{plural}",
    "/apis/{group}/{version}/{plural}/{name}",
    "/apis/{group}/{version}/{plural}/{name}/status",
    "/apis/{group}/{version}/namespaces/{namespace}/{plural}",
    "/apis/{group}/{version}/{plural}/{name}/{subresource}",
    "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}",
    "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}/status",
    "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}/{subresource}",
];

/// The template that matches a path, and the values of its parameters.
pub(super) fn find(path: &str) -> Option<(&'static str, BTreeMap<String, String>)> {
    TEMPLATES.iter().find(|template| matches(template, path)).map(|template| {
        let pairs = template.split('/').zip(path.split('/'));
        let params = pairs
            .filter_map(|(part, value)| Some((parameter(part)?.to_owned(), decode_segment(value))));
        (*template, params.collect())
    })
}

fn matches(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let begins = template.split('/').all(|part| {
        segments.next().is_some_and(|segment| match parameter(part) {
            Some(_) => !segment.is_empty(),
            None => segment == part,
        })
    });
    begins && segments.next().is_none()
}

/// The name in `{name}`; none for a literal segment.
fn parameter(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// Whether a request with these parameters watches a collection.
///
/// The API server takes every value of `watch` for a yes except `0` and `false` (its own conversion
/// of query parameters). The path of a single object cannot be watched.
pub(super) fn is_watch(
    params: &BTreeMap<String, String>,
    query: &BTreeMap<String, String>,
) -> bool {
    let is_yes = |value: &String| value != "0" && !value.eq_ignore_ascii_case("false");
    query.get("watch").is_some_and(is_yes) && !params.contains_key("name")
}
