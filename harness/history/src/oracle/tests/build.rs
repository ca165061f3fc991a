//! Builds histories record by record, and asserts what all oracles together report about them.

use serde_json::{Value, json};

use crate::journal;
use crate::judge::judge;
use crate::mirror::MIRROR_FINALIZER;
use crate::oracle::Oracle;
use crate::record::{
    ApiChange, Change, CommandRun, EngineContainer, EngineEvent, EngineState, EngineVolume, Exit,
    LogLevel, ProcessState, Record, RunHeader, Stage, UserWrite, VmProcess, VmProcessChange, What,
    WireMessage, WireWhat,
};
use crate::scenario::{OracleName, Phase, VmMode, VmRole};
use crate::verdict::Verdict;

pub(super) fn history(whats: Vec<What>) -> Vec<Record> {
    let numbered = whats.into_iter().enumerate();
    numbered
        .map(|(seq, what)| Record { seq: seq as u64, at_us: seq as u64, neighbour: false, what })
        .collect()
}

/// When everything of these histories happened.
pub(super) const WHEN: &str = "2026-01-02T03:04:05Z";

pub(super) fn app(generation: i64, running: bool, conditions: &[(&str, &str, &str, i64)]) -> Value {
    let conditions: Vec<_> = conditions
        .iter()
        .map(|(kind, status, reason, observed)| {
            json!({ "type": kind, "status": status, "reason": reason, "message": "m",
                    "observedGeneration": observed, "lastTransitionTime": WHEN })
        })
        .collect();
    json!({ "metadata": { "name": "app", "generation": generation },
            "spec": { "running": running, "containerEngine": { "name": "moby" } },
            "status": { "conditions": conditions } })
}

pub(super) fn ready_app(generation: i64) -> Value {
    let conditions = [
        ("Running", "True", "Started", generation),
        ("ContainerEngineReady", "True", "Connected", generation),
        ("Settled", "True", "Settled", generation),
    ];
    app(generation, true, &conditions)
}

pub(super) fn changed(resource: &str, change: Change, object: Value) -> What {
    What::Api(ApiChange { resource: resource.to_owned(), change, object })
}

pub(super) fn app_is(object: Value) -> What {
    changed("apps", Change::Modified, object)
}

pub(super) fn volume(name: &str, uid: &str) -> Value {
    json!({ "metadata": { "name": format!("vol-{name}"), "namespace": "default", "uid": uid,
                          "finalizers": [MIRROR_FINALIZER] },
            "status": { "name": name, "driver": "local", "mountpoint": "/v" } })
}

pub(super) fn truth(names: &[&str]) -> What {
    let volume = || EngineVolume {
        driver: "local".to_owned(),
        mountpoint: "/v".to_owned(),
        labels: Default::default(),
        details: None,
    };
    let volumes = names.iter().map(|name| ((*name).to_owned(), volume())).collect();
    What::Truth(EngineState { volumes, ..EngineState::default() })
}

pub(super) fn checkpoint(number: u32) -> [What; 2] {
    [Stage::Level, Stage::Probed].map(|stage| What::Checkpoint { number, stage })
}

pub(super) fn on_wire(exchange: u64, event: WireWhat) -> What {
    What::Wire(WireMessage { connection: 0, exchange, event })
}

pub(super) fn engine_answered(exchange: u64, route: &str, status: u16) -> [What; 2] {
    let request = WireWhat::Request {
        method: "GET".to_owned(),
        target: route.to_owned(),
        route: Some(route.to_owned()),
        phase: Phase::Bootstrap,
    };
    [on_wire(exchange, request), on_wire(exchange, WireWhat::Response { status })]
}

/// The mirror of the container `web`, with this state in its status.
pub(super) fn container(id: &str, uid: &str, state: &str) -> Value {
    json!({ "metadata": { "name": id, "namespace": "default", "uid": uid,
                          "finalizers": [MIRROR_FINALIZER] },
            "spec": {},
            "status": { "name": "web", "image": "i", "status": state } })
}

/// The engine holds the volume `data` and these containers, given by ID and state.
pub(super) fn truth_with_containers(containers: &[(&str, &str)]) -> What {
    let What::Truth(mut state) = truth(&["data"]) else { unreachable!("it is one") };
    for (id, is) in containers {
        let container = EngineContainer {
            name: "web".to_owned(),
            image: "i".to_owned(),
            state: (*is).to_owned(),
            labels: Default::default(),
            details: None,
        };
        state.containers.insert((*id).to_owned(), container);
    }
    What::Truth(state)
}

/// The object with this resource version.
pub(super) fn at_version(version: u64, mut object: Value) -> Value {
    object["metadata"]["resourceVersion"] = json!(version.to_string());
    object
}

pub(super) fn added(resource: &str, object: Value) -> What {
    changed(resource, Change::Added, object)
}

pub(super) fn modified(resource: &str, object: Value) -> What {
    changed(resource, Change::Modified, object)
}

pub(super) fn deleted(resource: &str, object: Value) -> What {
    changed(resource, Change::Deleted, object)
}

pub(super) fn listed(resource: &str, version: u64, objects: Vec<Value>) -> What {
    What::Listed { resource: resource.to_owned(), version, objects }
}

pub(super) fn engine_event(object: &str, action: &str, id: &str) -> What {
    What::Engine(EngineEvent {
        object: object.to_owned(),
        action: action.to_owned(),
        id: id.to_owned(),
        container: None,
        time_ns: 1,
    })
}

