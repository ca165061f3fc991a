//! Schedules that cannot be carried out are refused. The error names the step and what was expected.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use racetrap_history::{Scenario, Step};
use rstest::rstest;
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

fn serial(depth: u32) -> Value {
    json!({ "serial": { "seed": 7, "depth": depth, "length": 30 } })
}

#[test]
fn messages_go_on_one_at_a_time_until_they_are_free() {
    let steps = json!([serial(3), "free", "settle", serial(1), "free", "settle"]);
    assert_eq!(scenario(steps).check(), Ok(()));
}

#[rstest]
#[case::twice(json!([serial(3), serial(3)]), 1, "messages already go on one at a time")]
#[case::free(json!(["free"]), 0, "messages already go on by themselves")]
#[case::settles(json!([serial(3), "settle"]), 1, "the world cannot settle while messages go on one at a time")]
#[case::ends(json!([serial(3)]), 0, "the world cannot settle while messages go on one at a time")]
#[case::no_depth(json!([serial(0), "free"]), 0, "the order of messages has no depth or no length")]
fn a_serial_part_that_cannot_be_carried_out_is_refused(
    #[case] steps: Value,
    #[case] step: usize,
    #[case] problem: &str,
) {
    assert_refused(steps, step, problem);
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

// The harness follows the service by its own steps; a command that only looks, or sets, is allowed.
#[test]
fn a_command_that_ends_the_service_is_refused() {
    for words in [json!(["svc", "stop"]), json!(["--log-level=info", "service", "delete"])] {
        let steps = json!([{ "run_command": { "arguments": words } }, "settle"]);
        assert_refused(steps, 0, "this command would start or end the service");
    }
    let steps = json!([{ "run_command": { "arguments": ["svc", "status"] } }, "settle"]);
    assert_eq!(scenario(steps).check(), Ok(()));
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

// Each list is what is done to the guest; the last step cannot follow the others.
#[rstest]
#[case::twice(&["pause", "pause"])]
#[case::of_a_guest_that_is_off(&["power_cut", "reset"])]
#[case::without_its_cause(&["resume"])]
#[case::power_that_is_on(&["power_on"])]
#[case::a_second_forward(&["forward"])]
#[case::a_forward_over_an_unplugged_network(&["kill_forward", "nic_down", "forward"])]
#[case::a_cable_that_is_plugged_in(&["nic_up"])]
#[case::a_machine_that_has_ended(&["kill_hostagent", "pause"])]
fn what_cannot_be_done_to_a_guest_is_refused(#[case] ops: &[&str]) {
    let steps: Vec<_> = ops.iter().map(|op| json!({ "guest": op })).collect();
    let last = steps.len() - 1;
    assert_refused(steps.into(), last, "this cannot be done to the guest here");
}

// Without the last step but one, the daemon could not reach its engine any more.
#[rstest]
#[case(&["power_cut", "power_on"])]
#[case(&["reset", "forward"])]
#[case(&["pause", "resume"])]
#[case(&["nic_down", "nic_up"])]
#[case(&["kill_forward", "forward"])]
#[case(&["kill_hostagent", "power_on"])]
#[case(&["nic_down", "power_cut", "power_on"])]
fn a_guest_is_whole_before_the_world_settles(#[case] ops: &[&str]) {
    let mut steps: Vec<_> = ops.iter().map(|op| json!({ "guest": op })).collect();
    steps.push(json!("settle"));
    assert_eq!(scenario(json!(steps)).check(), Ok(()));
    let mended = steps.len() - 2;
    steps.remove(mended);
    let problem = "the world cannot settle while its guest is not whole";
    assert_refused(json!(steps), mended, problem);
}

// A guest that boots starts its engine, so a scenario need not.
#[test]
fn a_boot_starts_the_engine_that_was_killed() {
    let steps =
        json!([{ "engine": "kill" }, { "guest": "power_cut" }, { "guest": "power_on" }, "settle"]);
    assert_eq!(scenario(steps).check(), Ok(()));
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

fn create(extra: &Value) -> Value {
    let mut container = json!({ "name": "c", "image": "base" });
    container.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    json!([{ "load_image": { "image": "base", "tags": ["base:1"] } }, { "create_container": container }, "settle"])
}

// Each would be refused by the engine or by the program in the images, and the run would show nothing.
#[rstest]
#[case::word(json!({ "prints": { "command": ["linse", "3"] } }), "`/probe` has no command `linse`")]
#[case::flag(json!({ "prints": { "command": ["sleep", "--stya"] } }),
    "the command `sleep` of `/probe` does not take `--stya`")]
#[case::entrypoint(json!({ "entrypoint": ["/probe", "lines"], "prints": { "command": ["x"] } }),
    "the command `lines` of `/probe` does not take `x`")]
