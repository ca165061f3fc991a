//! What histories show: which calls come by chance, and what is tried first to repeat a failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use racetrap_history::{Record, What};
use racetrap_search::{Learned, hunt, learn};
use serde_json::{Value, json};

/// A history of these records, each with the microsecond at which it came.
fn history(steps: &Value, whats: &[(u64, Value)]) -> Vec<Record> {
    let header = json!({"what": "run", "format": 1, "harness": "0", "finding": "1-A", "daemon": "rdd",
        "scenario": {"finding": "1-A", "steps": steps}, "defects": [], "vm": "api",
        "started": "2026-01-01T00:00:00Z"});
    let all = [&[(0, header)], whats].concat();
    let records = all.into_iter().zip(0..).map(|((at_us, mut what), seq)| {
        what["seq"] = json!(seq);
        what["at_us"] = json!(at_us);
        serde_json::from_value(what).unwrap()
    });
    records.collect()
}

/// What a run of a workload with this history teaches.
fn learned(history: &[Record]) -> Learned {
    let What::Run(header) = &history[0].what else { panic!("a header") };
    learn(&header.scenario, &[history.to_vec()])
}

fn began(index: usize) -> Value {
    json!({"what": "step_began", "index": index})
}

fn request(route: &str) -> Value {
    json!({"what": "wire", "connection": 0, "exchange": 0, "wire": "request", "method": "GET",
        "target": route, "route": route, "phase": "steady"})
}

// The docker command goes by the daemon's own socket; the daemon lists images meanwhile.
#[test]
fn a_request_of_a_docker_command_is_no_place() {
    let steps =
        json!([{"app": {"running": true}}, {"docker": {"arguments": ["rm", "web"]}}, "settle"]);
    let command = |end: Value| json!({"what": "user_command", "number": 1, "arguments": ["rm", "web"], "end": end});
    let users = |route: &str| {
        let mut request = request(route);
        request["connection"] = json!(7);
        request
    };
    let records = [
        began(0),
        request("/_ping"),
        began(1),
        command(Value::Null),
        users("/_ping"),
        users("/containers/{id}"),
        request("/images/json"),
        command(json!({"exit": {"code": 0}, "said": ""})),
        request("/volumes"),
    ];
    let timed: Vec<_> = (1..).zip(records).collect();
    let history = history(&steps, &timed);
    let learned = learned(&history);
    let found: Vec<_> = learned.sites.iter().map(ToString::to_string).collect();
    let expected = [
        "GET /_ping (1) after step 1",
        "GET /images/json (1) after step 2",
        "GET /volumes (1) after step 2",
    ];
    assert_eq!(found, expected);
}

fn event(action: &str) -> Value {
    let frame = json!({"Type": "volume", "Action": action, "Actor": {"ID": "data"}});
    json!({"what": "wire", "connection": 0, "exchange": 0, "wire": "frame", "frame": frame})
}

fn write(operation: &str, resource: &str) -> Value {
    write_by("m", operation, resource)
}

fn write_by(manager: &str, operation: &str, resource: &str) -> Value {
    json!({"what": "review", "operation": operation, "resource": resource, "name": "vol-1",
        "manager": manager, "outcome": "allowed"})
}

// The step that writes as a user waits for the answer, and could not go on to the release of its own gate.
#[test]
fn a_write_of_a_user_is_no_place() {
    let steps = json!([{"app": {"running": true}}, {"create_volume": {"name": "data"}}, "settle"]);
    let managers = ["racetrap-user", "rdd", "kubectl-label", "rdd-finalizers"];
    let writes = managers.map(|manager| write_by(manager, "UPDATE", "volumes"));
    let timed: Vec<_> = (1..).zip([began(0), began(1)].into_iter().chain(writes)).collect();
    let history = history(&steps, &timed);
    let learned = learned(&history);
    let found = serde_json::to_value(&learned.sites).expect("sites are JSON");
    assert_eq!(learned.sites.len(), 1, "{found}");
    assert!(found.to_string().contains("rdd-finalizers"), "{found}");
}

