//! Work that grows with nothing, and work that has a cause.

use serde_json::{Value, json};

use super::build::*;
use crate::record::{LogLevel, What, WireWhat};
use crate::scenario::OracleName;

const SWEEP: &str =
    r#"I1121 15:11:30.827382     303 engine.go:496] "Cleaning up all mirror resources""#;

/// A stopped App that is touched 20 times, with `said` of that in the log.
fn touched(app: Value, said: usize) -> Vec<What> {
    let mut whats = vec![run_with_steps(&json!([{ "touch": { "times": 20 } }, "settle"]))];
    whats.extend([app_is(app), deleted("volumes", volume("data", "u1"))]);
    whats.push(step_began(0));
    whats
        .extend((0..said).map(|n| log_line(LogLevel::Info, &SWEEP.replace("303", &n.to_string()))));
    whats.push(What::StepDone { index: 0 });
    whats.push(step_began(1));
    healthy_run(whats)
}

#[test]
fn bounded_work_sees_a_sweep_at_each_touch() {
    assert_violates(
        touched(stopped_app(2), 20),
        OracleName::BoundedWork,
        "the App was touched 20 times, and the daemon logged 20 times: Cleaning up all mirror resources",
    );
    assert_violates(
        touched(stopped_app(2), 5),
        OracleName::BoundedWork,
        "and the daemon logged 5 times",
    );
}

// Once or twice is chance; and a stop that has not ended is tried again.
#[test]
fn bounded_work_leaves_a_sweep_alone_that_has_a_reason() {
    assert_passes(touched(stopped_app(2), 4));
    let waiting = app(2, false, &[("ContainerEngineReady", "True", "Connected", 1)]);
    assert_passes(touched(waiting, 20));
}

// A controller is called at each change, and says so where the daemon tells much.
#[test]
fn bounded_work_takes_a_call_of_a_controller_for_no_work() {
    let said = |line: &str| {
        let mut whats = vec![run_with_steps(&json!([{ "touch": { "times": 8 } }, "settle"]))];
        whats.extend([app_is(stopped_app(2)), deleted("volumes", volume("data", "u1"))]);
        whats.push(step_began(0));
        let line = format!("I1121 15:11:30.827382     303 a.go:30] {line} name=\"app\"");
        whats.extend((0..8).map(|_| log_line(LogLevel::Info, &line)));
        whats.extend([What::StepDone { index: 0 }, step_began(1)]);
        healthy_run(whats)
    };
    assert_passes(said("\"update\""));
    assert_passes(said("\"reconcile entered\""));
    assert_violates(
        said("\"reconcile done\""),
        OracleName::BoundedWork,
        "the daemon logged 8 times",
    );
}

// Messages that differ in more than names and numbers are different ones.
#[test]
fn bounded_work_tells_messages_apart() {
    let touch = run_with_steps(&json!([{ "touch": { "times": 8 } }]));
    let mut whats = vec![touch, app_is(ready_app(1)), step_began(0)];
    let words = ["a", "b", "c", "d", "e", "f", "g", "h"];
    whats
        .extend(words.map(|word| log_line(LogLevel::Info, &format!("I1121 1:2 3 a.go:4] {word}"))));
    assert_passes(healthy_run(whats));
}

/// One volume's mirror is asked for `times` times, after so many events about it.
fn asking(times: u64, events: usize) -> Vec<What> {
    let mut whats = vec![];
    for exchange in 1..=times {
        whats.push(request(exchange, "GET", "/v1.41/volumes/data", "/volumes/{name}"));
        whats.push(on_wire(exchange, WireWhat::Response { status: 404 }));
        whats.push(on_wire(exchange, WireWhat::Finished { bytes: 0 }));
    }
    whats.extend((0..events).map(|_| engine_event("volume", "mount", "data")));
    healthy_run(whats)
}

#[test]
fn bounded_work_sees_a_loop_of_requests() {
    assert_violates(
        asking(400, 0),
        OracleName::BoundedWork,
        "the daemon sent `GET /v1.41/volumes/data` 400 times between two checkpoints, with 0 causes",
    );
    assert_passes(asking(400, 400));
    // Backoff from 5 ms makes 16 requests in more than five minutes.
    assert_passes(asking(16, 0));
}

fn rewritten(times: u64, change: impl Fn(u64) -> Value) -> Vec<What> {
    healthy_run((0..times).map(|n| modified("volumes", at_version(20 + n, change(n)))).collect())
}

#[test]
fn bounded_work_sees_writes_that_change_nothing() {
    let same = |n| {
        let mut same = volume("data", "u1");
        same["metadata"]["managedFields"] = json!([{ "time": n }]);
        same
    };
    assert_violates(
        rewritten(40, same),
        OracleName::BoundedWork,
        "volume data: the daemon wrote its mirror 39 times without a change",
    );
    assert_passes(rewritten(5, same));
}

#[test]
fn bounded_work_leaves_writes_alone_that_change_something() {
    let other = |n| {
        let mut other = volume("data", "u1");
        other["status"]["createdAt"] = json!(n);
        other
    };
    assert_passes(rewritten(40, other));
}
