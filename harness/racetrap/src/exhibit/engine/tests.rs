use http::{Method, Request};

use super::*;
use crate::exhibit::question::tests::reading;

const ID: &str = "4f1c000000000000000000000000000000000000000000000000000000000000";

fn holdings() -> Holdings {
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
    Holdings::of(&Opened::test(all), "world/").expect("it can be used").expect("an engine")
}

fn ask(target: &str) -> (u16, Value) {
    let reply = holdings().answer(&reading(target));
    (reply.status.as_u16(), serde_json::from_slice(&reply.body).unwrap_or_default())
}

fn count(target: &str) -> usize {
    let (code, list) = ask(target);
    assert_eq!(code, 200, "{target}: {list}");
    list.as_array().map_or(usize::MAX, Vec::len)
}

// As `docker ps`, `docker ps -a` and their like ask.
#[test]
fn lists_have_what_is_asked_for() {
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
        (400, &json!("the filter \"health\" is not served of a bundle"))
    );
}

// A container whose name is the beginning of another one's ID is meant by that name.
#[test]
fn what_is_inspected_is_found_by_its_names() {
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
fn the_engine_tells_its_version_its_logs_and_its_events() {
    let response = holdings().answer(&reading("/_ping")).sent(true);
    assert_eq!(response.headers()["api-version"], "1.45");
    let log = holdings().answer(&reading("/containers/one/logs?stdout=1"));
    assert_eq!(log.body, [&[1, 0, 0, 0, 0, 0, 0, 6], b"hello\n".as_slice()].concat());
    assert_eq!(ask("/containers/4f1/logs?stdout=1").0, 404, "it has no log");
    let events = |query: &str| holdings().answer(&reading(&format!("/events{query}")));
    let last = events("?since=6&until=7");
    assert!(!last.stays_silent && String::from_utf8_lossy(&last.body).contains("start"));
    assert!(!String::from_utf8_lossy(&last.body).contains("create"));
    assert!(events("").stays_silent && events("").body.is_empty());
}

#[test]
fn whatever_writes_is_refused() {
    for (method, target) in [
        (Method::POST, "/v1.45/containers/create"),
        (Method::POST, "/containers/one/start"),
        (Method::DELETE, "/volumes/data"),
        (Method::PUT, "/containers/one/archive"),
    ] {
        let request = Request::builder().method(method).uri(target).body(()).expect("a request");
        let reply = holdings().answer(&Question::of(&request));
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{target}");
        assert!(String::from_utf8_lossy(&reply.body).contains("can only be read"));
    }
}
