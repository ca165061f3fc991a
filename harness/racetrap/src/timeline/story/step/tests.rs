//! An example of every step of the language, and how the story and the page tell it.

use std::collections::BTreeSet;

use racetrap_history::Scenario;
use rstest::rstest;
use serde_json::{Value, json};

use super::in_words;
use crate::timeline::story;

/// A step of each name, with a part of its words.
fn examples() -> Vec<(Value, &'static str)> {
    [of_users(), of_faults(), of_clients()].concat()
}

/// Steps of the engine's users, of the daemon's command line, and of its API.
fn of_users() -> Vec<(Value, &'static str)> {
    let mirror = || json!({ "volume": "v" });
    vec![
        (json!({ "load_image": { "image": "base", "tags": ["base:1"] } }), "load base as base:1"),
        (
            json!({ "load_image": { "image": "far", "platforms": ["linux/amd64", "linux/s390x"] } }),
            "load far without a tag, for linux/amd64, linux/s390x",
        ),
        (json!({ "build": { "image": "new", "from": "base" } }), "build new from base"),
        (json!({ "commit": { "container": "c", "image": "new" } }), "commit container c as new"),
        (json!({ "prune": "volumes" }), "prune volumes"),
        (json!({ "tag": { "image": "base", "tag": "b:2" } }), "tag base as b:2"),
        (json!({ "untag": { "tag": "b:2" } }), "untag b:2"),
        (json!({ "remove_image": { "image": "base" } }), "remove image base"),
        (json!({ "create_container": { "name": "c", "image": "base" } }), "create container c"),
        (json!({ "container": { "name": "c", "op": "pause" } }), "pause container c"),
        (json!({ "rename": { "name": "c", "to": "d" } }), "rename container c to d"),
        (json!({ "exec": { "container": "c", "command": ["/probe"] } }), "exec /probe in c"),
        (json!({ "remove_container": { "name": "c" } }), "remove container c"),
        (json!({ "prepare_execs": { "container": "c", "count": 9 } }), "prepare 9 execs in c"),
        (json!({ "create_volume": { "name": "v" } }), "create volume v"),
        (json!({ "create_volumes": { "prefix": "v", "count": 9 } }), "create 9 volumes v…"),
        (json!({ "remove_volumes": { "prefix": "v" } }), "remove volumes v…"),
        (json!({ "remove_volume": { "name": "v" } }), "remove volume v"),
        (json!({ "engine": "kill" }), "the engine is killed"),
        (json!({ "app": { "running": true } }), "start the App"),
        (json!({ "set": { "properties": { "a.b": "c" } } }), "set a.b=c"),
        (json!({ "guest": "pause" }), "the engine's machine is paused"),
        (json!({ "guest": "panic" }), "the kernel of the engine's machine panics"),
        (json!({ "guest": { "clock": { "behind_s": 60 } } }), "jumps back by 60 s"),
        (json!({ "guest": { "disk": "failing" } }), "writes to the engine's disk fail"),
        (json!({ "guest": { "memory": "scarce" } }), "has hardly any memory left"),
        (json!({ "create_volume": { "name": "v", "refused": "no" } }), "v, refused with `no`"),
        (json!({ "run_command": { "arguments": ["version"] } }), "run `version`"),
        (json!({ "returned": { "command": "b", "exit": 4 } }), "command `b` has ended with 4"),
        (json!({ "interrupt": "b" }), "SIGINT to the command `b`"),
        (json!({ "act": { "container": "c", "action": "stop" } }), "to stop container c"),
        (json!({ "patch": { "of": mirror(), "set": {} } }), "patch the mirror of volume v"),
        (
            json!({ "create_object": { "resource": "volumes", "name": "$v" } }),
            "an object volumes <v>",
        ),
        (json!({ "delete": mirror() }), "delete the mirror of volume v"),
        (json!({ "keep": mirror() }), "finalizer keeps the mirror of volume v"),
        (json!({ "let_go": mirror() }), "finalizer of the mirror of volume v is removed"),
        (json!({ "touch": { "times": 3 } }), "touch the App 3 times"),
    ]
}

/// Steps of gates and faults, and of the docker command.
fn of_faults() -> Vec<(Value, &'static str)> {
    let on = || json!({ "method": "GET", "route": "/containers/json" });
    vec![
        (json!({ "daemon": "freeze" }), "the daemon is frozen"),
        (json!({ "vm": "wait" }), "the VM does not carry out requests"),
        (json!({ "neighbour": { "daemon": "kill" } }), "the neighbour: the daemon is killed"),
        (json!({ "vm_process": { "of": "driver", "op": "kill" } }), "the VM's driver is killed"),
        (json!({ "kubernetes": "not_ready" }), "no node of the guest's Kubernetes is ready"),
        (json!({ "bystander": { "files_of": ["driver"] } }), "get the IDs of the VM's pid files"),
        (json!({ "ssh_keys": "remove" }), "the SSH keys of the VM's user are spoilt"),
        (
            json!({ "wsl": { "next": "terminate", "op": "hangs" } }),
            "wsl.exe is to hang at its next call",
        ),
        (
            json!({ "serial": { "seed": 7, "depth": 3, "length": 9 } }),
            "one at a time, in an order of seed 7 and depth 3",
        ),
        (json!("free"), "everything goes on by itself again"),
        (
            json!({ "hold": { "gate": "g", "at": "response", "on": on() } }),
            "gate `g` is to hold GET /containers/json, its response",
        ),
        (json!({ "reached": "g" }), "until gate `g` holds its message"),
        (json!({ "release": "g" }), "gate `g` lets its message go"),
        (
            json!({ "hold_write": { "gate": "g", "on": { "resource": "volumes" } } }),
            "gate `g` is to hold write of volumes",
        ),
        (
            json!({ "answer": { "status": 500, "on": on() } }),
            "GET /containers/json is answered 500",
        ),
        (json!({ "cut": "events" }), "the event stream is cut"),
        (json!({ "deny_write": { "on": { "resource": "volumes" } } }), "write of volumes, before"),
        (json!({ "fault": { "kind": "lose", "on": on(), "times": 1 } }), "answer lost, once"),
        (json!({ "happened": "f" }), "until the fault `f` has happened"),
        (json!({ "lift": "f" }), "the fault `f` ends"),
        (json!({ "record": { "name": "r", "on": on() } }), "keep the response to GET"),
        (json!({ "inject": { "frame": "{}" } }), "adds a frame to the event stream: {}"),
        (json!("replace_socket"), "the engine's socket becomes another file"),
        (json!("refuse"), "new connections are refused"),
        (json!("accept"), "connections are accepted again"),
        (json!({ "docker": { "arguments": ["ps"], "times": 2 } }), "docker ps, 2 times"),
        (json!({ "endpoint": "tcp" }), "the user's engine is at a port"),
        (json!({ "docker_file": { "put": "gone" } }), "config.json is gone"),
        (json!({ "docker_disk": "full" }), "the configuration's disk is full"),
        (json!({ "kill_at": "config_write" }), "is to be killed as it begins to write"),
        (json!("killed"), "the daemon is killed as it begins to write"),
        (json!({ "freeze_at": "config_write" }), "is to be frozen as it begins to write"),
        (json!("frozen"), "the daemon is frozen as it begins to write"),
    ]
}

