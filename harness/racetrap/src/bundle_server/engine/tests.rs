use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::bundle::LoadedBundle;
use crate::bundle_server::request::ParsedRequest;
use crate::bundle_server::request::tests::get;
use crate::bundle_server::response::PreparedResponse;

const ID: &str = "4f1c000000000000000000000000000000000000000000000000000000000000";

fn engine() -> CapturedEngine {
    let image = json!({ "Id": "sha256:abcd", "RepoTags": ["base:1", "x/y:latest"], "Labels": { "a": "b" } });
    let files = [
        ("version", json!({ "ApiVersion": "1.45", "Os": "linux", "Version": "28.2.2" })),
        (
            "containers",
            json!([
                { "Id": ID, "Names": ["/one"], "State": "running", "Labels": { "a": "b", "c": "d" } },
                { "Id": "5555", "Names": ["/two"], "State": "exited" },
            ]),
        ),
        (
            "container-inspect",
            json!([
                { "Id": ID, "Name": "/one", "Config": { "Tty": false } },
                { "Id": "5555", "Name": "/4f1", "Config": { "Tty": true } },
            ]),
        ),
        ("images", json!([image, { "Id": "sha256:ef01", "RepoTags": [] }])),
        ("image-inspect", json!([image])),
        ("volumes", json!({ "Volumes": [{ "Name": "data", "Driver": "local" }] })),
        ("networks", json!([{ "Name": "none", "Id": "77aa" }])),
    ];
    let files = files.map(|(name, text)| (format!("world/engine/{name}.json"), text.to_string()));
    let log =
        (format!("world/engine/logs/{ID}.log"), "stdout 2026-01-01T00:00:00Z hello\n".to_owned());
    let events =
        "{\"time\":5,\"Action\":\"create\"}\n{\"time\":6,\"Action\":\"start\"}\n".to_owned();
    let [a, b, c, d, e, f, g] = &files;
    let more = ("world/engine/events.jsonl".to_owned(), events);
    let all = [a, b, c, d, e, f, g, &log, &more].map(|(path, text)| (path.as_str(), text.as_str()));
    let bundle = LoadedBundle::from_texts(all);
    CapturedEngine::from_bundle(&bundle, "world/").expect("it is valid").expect("an engine")
}

fn response(target: &str) -> PreparedResponse {
    engine().respond(&get(target))
}

fn ask(target: &str) -> (u16, Value) {
    let response = response(target);
    (response.status.as_u16(), serde_json::from_slice(&response.body).unwrap_or_default())
}

fn count(target: &str) -> usize {
    let (code, list) = ask(target);
    assert_eq!(code, 200, "{target}: {list}");
    list.as_array().map_or(usize::MAX, Vec::len)
}

// The requests are those of `docker ps`, `docker ps -a` and similar commands.
#[test]
fn lists_have_the_objects_that_pass_the_filters() {
    let filtered = |path: &str, filters: Value| {
        let text = filters.to_string();
        let filters =
            percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        format!("{path}?filters={filters}")
    };
    assert_eq!(count("/v1.45/containers/json"), 1);
    assert_eq!(count("/containers/json?all=1"), 2);
    assert_eq!(count("/containers/json?all=1&limit=1"), 1);
    for (filters, expected) in [
        (json!({ "status": ["exited"] }), 1),
        (json!({ "status": { "exited": true, "running": true } }), 2),
        (json!({ "label": ["a=b", "c"] }), 1),
        (json!({ "label": ["a=b", "e"] }), 0),
        (json!({ "name": ["one"], "id": ["4f1c"] }), 1),
    ] {
        assert_eq!(count(&filtered("/containers/json", filters.clone())), expected, "{filters}");
    }
    assert_eq!(count("/images/json"), 2);
    assert_eq!(count(&filtered("/images/json", json!({ "reference": ["base"] }))), 1);
    assert_eq!(count(&filtered("/images/json", json!({ "dangling": ["true"] }))), 1);
    assert_eq!(ask("/volumes").1["Volumes"][0]["Name"], "data");
    assert_eq!(ask(&filtered("/volumes", json!({ "name": ["x"] }))).1["Volumes"], json!([]));
    assert_eq!(count("/networks"), 1);
    let (code, why) = ask(&filtered("/containers/json", json!({ "health": ["starting"] })));
    assert_eq!(
        (code, &why["message"]),
        (400, &json!("a bundle does not support the filter \"health\""))
    );
}

// The name of one container is a prefix of the ID of the other one; it must lead to the former.
#[test]
fn objects_are_found_by_names_and_by_prefixes_of_their_ids() {
    for (target, expected) in [
        ("/containers/one/json", ID),
        ("/containers/4f1c/json", ID),
        ("/containers/4f1/json", "5555"),
        ("/images/base:1/json", "sha256:abcd"),
        ("/images/x/y/json", "sha256:abcd"),
        ("/images/x%2Fy:latest/json", "sha256:abcd"),
        ("/images/abcd/json", "sha256:abcd"),
        ("/images/sha256:ab/json", "sha256:abcd"),
        ("/networks/77/json", ""),
        ("/networks/none", "77aa"),
    ] {
        assert_eq!(ask(target).1["Id"].as_str().unwrap_or_default(), expected, "{target}");
    }
    assert_eq!(ask("/volumes/data").1["Driver"], "local");
    for target in
        ["/containers/three/json", "/images/base/json", "/volumes/x", "/networks/x", "/exec/x/json"]
    {
        assert_eq!(ask(target).0, 404, "{target}");
    }
    assert_eq!(ask("/containers/three/json").1["message"], "No such container: three");
    let (code, why) = ask("/info");
    assert_eq!(
        (code, &why["message"]),
        (503, &json!("the bundle has no info: it was not captured"))
    );
}

#[test]
fn ping_has_the_version_and_logs_and_events_are_as_captured() {
    let ping = response("/_ping").into_http(true);
    assert_eq!(ping.headers()["api-version"], "1.45");
    let log = response("/containers/one/logs?stdout=1");
    assert_eq!(log.body, [&[1, 0, 0, 0, 0, 0, 0, 6], b"hello\n".as_slice()].concat());
    assert_eq!(ask("/containers/4f1/logs?stdout=1").0, 404, "it has no log");
    let events = |query: &str| response(&format!("/events{query}"));
    let last = events("?since=6&until=7");
    assert!(!last.stays_open && String::from_utf8_lossy(&last.body).contains("start"));
    assert!(!String::from_utf8_lossy(&last.body).contains("create"));
    assert!(events("").stays_open && events("").body.is_empty());
}

#[test]
fn a_request_that_writes_is_refused() {
    for (method, target) in [
        (Method::POST, "/v1.45/containers/create"),
        (Method::POST, "/containers/one/start"),
        (Method::DELETE, "/volumes/data"),
        (Method::PUT, "/containers/one/archive"),
    ] {
        let request = Request::builder().method(method).uri(target).body(()).expect("a request");
        let response = engine().respond(&ParsedRequest::from_http(&request));
        assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED, "{target}");
        assert!(String::from_utf8_lossy(&response.body).contains("can only be read"));
    }
}