// The volume was created in the second in which the daemon connects, so that the engine repeats its event:
// the inspection and the update are by chance. What the sync writes, and all that follows an event of the
// step itself, is not.
#[test]
fn what_follows_from_an_event_of_an_earlier_step_is_by_chance() {
    let steps = json!([{"create_volume": {"name": "data"}}, {"app": {"running": true}},
        {"remove_volume": {"name": "data"}}, "settle"]);
    let records = [
        began(0),
        began(1),
        request("/volumes"),
        write("CREATE", "volumes"),
        event("create"),
        request("/volumes/{name}"),
        request("/containers/json"),
        write("UPDATE", "volumes"),
        write("UPDATE", "volumes/status"),
        began(2),
        event("destroy"),
        request("/volumes/{name}"),
    ];
    let timed: Vec<_> = (1..).zip(records).collect();
    let history = history(&steps, &timed);
    let learned = learned(&history);
    let found: Vec<_> = learned.sites.iter().map(|it| (it.to_string(), it.repeated)).collect();
    let expected = [
        ("GET /containers/json (1) after step 2", false),
        ("GET /volumes (1) after step 2", false),
        ("GET /volumes/{name} (1) after step 2", true),
        ("event volume create (1) after step 2", true),
        ("write create volumes (1) after step 2", false),
        ("write update volumes (1) after step 2", true),
        ("write update volumes/status (1) after step 2", false),
        ("GET /volumes/{name} (1) after step 3", false),
        ("event volume destroy (1) after step 3", false),
    ];
    assert_eq!(found, expected.map(|(site, repeated)| (site.to_owned(), repeated)));
}

// The list came 10 µs before the volume was created, the subscription 900 µs before that.
#[test]
fn what_was_nearest_is_held_first() {
    let steps = json!([{"app": {"running": true}}, {"create_volume": {"name": "data"}}, "settle"]);
    let history = history(
        &steps,
        &[
            (10, began(0)),
            (100, request("/events")),
            (990, request("/volumes")),
            (1000, began(1)),
            (2000, began(2)),
        ],
    );
    let plans = hunt(&history);
    let places: Vec<_> = plans.iter().map(|plan| plan.place.as_str()).collect();
    let expected = [
        "GET /volumes held at its request",
        "GET /volumes held at its response",
        "GET /events held at its request",
        "GET /events held at its response",
    ];
    assert_eq!(places, expected);
    let steps = serde_json::to_value(&plans[0].scenario.steps).unwrap();
    assert_eq!(steps[0]["hold"]["on"]["route"], "/volumes");
    assert_eq!(steps[1], json!({"app": {"running": true, "wait": false}}));
    assert_eq!(steps[3], json!({"create_volume": {"name": "data"}}));
    assert_eq!(steps[4], json!({"release": "held"}));
    plans[0].scenario.check().unwrap();
}

// No review says who writes, so the change that a watch reports is taken for a write by anybody.
#[test]
fn a_write_is_known_by_its_effect() {
    let steps = json!([{"app": {"running": true}}, {"create_volume": {"name": "data"}},
        {"remove_volume": {"name": "data"}}, "settle"]);
    let mirror = json!({"metadata": {"name": "vol-1"}, "status": {"name": "data"}});
    let change =
        json!({"what": "api", "resource": "volumes", "change": "modified", "object": mirror});
    let history = history(&steps, &[(10, began(0)), (20, began(1)), (30, change), (40, began(2))]);
    let plans = hunt(&history);
    let held = serde_json::to_value(&plans[0].scenario.steps[1]).unwrap();
    assert_eq!(
        held["hold_write"]["on"],
        json!({"operation": "update", "resource": "volumes/status"})
    );
}

#[test]
fn a_history_without_its_scenario_gives_no_plan() {
    assert!(hunt(&[]).is_empty());
}