/// Steps of clients of logs, and waits.
fn of_clients() -> Vec<(Value, &'static str)> {
    vec![
        (
            json!({ "open_log": { "client": "one", "log": { "of": "c", "door": "inner" } } }),
            "client one requests the log of c at the inner port",
        ),
        (json!({ "read_log": "one" }), "client one begins to read"),
        (json!({ "leave_log": { "client": "one", "how": "drop" } }), "client one drops"),
        (
            json!({ "log_crowd": { "clients": 800, "at_once": 40, "log": { "of": "c" } } }),
            "800 clients, 40 at a time, request the log of c and leave",
        ),
        (json!({ "compare_log": "one" }), "client one has received is compared"),
        (json!("read_discovery"), "which log endpoints the daemon announces"),
        (json!({ "await": { "tag": "b:1" } }), "wait until tag b:1 is mirrored"),
        (json!("settle"), "wait until the world is quiet"),
    ]
}

fn scenario(steps: &[&Value]) -> Scenario {
    serde_json::from_value(json!({ "finding": "1-A", "steps": steps })).expect("a scenario")
}

/// The names of all steps, which serde lists if it does not know one.
fn names() -> BTreeSet<String> {
    let unknown = json!({ "finding": "1-A", "steps": ["no_such_step"] });
    let error = serde_json::from_value::<Scenario>(unknown).expect_err("no such step").to_string();
    error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

fn name(step: &Value) -> String {
    let first = step.as_object().and_then(|step| step.keys().next().cloned());
    first.unwrap_or_else(|| step.as_str().unwrap_or_default().to_owned())
}

// The list of names is that of the language itself, so a step without an example fails here. The
// words of a kind of step that the language gets later do not compile before they are written.
#[test]
fn every_step_of_the_language_is_told_in_words() {
    let examples = examples();
    let told: BTreeSet<_> = examples.iter().map(|(step, _)| name(step)).collect();
    assert_eq!(told, names());
    let steps: Vec<_> = examples.iter().map(|(step, _)| step).collect();
    for ((step, part), words) in examples.iter().zip(in_words(&scenario(&steps))) {
        assert!(words.contains(part), "{step} is told as {words:?}, without {part:?}");
    }
}

// A preparation and a wait are told by the step that they are for, and these are all of them: every
// other step must be in the story, also as the only one of a scenario.
#[test]
fn the_story_leaves_out_preparations_and_waits_only() {
    let left_out = |step: &Value| {
        let told = story(&scenario(&[step]));
        told.iter().all(|(_, text)| text.is_empty())
    };
    let examples = examples();
    let omitted: Vec<_> =
        examples.iter().map(|(step, _)| step).filter(|step| left_out(step)).map(name).collect();
    let expected = [
        "returned",
        "hold",
        "release",
        "hold_write",
        "happened",
        "record",
        "kill_at",
        "freeze_at",
        "await",
        "settle",
    ];
    assert_eq!(omitted, expected);
}

// The clients are what these findings are about, before a fault, after it, and without any.
#[rstest]
#[case::without_a_fault(json!([]), "done: 9 clients, 3 at a time, request the log of c and leave")]
#[case::before_a_fault(
    json!(["refuse"]),
    "first: 9 clients, 3 at a time, request the log of c and leave; \
     fault: new connections are refused"
)]
fn clients_of_logs_are_in_every_story(#[case] after: Value, #[case] expected: &str) {
    let crowd = json!({ "log_crowd": { "clients": 9, "at_once": 3, "log": { "of": "c" } } });
    let load = json!({ "load_image": { "image": "base" } });
    let start = json!({ "app": { "running": true } });
    let mut steps = vec![&load, &crowd];
    steps.extend(after.as_array().expect("an array"));
    // The App starts last, and tells the story where the schedule without a fault begins.
    if after.as_array().is_some_and(Vec::is_empty) {
        steps.insert(1, &start);
    }
    let told = story(&scenario(&steps));
    let told: Vec<_> = told.iter().map(|(label, text)| format!("{label}: {text}")).collect();
    assert_eq!(told.join("; ").replace("start the App; ", ""), expected);
}
