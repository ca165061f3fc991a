use http::{Method, Request};

use super::*;
use crate::exhibit::question::tests::reading;

/// A world of two containers and a namespace; secrets could not be listed.
fn objects() -> Objects {
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
    let bundle = Opened::test([
        ("world/api/discovery.json", discovery.to_string().as_str()),
        ("world/api/readyz.txt", "ok\n"),
        ("world/api/objects/namespaces.yaml", namespaces),
        ("world/api/objects/containers.containers.example.yaml", containers),
    ]);
    Objects::of(&bundle, "world/").expect("it can be used").expect("an API")
}

fn ask(target: &str) -> (u16, Value) {
    let reply = objects().answer(&reading(target));
    let body = serde_json::from_slice(&reply.body).unwrap_or_default();
    (reply.status.as_u16(), body)
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["metadata"]["name"].as_str()).collect()
}

// A group of which no resources are known is left out: clients would ask for them, and complain.
#[test]
fn discovery_tells_of_what_can_be_listed_and_nothing_else() {
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
    assert_eq!(objects().answer(&reading("/readyz")).body, "ok\n");
}

#[test]
fn objects_are_got_and_listed_by_their_names_and_namespaces() {
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

// Whoever knows the list waits for what will never come; whoever knows nothing is told of what there is.
#[test]
fn a_watch_is_silent() {
    const WATCH: &str = "/apis/containers.example/v1/containers?watch=true";
    let watch = |more: &str| objects().answer(&reading(&format!("{WATCH}{more}")));
    let knows = watch("&resourceVersion=7");
    assert!(knows.stays_silent && knows.body.is_empty(), "{knows:?}");
    let asks = watch("");
    assert!(asks.stays_silent);
    let events = String::from_utf8(asks.body.to_vec()).expect("text");
    assert_eq!(events.matches("\"type\":\"ADDED\"").count(), 2, "{events}");
    assert!(!objects().answer(&reading("/apis/containers.example/v1/containers")).stays_silent);
}

#[test]
fn whatever_writes_and_whoever_has_no_token_is_refused() {
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let request = Request::builder().method(method).uri("/api/v1/namespaces/default");
        let question = Question::of(&request.body(()).expect("a request"));
        let reply = objects().answer(&question);
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
        assert!(String::from_utf8_lossy(&reply.body).contains("can only be read"));
    }
    let with = |value: &str| {
        let request = Request::get("/api").header("authorization", value).body(());
        refuse_stranger(&Question::of(&request.expect("a request")), "token")
    };
    assert_eq!(with("Bearer token"), None);
    for other in ["Bearer tokem", "Bearer ", "token", "Basic token"] {
        assert_eq!(with(other).expect("refused").status, StatusCode::UNAUTHORIZED, "{other}");
    }
    assert!(refuse_stranger(&reading("/api"), "token").is_some());
}
