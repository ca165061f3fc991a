//! Missed deadlines, processes that die, and requests for a container's state.

use serde_json::{Value, json};

use super::build::*;
use crate::judge::judge;
use crate::record::{Blame, DAEMON_PARTS, Exit, ProcessState, Stage, What, WireWhat};
use crate::scenario::OracleName;
use crate::verdict::Verdict;

// Stand-alone controllers are a part of the daemon, so their death is a violation and not unknown.
#[test]
fn liveness_sees_a_daemon_that_died() {
    for name in DAEMON_PARTS {
        let died = What::Process {
            name: name.to_owned(),
            pid: 7,
            started: 1,
            state: ProcessState::Died { exit: Exit::Signal(6) },
        };
        let text = format!("the {name} (pid 7) ended by itself: signal 6");
        assert_violates(healthy_run(vec![died]), OracleName::Liveness, &text);
    }
}

#[test]
fn liveness_accepts_a_daemon_that_was_stopped() {
    let stopped = What::Process {
        name: "daemon".to_owned(),
        pid: 7,
        started: 1,
        state: ProcessState::Stopped,
    };
    assert_passes(healthy_run(vec![stopped]));
}

#[test]
fn liveness_sees_a_missed_deadline_of_the_daemon() {
    let why = "waited 5s for x; last seen: y".to_owned();
    let failed = What::StepFailed { index: 2, blame: Blame::Daemon, why };
    let judgement = judge(&history(vec![failed, What::Ended]));
    assert_eq!(judgement.verdict, Verdict::Fail);
    assert_eq!(judgement.oracles(), [OracleName::Liveness]);
}

/// A user makes a request about a container in this state; `after` follows.
fn user_requested(state: &str, wish: Value, after: Vec<What>) -> Vec<What> {
    let mut whats = vec![truth_with_containers(&[("c1", state)])];
    whats.push(added("containers", at_version(5, container("c1", "u2", state))));
    whats.push(user_wrote("containers", "c1", "u2", wish));
    whats.extend(after);
    healthy_run(whats)
}

fn run_state() -> Value {
    json!({ "/spec/state": "running" })
}

fn action(verb: &str) -> Value {
    json!({ "/metadata/annotations/containers.rancherdesktop.io~1action": verb })
}

/// The daemon asks the engine to change the container, and the engine answers with this status.
fn attempt(exchange: u64, verb: &str, status: u16) -> Vec<What> {
    let target = format!("/v1.41/containers/c1/{verb}");
    vec![
        request(exchange, "POST", &target, &format!("/containers/{{id}}/{verb}")),
        on_wire(exchange, WireWhat::Response { status }),
        on_wire(exchange, WireWhat::Finished { bytes: 0 }),
    ]
}

fn container_is(state: &str) -> Vec<What> {
    let mirror = at_version(9, container("c1", "u2", state));
    vec![truth_with_containers(&[("c1", state)]), modified("containers", mirror)]
}

// The engine cannot start a paused container, so retrying that request does not count (finding 295-I2).
#[test]
fn liveness_sees_a_request_that_is_silently_ignored() {
    let starts = [attempt(1, "start", 500), attempt(2, "start", 500)].concat();
    assert_violates(
        user_requested("paused", run_state(), starts),
        OracleName::Liveness,
        "container web: a user requested `running`, but the container is paused; the daemon sent `/unpause` to the engine 0 times",
    );
    assert_passes(user_requested(
        "paused",
        run_state(),
        [attempt(1, "unpause", 204), container_is("running")].concat(),
    ));
}

// The daemon tried once and gave up. A second attempt shows that it retries (finding 295-I7).
#[test]
fn liveness_sees_a_request_that_was_tried_only_once() {
    assert_violates(
        user_requested("created", run_state(), attempt(1, "start", 500)),
        OracleName::Liveness,
        "the daemon sent `/start` to the engine 1 times",
    );
    let again = [attempt(1, "start", 500), attempt(2, "start", 500)].concat();
    assert_passes(user_requested("created", run_state(), again));
}

#[test]
fn liveness_sees_an_action_whose_failure_is_not_reported() {
    assert_violates(
        user_requested("created", action("start"), attempt(1, "start", 500)),
        OracleName::Liveness,
        "a user requested `start`, but the container is created",
    );
    let mut told = at_version(9, container("c1", "u2", "created"));
    told["status"]["lastAction"] = json!({ "action": "start", "state": "Failed", "error": "e" });
    let told = vec![modified("containers", told)];
    assert_passes(user_requested(
        "created",
        action("start"),
        [attempt(1, "start", 500), told].concat(),
    ));
    // The container was started and has ended since, so the action was carried out.
    let started = vec![engine_event("container", "start", "c1")];
    assert_passes(user_requested("created", action("start"), started));
}

// A report of success must have something behind it: a request that the engine did not refuse, or an event.
#[test]
fn liveness_sees_an_action_that_succeeded_without_being_carried_out() {
    let succeeded = |before: Vec<What>| {
        let mut told = at_version(9, container("c1", "u2", "paused"));
        told["status"]["lastAction"] = json!({ "action": "unpause", "state": "Succeeded" });
        let told = vec![modified("containers", told)];
        user_requested("paused", action("unpause"), [before, told].concat())
    };
    assert_violates(
        succeeded(Vec::new()),
        OracleName::Liveness,
        "sent `/unpause` to the engine 0 times, and reported success",
    );
    assert_passes(succeeded(attempt(1, "unpause", 204)));
    let paused_again = ["unpause", "pause"].map(|verb| engine_event("container", verb, "c1"));
    assert_passes(succeeded(paused_again.into()));
}

// A daemon that was killed must carry out an earlier request after its next start.
#[test]
fn liveness_remembers_a_request_while_the_daemon_does_not_run() {
    let killed = || vec![process("daemon", ProcessState::Stopped)];
    assert_violates(
        user_requested("created", action("start"), killed()),
        OracleName::Liveness,
        "a user requested `start`, but the container is created",
    );
    let started = vec![engine_event("container", "start", "c1")];
    assert_passes(user_requested("created", action("start"), [killed(), started].concat()));
}

// The second attempt follows the probe in one history and precedes it in the other. Only in the first, the
// daemon may have needed another event (finding 295-I7).
#[test]
fn a_request_that_is_carried_out_only_after_the_probe_is_unknown() {
    let settled = |between: Vec<What>, after: Vec<What>| {
        let mut whats =
            user_requested("created", run_state(), [attempt(1, "start", 500), between].concat());
        let probed = What::Checkpoint { number: 1, stage: Stage::Probed };
        let index =
            whats.iter().position(|what| *what == probed).expect("a sound history is probed");
        whats.splice(index..index, after);
        whats
    };
    let started = || [attempt(2, "start", 204), container_is("running")].concat();
    assert_unknown(settled(vec![], started()), "answered only after another event: container web");
    assert_passes(settled(started(), vec![]));
}

// Each history contains one event after which the daemon need not carry out the request any more.
#[test]
fn liveness_does_not_judge_a_request_that_has_ended() {
    let stop = vec![app_is(stopped_app(2)), deleted("volumes", volume("data", "u1"))];
    let stop = [stop, vec![deleted("containers", at_version(9, container("c1", "u2", "created")))]];
    assert_passes(user_requested("created", run_state(), stop.concat()));
    assert_passes(user_requested(
        "created",
        run_state(),
        vec![process("engine", ProcessState::Stopped)],
    ));
    let stop = json!([{ "container": { "name": "web", "op": "stop" } }]);
    assert_passes(user_requested(
        "created",
        run_state(),
        vec![run_with_steps(&stop), step_began(0)],
    ));
}
