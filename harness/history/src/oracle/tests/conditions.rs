//! Conditions and commands that report the truth, and some that do not.

use serde_json::Value;

use super::build::*;
use crate::oracle::truthful_conditions;
use crate::record::{CommandRun, Exit, ProcessState, What, WireWhat};
use crate::scenario::{OracleName, Point};

fn connect_failed() -> What {
    app_is(app(1, true, &[("ContainerEngineReady", "False", "ConnectFailed", 1)]))
}

#[test]
fn truthful_conditions_sees_a_failure_that_the_engine_did_not_cause() {
    let mut extra = Vec::from(engine_answered(1, "/containers/json", 200));
    extra.extend(engine_answered(2, "/containers/{id}/json", 404));
    extra.extend([connect_failed(), app_is(ready_app(1))]);
    assert_violates(
        healthy_run(extra),
        OracleName::TruthfulConditions,
        "answered every request that a sync needs; the last response: GET /containers/{id}/json 404",
    );
}

#[test]
fn truthful_conditions_accepts_a_failure_that_the_engine_caused() {
    let mut extra = Vec::from(engine_answered(1, "/images/json", 500));
    extra.extend([connect_failed(), app_is(ready_app(1))]);
    assert_passes(healthy_run(extra));
}

#[test]
fn truthful_conditions_accepts_a_failure_after_a_cut() {
    let mut extra = Vec::from(engine_answered(1, "/images/json", 200));
    extra.extend([on_wire(1, WireWhat::Cut), connect_failed(), app_is(ready_app(1))]);
    assert_passes(healthy_run(extra));
}

// A gate holds the answer to a list until the daemon does not wait for it any more. A daemon that closes a
// connection after its answer has no such reason.
#[test]
fn truthful_conditions_accepts_a_failure_after_an_answer_that_never_came() {
    let [asked, answered] = engine_answered(1, "/images/json", 200);
    let gate = || "g".to_owned();
    let held = WireWhat::Held { gate: gate(), point: Point::Response };
    let abandoned = WireWhat::Abandoned { gate: gate() };
    let closed = on_wire(0, WireWhat::Closed);
    let end = || vec![closed.clone(), connect_failed(), app_is(ready_app(1))];
    let waits = vec![asked.clone(), on_wire(1, held), on_wire(1, abandoned)];
    assert_passes(healthy_run([waits, end()].concat()));
    assert_passes(healthy_run([vec![asked.clone()], end()].concat()));
    assert_violates(
        healthy_run([vec![asked, answered], end()].concat()),
        OracleName::TruthfulConditions,
        "answered every request that a sync needs",
    );
}

// The engine is killed and started while the daemon connects: the connection ends before the wire has read
// a request. The step explains that as well as the end of the process, whichever is recorded first. Once
// the daemon has subscribed and reports it, an earlier start explains nothing.
#[test]
fn truthful_conditions_accepts_a_failure_while_the_engine_starts() {
    let kill = || vec![run_with_steps(&serde_json::json!([{"engine": "kill"}])), step_began(0)];
    let ended = || process("engine", ProcessState::Stopped);
    let failed = || vec![connect_failed(), app_is(ready_app(1))];
    assert_passes([kill(), healthy_run([failed(), vec![ended()]].concat())].concat());
    assert_passes(healthy_run([vec![ended()], failed()].concat()));
    let connected = [Vec::from(engine_answered(1, "/events", 200)), vec![app_is(ready_app(1))]];
    assert_violates(
        healthy_run([vec![ended()], connected.concat(), failed()].concat()),
        OracleName::TruthfulConditions,
        "answered every request that a sync needs",
    );
}

// `Connected` was written before the fault and is recorded after it, so it must not end the disruption.
#[test]
fn truthful_conditions_remembers_a_disruption_until_the_daemon_has_subscribed_again() {
    let mut extra = vec![on_wire(1, WireWhat::Refused), app_is(ready_app(1)), connect_failed()];
    extra.extend(engine_answered(2, "/events", 200));
    extra.push(app_is(ready_app(1)));
    assert_passes(healthy_run(extra));
}

