//! Routes of a Kubernetes API server.

use std::collections::BTreeMap;

use crate::route::{Route, decoded};

/// Templates by path; the first that fits counts. `{name}` takes one segment. A list over all
/// namespaces has the path of a cluster-wide kind, and so its template.
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
    // The one part of a namespace that is no collection within it, besides its status.
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

/// The template of a path, and its parameters.
pub(super) fn find(path: &str) -> Option<(&'static str, BTreeMap<String, String>)> {
    TEMPLATES.iter().find(|template| fits(template, path)).map(|template| {
        let pairs = template.split('/').zip(path.split('/'));
        let params = pairs
            .filter_map(|(part, value)| Some((parameter(part)?.to_owned(), decoded(value, false))));
        (*template, params.collect())
    })
}

fn fits(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let begins = template.split('/').all(|part| {
        segments.next().is_some_and(|segment| match parameter(part) {
            Some(_) => !segment.is_empty(),
            None => segment == part,
        })
    });
    begins && segments.next().is_none()
}

fn parameter(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// A collection is asked for, to be watched. The server takes every value for a yes but these two
/// (its own conversion of query parameters), and a single object cannot be watched by its path.
pub(super) fn is_watch(route: &Route) -> bool {
    let wanted = |value: &String| value != "0" && !value.eq_ignore_ascii_case("false");
    route.query.get("watch").is_some_and(wanted) && !route.params.contains_key("name")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::dialect::Dialect;
    use crate::route::Route;

    const GROUP: (&str, &str) = ("group", "example.io");
    const V1: (&str, &str) = ("version", "v1");

    #[rstest]
    #[case("/version?timeout=32s", Some("/version"), &[])]
    #[case("/apis", Some("/apis"), &[])]
    #[case("/apis/example.io/v1", Some("/apis/{group}/{version}"), &[GROUP, V1])]
    #[case("/api/v1/configmaps", Some("/api/v1/{plural}"), &[("plural", "configmaps")])]
    #[case("/api/v1/namespaces", Some("/api/v1/{plural}"), &[("plural", "namespaces")])]
    #[case(
        "/api/v1/namespaces/a",
        Some("/api/v1/{plural}/{name}"),
        &[("plural", "namespaces"), ("name", "a")]
    )]
    #[case(
        "/api/v1/namespaces/a/status",
        Some("/api/v1/{plural}/{name}/status"),
        &[("plural", "namespaces"), ("name", "a")]
    )]
    #[case(
        "/api/v1/namespaces/a/finalize",
        Some("/api/v1/{plural}/{name}/finalize"),
        &[("plural", "namespaces"), ("name", "a")]
    )]
    #[case(
        "/api/v1/namespaces/a/configmaps/b%3Ac",
        Some("/api/v1/namespaces/{namespace}/{plural}/{name}"),
        &[("namespace", "a"), ("plural", "configmaps"), ("name", "b:c")]
    )]
    #[case(
        "/apis/example.io/v1/apps?watch=1",
        Some("/apis/{group}/{version}/{plural}"),
        &[GROUP, V1, ("plural", "apps")]
    )]
    #[case(
        "/apis/example.io/v1/apps/app/status",
        Some("/apis/{group}/{version}/{plural}/{name}/status"),
        &[GROUP, V1, ("plural", "apps"), ("name", "app")]
    )]
    #[case(
        "/apis/example.io/v1/apps/app/scale",
        Some("/apis/{group}/{version}/{plural}/{name}/{subresource}"),
        &[GROUP, V1, ("plural", "apps"), ("name", "app"), ("subresource", "scale")]
    )]
    #[case(
        "/apis/example.io/v1/namespaces/n/images",
        Some("/apis/{group}/{version}/namespaces/{namespace}/{plural}"),
        &[GROUP, V1, ("namespace", "n"), ("plural", "images")]
    )]
    #[case(
        "/apis/example.io/v1/namespaces/n/images/i/status",
        Some("/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}/status"),
        &[GROUP, V1, ("namespace", "n"), ("plural", "images"), ("name", "i")]
    )]
    #[case("/apis/example.io/v1/apps/", None, &[])]
    #[case("/apis/example.io/v1/namespaces/n/images/i/status/more", None, &[])]
    #[case("/metrics", None, &[])]
    fn a_path_has_its_template(
        #[case] target: &str,
        #[case] template: Option<&str>,
        #[case] params: &[(&str, &str)],
    ) {
        let route = Route::of(Dialect::Kubernetes, target);
        assert_eq!(route.template, template);
        let expected = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(route.params, expected);
    }

    #[rstest]
    #[case("GET", "/api/v1/configmaps?watch=true", true)]
    #[case("GET", "/api/v1/configmaps?resourceVersion=5&watch=1", true)]
    #[case("GET", "/api/v1/configmaps?watch", true)]
    #[case("GET", "/api/v1/configmaps?watch=0", false)]
    #[case("GET", "/api/v1/configmaps?watch=False", false)]
    #[case("GET", "/api/v1/configmaps", false)]
    #[case("DELETE", "/api/v1/configmaps?watch=true", false)]
    #[case("GET", "/api/v1/namespaces/a/configmaps/b?watch=true", false)]
    #[case("GET", "/events", false)]
    fn a_watch_is_a_stream_of_events(
        #[case] method: &str,
        #[case] target: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(Route::of(Dialect::Kubernetes, target).streams_events(method), expected);
    }
}