pub(super) fn user_wrote(resource: &str, name: &str, uid: &str, fields: Value) -> What {
    let Value::Object(fields) = fields else { panic!("fields by pointer") };
    What::UserWrite(UserWrite {
        resource: resource.to_owned(),
        namespace: "default".to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        fields: fields.into_iter().collect(),
        deleted: false,
    })
}

pub(super) fn user_deleted(resource: &str, name: &str, uid: &str) -> What {
    let What::UserWrite(write) = user_wrote(resource, name, uid, json!({})) else {
        unreachable!("it is one")
    };
    What::UserWrite(UserWrite { deleted: true, ..write })
}

pub(super) fn log_line(level: LogLevel, text: &str) -> What {
    What::Log { level, text: text.to_owned() }
}

/// The header of a run of this finding whose scenario has these steps.
pub(super) fn run_header(finding: &str, steps: &Value) -> What {
    let scenario = json!({ "finding": finding, "steps": steps });
    What::Run(RunHeader {
        format: journal::FORMAT,
        harness: "0".to_owned(),
        finding: finding.parse().expect("an id"),
        scenario: serde_json::from_value(scenario).expect("a scenario"),
        daemon: "/rdd".to_owned(),
        defects: Vec::new(),
        vm: VmMode::Api,
        started: String::new(),
        reused: 0,
        again: String::new(),
        low_limit: None,
        cell: None,
    })
}

/// The header of a run whose scenario has these steps. Other records name them by index.
pub(super) fn run_with_steps(steps: &Value) -> What {
    run_header("1-A", steps)
}

pub(super) fn step_began(index: usize) -> What {
    What::StepBegan { index }
}

pub(super) fn step_done(index: usize) -> What {
    What::StepDone { index }
}

pub(super) fn process(name: &str, state: ProcessState) -> What {
    What::Process { name: name.to_owned(), pid: 7, started: 1, state }
}

pub(super) fn request(exchange: u64, method: &str, target: &str, route: &str) -> What {
    on_wire(
        exchange,
        WireWhat::Request {
            method: method.to_owned(),
            target: target.to_owned(),
            route: Some(route.to_owned()),
            phase: Phase::Steady,
        },
    )
}

pub(super) fn command(text: &str, exit: Exit, stderr: &str) -> CommandRun {
    CommandRun {
        arguments: text.split(' ').map(str::to_owned).collect(),
        exit,
        stdout: String::new(),
        stderr: message(stderr),
        took_ms: 1,
        interrupted: false,
    }
}

/// A command's standard error with this message; empty without one.
fn message(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("time=\"t\" level=error msg=\"{text}\"\n") }
}

/// An App that wants to be stopped and has stopped.
pub(super) fn stopped_app(generation: i64) -> Value {
    let conditions = [
        ("Running", "False", "Stopped", generation),
        ("ContainerEngineReady", "False", "Stopped", generation),
        ("Settled", "True", "Settled", generation),
    ];
    app(generation, false, &conditions)
}

/// A complete run of a correct daemon with one volume. `extra` is inserted before its only checkpoint.
pub(super) fn healthy_run(extra: Vec<What>) -> Vec<What> {
    let mut whats = vec![
        truth(&["data"]),
        app_is(ready_app(1)),
        changed("volumes", Change::Added, volume("data", "u1")),
    ];
    whats.extend(extra);
    whats.extend(checkpoint(1));
    whats.push(What::Ended);
    whats
}

#[track_caller]
pub(super) fn assert_violates(whats: Vec<What>, oracle: OracleName, text: &str) {
    let judgement = judge(&history(whats));
    assert_eq!(judgement.verdict, Verdict::Fail, "{judgement:#?}");
    assert_eq!(judgement.oracles(), [oracle], "only this promise is broken: {judgement:#?}");
    assert!(judgement.violations[0].text.contains(text), "{judgement:#?}");
}

/// What one oracle reports about a history of a daemon with the contract's newest forms.
pub(super) fn complaints(oracle: Oracle, whats: Vec<What>) -> Vec<String> {
    let facts = facts(&["app", "container", "engine"]);
    let found = oracle(&history([vec![facts], whats].concat()));
    found.violations.into_iter().map(|violation| violation.text).collect()
}

/// The facts of a daemon with these controllers.
pub(super) fn facts(controllers: &[&str]) -> What {
    What::Facts {
        daemon_version: "1".to_owned(),
        engine: "2".to_owned(),
        controllers: controllers.iter().map(|name| (*name).to_owned()).collect(),
    }
}

#[track_caller]
pub(super) fn assert_passes(whats: Vec<What>) {
    let judgement = judge(&history(whats));
    assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:#?}");
}

#[track_caller]
pub(super) fn assert_unknown(whats: Vec<What>, text: &str) {
    let judgement = judge(&history(whats));
    assert_eq!(judgement.verdict, Verdict::Unknown, "{judgement:#?}");
    assert!(judgement.unknowns.iter().any(|unknown| unknown.text.contains(text)), "{judgement:#?}");
}

pub(super) fn two_checkpoints(between: Vec<What>) -> Vec<What> {
    let mut whats = healthy_run(vec![]);
    whats.pop();
    whats.extend(between);
    whats.extend(checkpoint(2));
    whats.push(What::Ended);
    whats
}

/// The end of a process of this VM.
pub(super) fn vm_ends(vm: &str, role: VmRole) -> What {
    let (vm, change) = (vm.to_owned(), VmProcessChange::Ended);
    What::VmProcess(VmProcess { vm, role, pid: 7, started: 7, group: 7, change })
}