// The disruption ends with the next connection, so nothing explains the second failure.
#[test]
fn truthful_conditions_accepts_one_failure_for_each_disruption() {
    let mut extra = Vec::from(engine_answered(1, "/images/json", 500));
    extra.extend([connect_failed()]);
    extra.extend(engine_answered(3, "/events", 200));
    extra.push(app_is(ready_app(1)));
    extra.extend(engine_answered(2, "/images/json", 200));
    extra.extend([connect_failed(), app_is(ready_app(1))]);
    assert_violates(
        healthy_run(extra),
        OracleName::TruthfulConditions,
        "the last response: GET /images/json 200",
    );
}

#[test]
fn truthful_conditions_sees_settled_on_an_old_generation_of_the_engine() {
    let conditions =
        [("ContainerEngineReady", "True", "Connected", 1), ("Settled", "True", "Settled", 2)];
    assert_violates(
        healthy_run(vec![app_is(app(2, true, &conditions)), app_is(ready_app(2))]),
        OracleName::TruthfulConditions,
        "ContainerEngineReady=True (Connected) at generation 1 of 2",
    );
}

/// A daemon with these controllers, whose App has settled and says nothing of an engine.
fn settled_without_engine(controllers: &[&str]) -> Vec<What> {
    let running = ("Running", "True", "Started", 2);
    let settled = app(2, true, &[running, ("Settled", "True", "Settled", 2)]);
    let extra = vec![app_is(settled), app_is(ready_app(2))];
    [vec![facts(controllers)], healthy_run(extra)].concat()
}

// Rows 5 and 8 of the contract's table differ in the controllers that run. Without the engine's controller
// the daemon has no engine to wait for, and nothing removes mirrors.
#[test]
fn truthful_conditions_expects_an_engine_only_if_its_controller_runs() {
    let found = |whats: Vec<What>| {
        let found = truthful_conditions(&history(whats)).violations.into_iter();
        found.map(|violation| violation.text).collect::<Vec<_>>().join("; ")
    };
    for controllers in [&["app", "engine"][..], &[]] {
        let text = found(settled_without_engine(controllers));
        assert!(text.contains("but the App has no ContainerEngineReady"), "{text}");
    }
    assert_eq!(found(settled_without_engine(&["app", "container"])), "");

    let left = |controllers| {
        let mirror = at_version(3, volume("data", "u1"));
        let whats =
            vec![app_is(at_version(5, stopped_app(2))), listed("volumes", 9, vec![mirror.clone()])];
        let gone = vec![deleted("volumes", at_version(10, mirror))];
        [vec![facts(controllers)], healthy_run([whats, gone].concat())].concat()
    };
    assert!(found(left(&["engine"])).contains("but 1 mirrors still existed"));
    assert_eq!(found(left(&["app", "container"])), "");
}

// The engine is lost after the App became settled. The daemon updates `Settled` one write later, so the
// old value is no violation.
#[test]
fn truthful_conditions_accepts_an_engine_that_is_lost_after_settling() {
    let lost =
        [("ContainerEngineReady", "False", "ConnectFailed", 1), ("Settled", "True", "Settled", 1)];
    let mut extra = Vec::from(engine_answered(1, "/images/json", 500));
    extra.extend([app_is(app(1, true, &lost)), app_is(ready_app(1))]);
    assert_passes(healthy_run(extra));
}

fn returned(text: &str) -> What {
    What::Command(command(text, Exit::Code(0), ""))
}

fn listed_app(object: Value) -> What {
    What::Listed { resource: "apps".to_owned(), version: 1, objects: vec![object] }
}

fn unsettled() -> Value {
    let conditions = [
        ("ContainerEngineReady", "True", "Connected", 2),
        ("Settled", "False", "WaitingForEngine", 2),
    ];
    app(2, true, &conditions)
}

