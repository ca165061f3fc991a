//! Work of the daemon without and with a cause.

use rstest::rstest;
use serde_json::{Value, json};

use super::build::*;
use crate::oracle::bounded_work;
use crate::record::{Exit, LogLevel, ProcessState, UserCommand, UserCommandEnd, What, WireWhat};
use crate::scenario::OracleName;

const SWEEP: &str =
    r#"I1121 15:11:30.827382     303 engine.go:496] "Cleaning up all mirror resources""#;

/// An App that is touched 20 times, while the daemon logs a sweep `sweeps` times.
fn touched(app: Value, sweeps: usize) -> Vec<What> {
    let mut whats = vec![run_with_steps(&json!([{ "touch": { "times": 20 } }, "settle"]))];
    whats.extend([app_is(app), deleted("volumes", volume("data", "u1"))]);
    whats.push(step_began(0));
    whats.extend(
        (0..sweeps).map(|n| log_line(LogLevel::Info, &SWEEP.replace("303", &n.to_string()))),
    );
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

// Four sweeps for 20 touches may be chance, and a daemon that has not stopped yet must retry.
#[test]
fn bounded_work_accepts_a_sweep_that_has_a_cause() {
    assert_passes(touched(stopped_app(2), 4));
    let waiting = app(2, false, &[("ContainerEngineReady", "True", "Connected", 1)]);
    assert_passes(touched(waiting, 20));
}

// Each change calls the controllers, and a verbose daemon logs that. Only the third line reports work.
#[test]
fn bounded_work_does_not_count_the_call_of_a_controller_as_work() {
    let logged = |line: &str| {
        let mut whats = vec![run_with_steps(&json!([{ "touch": { "times": 8 } }, "settle"]))];
        whats.extend([app_is(stopped_app(2)), deleted("volumes", volume("data", "u1"))]);
        whats.push(step_began(0));
        let line = format!("I1121 15:11:30.827382     303 a.go:30] {line} name=\"app\"");
        whats.extend((0..8).map(|_| log_line(LogLevel::Info, &line)));
        whats.extend([What::StepDone { index: 0 }, step_began(1)]);
        healthy_run(whats)
    };
    assert_passes(logged("\"update\""));
    assert_passes(logged("\"reconcile entered\""));
    assert_violates(
        logged("\"reconcile done\""),
        OracleName::BoundedWork,
        "the daemon logged 8 times",
    );
}

// The eight messages differ in a word, so none of them is repeated.
#[test]
fn bounded_work_distinguishes_messages_by_their_words() {
    let touch = run_with_steps(&json!([{ "touch": { "times": 8 } }]));
    let mut whats = vec![touch, app_is(ready_app(1)), step_began(0)];
    let words = ["a", "b", "c", "d", "e", "f", "g", "h"];
    whats
        .extend(words.map(|word| log_line(LogLevel::Info, &format!("I1121 1:2 3 a.go:4] {word}"))));
    assert_passes(healthy_run(whats));
}

/// The daemon inspects one volume `times` times, with so many events about it.
fn inspections(times: u64, events: usize) -> Vec<What> {
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
        inspections(400, 0),
        OracleName::BoundedWork,
        "the daemon sent `GET /v1.41/volumes/data` 400 times between two checkpoints, with 0 causes",
    );
    assert_passes(inspections(400, 400));
    // Backoff from 5 ms makes 16 requests in more than five minutes.
    assert_passes(inspections(16, 0));
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
fn bounded_work_accepts_writes_that_change_something() {
    let other = |n| {
        let mut other = volume("data", "u1");
        other["status"]["createdAt"] = json!(n);
        other
    };
    assert_passes(rewritten(40, other));
}

// The docker command reaches the engine by the daemon's wire.
#[test]
fn bounded_work_does_not_count_requests_of_the_docker_command() {
    let command =
        |end| What::UserCommand(UserCommand { number: 1, arguments: vec!["ps".to_owned()], end });
    let end = UserCommandEnd { exit: Exit::Code(0), said: String::new() };
    let mut whats = inspections(400, 0);
    whats.insert(0, command(None));
    whats.push(command(Some(end)));
    assert_eq!(complaints(bounded_work, whats), [""; 0]);
}

/// A daemon that subscribes twice, and what happens in between.
fn subscribed_twice(between: Vec<What>) -> Vec<What> {
    let subscribe = |exchange| request(exchange, "GET", "/v1.41/events?since=7", "/events");
    let answer = |exchange| on_wire(exchange, WireWhat::Response { status: 200 });
    let mut whats =
        vec![run_with_steps(&json!([{ "create_volume": { "name": "data" } }, "settle"]))];
    whats.extend([app_is(ready_app(1)), subscribe(1), answer(1)]);
    whats.extend(between);
    whats.extend([subscribe(2), answer(2)]);
    healthy_run(whats)
}

// Conditions change and waits begin; neither is a reason to subscribe again.
#[test]
fn bounded_work_sees_a_reconnect_without_a_reason() {
    let mut app = ready_app(1);
    app["status"]["conditions"][0]["message"] = json!("another");
    assert_violates(
        subscribed_twice(vec![step_began(1), app_is(app)]),
        OracleName::BoundedWork,
        "the daemon was connected and nothing had happened since, but it sent `GET \
         /v1.41/events?since=7` again",
    );
}

#[rstest]
#[case::step(step_began(0))]
#[case::event_of_the_engine(engine_event("volume", "create", "data"))]
#[case::end_of_the_stream(on_wire(1, WireWhat::Finished { bytes: 0 }))]
#[case::cut(on_wire(1, WireWhat::Cut))]
#[case::process(process("engine", ProcessState::Started))]
#[case::desired_state(app_is(stopped_app(2)))]
fn bounded_work_accepts_a_reconnect_with_a_reason(#[case] reason: What) {
    let complaints = complaints(bounded_work, subscribed_twice(vec![reason]));
    assert_eq!(complaints, [""; 0]);
}
