use rstest::rstest;

use super::target::Route;
use crate::dialect::Dialect;

const GROUP: (&str, &str) = ("group", "example.io");
const V1: (&str, &str) = ("version", "v1");

#[test]
fn a_query_is_decoded() {
    let route =
        Route::parse(Dialect::Docker, "/events?filters=%7B%22type%22%3A1%7D&since=5&a+b=%zz&flag");
    let value = |name: &str| route.query.get(name).map(String::as_str);
    assert_eq!(value("filters"), Some(r#"{"type":1}"#));
    assert_eq!(value("since"), Some("5"));
    assert_eq!(value("a b"), Some("%zz"));
    assert_eq!(value("flag"), Some(""));
}

#[rstest]
#[case("/v1.41/containers/abc/json", Some("/containers/{id}/json"), &[("id", "abc")])]
#[case("/containers/json?all=1", Some("/containers/json"), &[])]
#[case("/v1.41/images/sha256:ab/json", Some("/images/{id}/json"), &[("id", "sha256:ab")])]
#[case("/images/reg/team/app:1/json", Some("/images/{id}/json"), &[("id", "reg/team/app:1")])]
#[case("/images/json", Some("/images/json"), &[])]
#[case("/v1.41/volumes/a%20b", Some("/volumes/{name}"), &[("name", "a b")])]
#[case("/v1.41/volumes", Some("/volumes"), &[])]
#[case("/volumes/create", Some("/volumes/create"), &[])]
#[case("/_ping", Some("/_ping"), &[])]
#[case("/v1.41/swarm", None, &[])]
#[case("/containers/a/b/json", None, &[])]
#[case("/version", Some("/version"), &[])]
fn a_docker_path_is_parsed_by_its_template(
    #[case] target: &str,
    #[case] template: Option<&str>,
    #[case] params: &[(&str, &str)],
) {
    let route = Route::parse(Dialect::Docker, target);
    assert_eq!(route.template, template);
    let expected = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    assert_eq!(route.params, expected);
}

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
fn a_kubernetes_path_is_parsed_by_its_template(
    #[case] target: &str,
    #[case] template: Option<&str>,
    #[case] params: &[(&str, &str)],
) {
    let route = Route::parse(Dialect::Kubernetes, target);
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
fn only_a_watch_of_a_collection_is_an_event_stream(
    #[case] method: &str,
    #[case] target: &str,
    #[case] expected: bool,
) {
    assert_eq!(Route::parse(Dialect::Kubernetes, target).is_event_stream(method), expected);
}
