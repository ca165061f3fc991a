use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::bundle::LoadedBundle;
use crate::bundle_server::request::ParsedRequest;
use crate::bundle_server::request::tests::get;

/// A world with two containers and a namespace, in which the list of secrets failed.
fn api() -> CapturedApi {
    let discovery = json!({
        "/version": { "gitVersion": "v1.35.0" },
        "/apis": { "groups": [
            { "name": "containers.example", "preferredVersion": { "groupVersion": "containers.example/v1", "version": "v1" } },
            { "name": "unknown.example", "preferredVersion": { "groupVersion": "unknown.example/v1", "version": "v1" } },
        ] },
        "/api/v1": { "resources": [
            { "name": "namespaces", "kind": "Namespace", "namespaced": false, "verbs": ["create", "list"] },
            { "name": "secrets", "kind": "Secret", "namespaced": true, "verbs": ["list"] },
            { "name": "bindings", "kind": "Binding", "namespaced": true, "verbs": ["create"] },
        ] },
        "/apis/containers.example/v1": { "resources": [
            { "name": "containers", "kind": "Container", "namespaced": true, "verbs": ["list"] },
            { "name": "containers/status", "kind": "Container", "namespaced": true, "verbs": ["get", "list"] },
        ] },
    });
    let namespaces = "kind: List\nitems: [{kind: Namespace, metadata: {name: default}}]";
    let containers = "
kind: List
metadata: {resourceVersion: '7'}
items:
- {kind: Container, metadata: {name: one, namespace: default, labels: {a: b}}}
- {kind: Container, metadata: {name: two, namespace: other}}
";
    let bundle = LoadedBundle::from_texts([
        ("world/api/discovery.json", discovery.to_string().as_str()),
        ("world/api/readyz.txt", "ok\n"),
        ("world/api/objects/namespaces.yaml", namespaces),
        ("world/api/objects/containers.containers.example.yaml", containers),
    ]);
    CapturedApi::from_bundle(&bundle, "world/").expect("it is valid").expect("an API")
}

fn ask(target: &str) -> (u16, Value) {
    let response = api().respond(&get(target));
    let body = serde_json::from_slice(&response.body).unwrap_or_default();
    (response.status.as_u16(), body)
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["metadata"]["name"].as_str()).collect()
}

// A group without captured resources must be left out: clients would request its resources and
// complain.
#[test]
fn discovery_lists_what_can_be_listed_and_nothing_else() {
    assert_eq!(ask("/api").1["versions"], json!(["v1"]));
    let groups = ask("/apis?timeout=32s").1;
    assert_eq!(groups["groups"].as_array().map(Vec::len), Some(1), "{groups}");
    assert_eq!(groups["groups"][0]["preferredVersion"]["version"], "v1");
    let names = |list: &Value| {
        let resources = list["resources"].as_array().expect("a list").iter();
        resources.map(|it| it["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&ask("/api/v1").1), ["namespaces", "secrets"]);
    let containers = ask("/apis/containers.example/v1").1;
    assert_eq!(names(&containers), ["containers"]);
    assert_eq!(containers["resources"][0]["verbs"], json!(["get", "list", "watch"]));
    assert_eq!(ask("/version").1["gitVersion"], "v1.35.0");
    assert_eq!(api().respond(&get("/readyz")).body, "ok\n");
}

#[test]
fn objects_are_returned_by_name_and_listed_by_namespace() {
    const CONTAINERS: &str = "/apis/containers.example/v1";
    let (code, list) = ask(&format!("{CONTAINERS}/containers?limit=500"));
    assert_eq!((code, names(&list)), (200, vec!["one", "two"]));
    assert_eq!(
        (&list["kind"], &list["metadata"]["resourceVersion"]),
        (&json!("ContainerList"), &json!("7"))
    );
    let (_, list) = ask(&format!("{CONTAINERS}/namespaces/default/containers"));
    assert_eq!(names(&list), ["one"]);
    let (_, list) = ask(&format!("{CONTAINERS}/containers?labelSelector=a!%3Db"));
    assert_eq!(names(&list), ["two"]);
    let (code, one) = ask(&format!("{CONTAINERS}/namespaces/default/containers/one"));
    assert_eq!((code, &one["metadata"]["name"]), (200, &json!("one")));
    let (code, status) = ask(&format!("{CONTAINERS}/namespaces/default/containers/two"));
    assert_eq!((code, &status["reason"]), (404, &json!("NotFound")), "it is in another namespace");
    assert_eq!(names(&ask("/api/v1/namespaces").1), ["default"]);
    assert_eq!(ask("/api/v1/namespaces/default").1["metadata"]["name"], "default");
    assert_eq!(ask("/api/v1/namespaces/default/status").0, 200);
    let (code, status) = ask("/api/v1/secrets");
    assert_eq!((code, &status["kind"]), (503, &json!("Status")));
    assert_eq!(status["message"], "the bundle has no secrets: it was not captured");
    for target in ["/api/v1/pods", "/apis/x/v1/y", "/openapi/v2", "/", "/api/v1/namespaces/a/b/c/d"]
    {
        assert_eq!(ask(target).0, 404, "{target}");
    }
}

// A client that has listed the objects gets no event, any other client gets one for each object.
// Neither watch ends.
#[test]
fn a_watch_stays_open_without_changes() {
    const WATCH: &str = "/apis/containers.example/v1/containers?watch=true";
    let watch = |more: &str| api().respond(&get(&format!("{WATCH}{more}")));
    let after_list = watch("&resourceVersion=7");
    assert!(after_list.stays_open && after_list.body.is_empty(), "{after_list:?}");
    let without_list = watch("");
    assert!(without_list.stays_open);
    let events = String::from_utf8(without_list.body.to_vec()).expect("text");
    assert_eq!(events.matches("\"type\":\"ADDED\"").count(), 2, "{events}");
    assert!(!api().respond(&get("/apis/containers.example/v1/containers")).stays_open);
}

#[test]
fn a_request_that_writes_or_has_no_token_is_refused() {
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let request = Request::builder().method(method).uri("/api/v1/namespaces/default");
        let request = ParsedRequest::from_http(&request.body(()).expect("a request"));
        let response = api().respond(&request);
        assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
        assert!(String::from_utf8_lossy(&response.body).contains("can only be read"));
    }
    let with = |value: &str| {
        let request = Request::get("/api").header("authorization", value).body(());
        check_token(&ParsedRequest::from_http(&request.expect("a request")), "token")
    };
    assert_eq!(with("Bearer token"), Ok(()));
    for other in ["Bearer tokem", "Bearer ", "token", "Basic token"] {
        assert_eq!(with(other).expect_err("refused").status, StatusCode::UNAUTHORIZED, "{other}");
    }
    assert!(check_token(&get("/api"), "token").is_err());
}