#[test]
fn truthful_conditions_sees_a_command_that_returned_too_early() {
    let extra = vec![returned("set running=true"), listed_app(unsettled()), app_is(ready_app(2))];
    assert_violates(
        healthy_run(extra),
        OracleName::TruthfulConditions,
        "`set running=true` returned 0, but Settled=False",
    );
}

#[test]
fn truthful_conditions_does_not_judge_a_command_that_does_not_wait() {
    let command = returned("set --wait=false running=true");
    assert_passes(healthy_run(vec![command, listed_app(unsettled()), app_is(ready_app(2))]));
}

// The list after the command still shows a mirror. Its later deletion does not help, because a client may
// list the mirrors as soon as the command has returned.
#[test]
fn truthful_conditions_sees_mirrors_after_a_stop_that_returned() {
    let mut whats = vec![app_is(stopped_app(2)), returned("set running=false")];
    whats.push(listed("volumes", 9, vec![volume("data", "u1")]));
    whats.push(deleted("volumes", volume("data", "u1")));
    assert_violates(
        healthy_run(whats),
        OracleName::TruthfulConditions,
        "`set running=false` returned 0, but the next list still shows 1 volumes: volume data",
    );
}

// The same list is correct after a command that did not wait, and when the App runs again.
#[test]
fn truthful_conditions_accepts_mirrors_after_other_commands() {
    let left = || listed("volumes", 9, vec![volume("data", "u1")]);
    let gone = || deleted("volumes", volume("data", "u1"));
    let not_waited = returned("set --wait=false running=false");
    assert_passes(healthy_run(vec![app_is(app(2, false, &[])), not_waited, left(), gone()]));
    assert_passes(healthy_run(vec![returned("set running=false"), app_is(ready_app(3)), left()]));
}

fn interrupted(exit: Exit, stderr: &str) -> What {
    What::Command(CommandRun { interrupted: true, ..command("set running=true", exit, stderr) })
}

#[test]
fn truthful_conditions_distinguishes_cancellations_from_time_outs() {
    for (ended, text) in [
        (
            interrupted(Exit::Code(4), ""),
            "was interrupted, but returned the exit code of a time-out",
        ),
        (
            interrupted(Exit::Code(130), "timed out waiting"),
            "was interrupted, but reports a time-out",
        ),
        (
            What::Command(command("set running=true", Exit::Code(4), "wait cancelled")),
            "returned the exit code of a time-out, but reports a cancellation",
        ),
    ] {
        assert_violates(healthy_run(vec![ended]), OracleName::TruthfulConditions, text);
    }
    // The controls have the exit code and the text of how they really ended.
    assert_passes(healthy_run(vec![interrupted(Exit::Code(130), "wait cancelled")]));
    assert_passes(healthy_run(vec![interrupted(Exit::Signal(2), "")]));
    let late =
        command("set --timeout=1s running=true", Exit::Code(4), "timed out waiting for the App");
    assert_passes(healthy_run(vec![What::Command(late)]));
}

#[test]
fn truthful_conditions_sees_a_reason_that_is_not_in_the_contract() {
    let misspelt = app(1, true, &[("ContainerEngineReady", "False", "ConnectionFailed", 1)]);
    assert_violates(
        healthy_run(vec![app_is(misspelt), app_is(ready_app(1))]),
        OracleName::TruthfulConditions,
        "ConnectionFailed) at generation 1 of 1: m: the contract has no such reason",
    );
}

// `Settled` forwards the reason of `Running`, which the harness chooses in VM mode `api`.
#[test]
fn truthful_conditions_accepts_reasons_that_are_forwarded() {
    let forwarded = app(2, true, &[("Running", "False", "Odd", 2), ("Settled", "False", "Odd", 2)]);
    assert_passes(healthy_run(vec![app_is(forwarded), app_is(ready_app(2))]));
    for reason in ["Disconnected", "Connected", "NotApplicable"] {
        let known = app(1, true, &[("ContainerEngineReady", "Unknown", reason, 1)]);
        assert_passes(healthy_run(vec![app_is(known), app_is(ready_app(1))]));
    }
}