#[case::health(json!({ "health": { "command": ["/probe", "exi", "0"] } }),
    "`/probe` has no command `exi`")]
#[case::no_health(json!({ "health": { "command": [] } }), "a command without a program")]
#[case::port(json!({ "ports": ["80/tpc"] }), "`80/tpc` is no port")]
#[case::published(json!({ "ports": ["70000:80"] }), "`70000:80` is no port")]
#[case::policy(json!({ "restart": "allways" }), "there is no restart policy `allways`")]
#[case::times(json!({ "restart": "always:3" }), "there is no restart policy `always:3`")]
#[case::removed(json!({ "restart": "always", "auto_remove": true }),
    "a container that is removed at its end cannot be restarted")]
fn a_container_that_cannot_be_is_refused(#[case] extra: Value, #[case] problem: &str) {
    assert_refused(create(&extra), 1, problem);
}

#[rstest]
#[case(json!({ "prints": { "command": ["lines", "3", "--stay"], "log_driver": "json-file",
    "log_options": { "max-size": "1k", "max-file": "2" } } }))]
#[case(json!({ "entrypoint": ["/nothing"], "prints": { "command": ["any", "words"] } }))]
#[case(json!({ "labels": { "a": "b" }, "environment": { "X": "1" }, "ports": ["80", "8080:81/udp"],
    "restart": "on-failure:3", "health": { "command": ["/probe", "exit", "0"], "retries": 2 } }))]
#[case(json!({ "restart": "no", "auto_remove": true }))]
fn a_container_of_many_fields_is_accepted(#[case] extra: Value) {
    assert_eq!(scenario(create(&extra)).check(), Ok(()));
}

/// Steps after a loaded image `base:1` and a container `web` of it.
fn with_web(steps: &Value) -> Value {
    let mut all = vec![
        json!({ "load_image": { "image": "base", "tags": ["base:1"] } }),
        json!({ "create_container": { "name": "web", "image": "base" } }),
    ];
    all.extend(steps.as_array().unwrap().clone());
    all.push(json!("settle"));
    Value::from(all)
}

#[rstest]
#[case::build(json!([{ "build": { "image": "child", "from": "none" } }]), "there is no image `none` here")]
#[case::commit(json!([{ "commit": { "container": "no", "image": "child" } }]),
    "there is no container `no` here")]
#[case::alias(json!([{ "build": { "image": "base", "from": "base" } }]), "there is a `base` already")]
#[case::rename(json!([{ "rename": { "name": "no", "to": "x" } }]), "there is no container `no` here")]
#[case::taken(json!([{ "rename": { "name": "web", "to": "base" } }]), "there is a `base` already")]
#[case::exec(json!([{ "exec": { "container": "web", "command": ["/probe", "exti", "0"] } }]),
    "`/probe` has no command `exti`")]
#[case::endless(json!([{ "exec": { "container": "web", "command": ["/probe", "sleep"] } }]),
    "the step waits for a command that never ends")]
#[case::event(json!([{ "await": { "event": { "type": "contianer", "action": "die" } } }]),
    "the engine has no events of type `contianer`")]
#[case::of(json!([{ "await": { "event": { "type": "container", "action": "die", "of": "no" } } }]),
    "there is no image or container `no` here")]
#[case::never(json!([{ "await": { "event": { "type": "volume", "action": "create", "times": 0 } } }]),
    "an event that need not happen")]
fn a_step_of_the_engine_that_cannot_be_is_refused(#[case] steps: Value, #[case] problem: &str) {
    assert_refused(with_web(&steps), 2, problem);
}

// Each name that a step gives can be used by the steps after it, and the old one of a rename cannot.
#[test]
fn names_that_steps_give_are_known_afterwards() {
    let steps = json!([
        { "build": { "image": "child", "from": "base", "tag": "child:1" } },
        { "commit": { "container": "web", "image": "saved" } },
        { "rename": { "name": "web", "to": "site" } },
        { "create_container": { "name": "one", "image": "child" } },
        { "remove_image": { "image": "saved" } },
        { "exec": { "container": "site", "command": ["/probe", "sleep"], "detach": true } },
        { "prune": "all" },
        { "await": { "event": { "type": "container", "action": "rename", "of": "site" } } },
    ]);
    assert_eq!(scenario(with_web(&steps)).check(), Ok(()));
    let old = json!([{ "rename": { "name": "web", "to": "site" } },
        { "container": { "name": "web", "op": "start" } }]);
    assert_refused(with_web(&old), 3, "there is no container `web` here");
}

