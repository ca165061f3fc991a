//! Schedules that cannot be carried out are refused. The error names the step and what was expected.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use racetrap_history::{Scenario, Step};
use serde_json::{Value, json};

fn scenario(steps: Value) -> Scenario {
    serde_json::from_value(json!({ "finding": "295-I3", "steps": steps })).unwrap()
}

fn hold(gate: &str) -> Value {
    json!({ "hold": { "gate": gate, "at": "request", "on": { "route": "/events" } } })
}

fn hold_after(gate: &str, after: &str) -> Value {
    let mut step = hold(gate);
    step["hold"]["after"] = json!(after);
    step
}

#[track_caller]
fn assert_refused(steps: Value, step: usize, problem: &str) {
    let error = scenario(steps).check().unwrap_err();
    assert_eq!((error.step, error.problem.as_str()), (step, problem));
    assert!(!error.expected.is_empty());
}

#[test]
fn a_schedule_in_order_is_accepted() {
    let steps = json!([
        hold("a"), hold_after("b", "a"), { "reached": "a" }, { "release": "a" },
        { "reached": "b" }, { "release": "b" }, "settle",
    ]);
    assert_eq!(scenario(steps).check(), Ok(()));
}

#[test]
fn gates_that_wait_for_each_other_are_refused() {
    assert_refused(
        json!([hold_after("a", "b"), hold_after("b", "a"), "settle"]),
        0,
        "gates wait for each other: `a` after `b` after `a`",
    );
}

#[test]
fn a_gate_that_counts_only_after_one_that_is_still_closed_is_refused() {
    assert_refused(
        json!([hold("a"), hold_after("b", "a"), { "reached": "a" }, { "reached": "b" }]),
        3,
        "gate `b` counts only after `a`, which is not released yet",
    );
}

#[test]
fn a_gate_used_before_it_is_armed_is_refused() {
    assert_refused(json!([{ "reached": "a" }, hold("a")]), 0, "gate `a` cannot be used so here");
}

#[test]
fn a_gate_released_before_it_was_reached_is_refused() {
    assert_refused(json!([hold("a"), { "release": "a" }]), 1, "gate `a` cannot be used so here");
}

#[test]
fn a_gate_armed_twice_is_refused() {
    assert_refused(json!([hold("a"), hold("a")]), 1, "gate `a` is armed twice");
}

#[test]
fn a_gate_that_nobody_arms_is_refused() {
    assert_refused(json!([{ "reached": "ghost" }]), 0, "there is no gate `ghost`");
}

#[test]
fn a_world_cannot_settle_while_a_gate_is_closed() {
    assert_refused(
        json!([hold("a"), { "reached": "a" }, "settle"]),
        2,
        "the world cannot settle while gate `a` is closed",
    );
}

#[test]
fn a_schedule_that_is_never_judged_is_refused() {
    assert_refused(
        json!([{ "create_volume": { "name": "v" } }]),
        0,
        "nothing is judged after the last step",
    );
}

#[test]
fn an_unknown_key_of_a_step_is_refused() {
    let step = json!({ "untag": { "tag": "a:1", "forced": true } });
    let error = serde_json::from_value::<Step>(step).unwrap_err().to_string();
    assert!(error.contains("unknown field `forced`"), "{error}");
}

#[test]
fn a_step_that_uses_something_no_earlier_step_created_is_refused() {
    assert_refused(
        json!([{ "create_container": { "name": "c", "image": "nobody" } }, "settle"]),
        0,
        "there is no image `nobody` here",
    );
    let on = json!({ "route": "/containers/{id}/json", "params": { "id": "$ghost" } });
    assert_refused(
        json!([{ "answer": { "status": 500, "on": on } }, "settle"]),
        0,
        "there is no image or container `ghost` here",
    );
    assert_refused(
        json!([{ "remove_volume": { "name": "v" } }, "settle"]),
        0,
        "there is no volume `v` here",
    );
}

#[test]
fn a_volume_with_the_harnesss_own_name_is_refused() {
    assert_refused(
        json!([{ "create_volume": { "name": "racetrap-probe-9" } }, "settle"]),
        0,
        "volumes called `racetrap-probe-…` are the harness's own",
    );
}

// Each schedule contains a fault that would never happen or never end. Without the check, the run would
// show nothing.
#[test]
fn faults_that_mean_nothing_are_refused() {
    let answer = |extra: Value| {
        let mut answer = json!({ "status": 500, "on": { "route": "/info" } });
        answer.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!([{ "answer": answer }, "settle"])
    };
    assert_refused(answer(json!({ "status": 99 })), 0, "this is no HTTP status");
    assert_refused(answer(json!({ "times": 0 })), 0, "a rule that answers nothing");
    assert_refused(answer(json!({ "on": { "nth": 0 } })), 0, "messages are counted from 1");
    assert_refused(json!(["accept", "settle"]), 0, "connections are accepted already");
    assert_refused(
        json!(["refuse", "settle"]),
        1,
        "the world cannot settle while connections are refused",
    );
    assert_refused(
        json!([{ "engine": "kill" }, "settle"]),
        1,
        "the world cannot settle without its engine",
    );
    assert_refused(
        json!([{ "engine": "start" }, "settle"]),
        0,
        "this cannot be done to the engine here",
    );
    assert_refused(json!([{ "happened": "lost" }, "settle"]), 0, "there is no fault `lost` here");
}

// A schedule that kills or freezes the daemon at some instant must wait for that before it settles, with
// the step that belongs to the same action.
#[test]
fn a_schedule_waits_until_the_daemon_is_killed_or_frozen() {
    let kill = json!({ "kill_at": "config_write" });
    let freeze = json!({ "freeze_at": "config_write" });
    assert_refused(json!(["killed", "settle"]), 0, "nobody kills the daemon");
    assert_refused(json!([freeze, "killed", "settle"]), 1, "nobody kills the daemon");
    assert_refused(json!([kill, "frozen", "settle"]), 1, "nobody freezes the daemon");
    let may = "the world cannot settle while its daemon may be killed or frozen";
    assert_refused(json!([freeze, "settle"]), 1, may);
    assert_refused(json!([kill, "settle"]), 1, may);
    let without = "the world cannot settle without its daemon";
    assert_refused(json!([freeze, "frozen", "settle"]), 2, without);
}

#[test]
fn a_client_that_nobody_opened_cannot_read() {
    let steps = json!([{ "read_log": "c" }, "settle"]);
    assert_refused(steps, 0, "no client is called `c` here");
}

#[test]
fn an_id_that_could_name_another_directory_is_refused() {
    for id in ["../escaped", "", ".", "a/b", "-x", &"a".repeat(65)] {
        assert!(id.parse::<racetrap_history::FindingId>().is_err(), "{id}");
    }
    assert_eq!("295-I1b".parse::<racetrap_history::FindingId>().unwrap().to_string(), "295-I1b");
}