fn with_docker(steps: &Value) -> Scenario {
    let mut scenario = scenario(with_web(steps));
    scenario.needs = serde_json::from_value(json!({ "docker": {} })).unwrap();
    scenario
}

#[rstest]
#[case::foreground(json!({ "arguments": ["run", "base:1"], "as": "x" }),
    "the command does not print the container's ID")]
#[case::loud(json!({ "arguments": ["build", "-"], "as": "x" }),
    "the command does not print the image's ID alone")]
#[case::nothing(json!({ "arguments": ["ps", "-q"], "as": "x" }),
    "the command makes no container and no image")]
#[case::twice(json!({ "arguments": ["create", "base:1"], "as": "x", "times": 2 }),
    "what the command makes has a name, and the command does not end once")]
#[case::taken(json!({ "arguments": ["create", "base:1"], "as": "web" }), "there is a `web` already")]
#[case::words(json!({ "arguments": ["run", "-d", "base:1", "linse", "3"] }),
    "`/probe` has no command `linse`")]
fn a_docker_command_that_cannot_give_a_name_is_refused(
    #[case] docker: Value,
    #[case] problem: &str,
) {
    let error = with_docker(&json!([{ "docker": docker }])).check().unwrap_err();
    assert_eq!((error.step, error.problem.as_str()), (2, problem));
}

#[test]
fn what_a_docker_command_makes_can_be_named() {
    let on = json!({ "route": "/containers/{id}/json", "params": { "id": "$made" } });
    let steps = json!([
        { "docker": { "arguments": ["create", "--network", "none", "base:1"], "as": "made" } },
        { "docker": { "arguments": ["build", "-q", "-"], "input": "FROM base:1", "as": "built" } },
        { "docker": { "arguments": ["run", "-d", "--entrypoint", "/x", "base:1", "any"] } },
        { "answer": { "name": "a", "status": 500, "body": { "message": "no" }, "on": on } },
        { "container": { "name": "made", "op": "start" } },
        { "happened": "a" },
        { "create_container": { "name": "two", "image": "built" } },
        { "docker_file": { "context": "$ours", "mode": "0600", "owner": 1000 } },
        { "docker_file": { "contexts": true, "put": "link" } },
    ]);
    assert_eq!(with_docker(&steps).check(), Ok(()));
}

#[rstest]
#[case::nothing(json!({}), "a file that stays as it is")]
#[case::mode(json!({ "mode": "rw" }), "the mode is no permissions")]
#[case::digits(json!({ "mode": "0999" }), "the mode is no permissions")]
#[case::gone(json!({ "put": "gone", "mode": "0600" }),
    "there is no file that could have an owner or a mode")]
#[case::contexts(json!({ "contexts": true, "put": "gone" }),
    "the directory of all contexts can only become a link")]
#[case::one_context(json!({ "contexts": true, "context": "mine", "put": "link" }),
    "the directory of all contexts can only become a link")]
fn a_file_that_cannot_be_is_refused(#[case] file: Value, #[case] problem: &str) {
    let error = with_docker(&json!([{ "docker_file": file }])).check().unwrap_err();
    assert_eq!((error.step, error.problem.as_str()), (2, problem));
}

#[rstest]
#[case::nothing(json!({}), json!({}), "a rewrite that changes nothing")]
#[case::frame(json!({ "head": { "X": "y" } }), json!({ "/Type": "image" }), "a frame has no head")]
#[case::name(json!({ "head": { "X:": "y" } }), json!({}), "`X:` is no field of a head")]
#[case::value(json!({ "head": { "X": "a\r\nb" } }), json!({}), "the value of `X` cannot be sent")]
#[case::framing(json!({ "head": { "Content-length": "1" } }), json!({}),
    "`Content-length` says where the body ends, and stays as it is")]
fn a_rewrite_that_cannot_be_is_refused(
    #[case] rewrite: Value,
    #[case] frame: Value,
    #[case] problem: &str,
) {
    let fault =
        json!({ "kind": { "rewrite": rewrite }, "on": { "route": "/events", "frame": frame } });
    assert_refused(json!([{ "fault": fault }, "settle"]), 0, problem);
}

#[test]
fn an_answer_without_a_body_has_none() {
    let answer = json!({ "status": 304, "body": {}, "on": { "route": "/info" } });
    assert_refused(
        json!([{ "answer": answer }, "settle"]),
        0,
        "an answer with this status has no body",
    );
}
