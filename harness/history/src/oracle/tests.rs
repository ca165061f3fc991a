//! Each oracle is shown a history in which only its promise is broken, and a control history that
//! looks alike and is fine: so it can fail, and does not fail for looks.

use serde_json::{Value, json};

use crate::record::{WireMessage, WireWhat};
use crate::{
    ApiChange, Blame, Change, EngineEvent, EngineState, EngineVolume, OracleName, ProcessState,
    Record, Stage, Verdict, What, judge,
};

fn history(whats: Vec<What>) -> Vec<Record> {
    let numbered = whats.into_iter().enumerate();
    numbered.map(|(seq, what)| Record { seq: seq as u64, at_us: seq as u64, what }).collect()
}

fn app(generation: i64, running: bool, conditions: &[(&str, &str, &str, i64)]) -> Value {
    let conditions: Vec<_> = conditions
        .iter()
        .map(|(kind, status, reason, observed)| {
            json!({ "type": kind, "status": status, "reason": reason, "message": "m",
                    "observedGeneration": observed })
        })
        .collect();
    json!({ "metadata": { "name": "app", "generation": generation },
            "spec": { "running": running, "containerEngine": { "name": "moby" } },
            "status": { "conditions": conditions } })
}

fn ready(generation: i64) -> Value {
    let conditions = [
        ("ContainerEngineReady", "True", "Connected", generation),
        ("Settled", "True", "Settled", generation),
    ];
    app(generation, true, &conditions)
}

fn changed(resource: &str, change: Change, object: Value) -> What {
    What::Api(ApiChange { resource: resource.to_owned(), change, object })
}

fn app_is(object: Value) -> What {
    changed("apps", Change::Modified, object)
}

fn volume(name: &str, uid: &str) -> Value {
    json!({ "metadata": { "name": format!("vol-{name}"), "namespace": "default", "uid": uid },
            "status": { "name": name, "driver": "local", "mountpoint": "/v" } })
}

fn truth(names: &[&str]) -> What {
    let volume = || EngineVolume {
        driver: "local".to_owned(),
        mountpoint: "/v".to_owned(),
        labels: Default::default(),
    };
    let volumes = names.iter().map(|name| ((*name).to_owned(), volume())).collect();
    What::Truth(EngineState { volumes, ..EngineState::default() })
}

fn checkpoint(number: u32) -> [What; 2] {
    [Stage::Level, Stage::Probed].map(|stage| What::Checkpoint { number, stage })
}

fn wire(exchange: u64, event: WireWhat) -> What {
    What::Wire(WireMessage { connection: 0, exchange, event })
}

fn asked(exchange: u64, route: &str, status: u16) -> [What; 2] {
    let request = WireWhat::Request {
        method: "GET".to_owned(),
        target: route.to_owned(),
        route: Some(route.to_owned()),
        phase: "bootstrap".to_owned(),
    };
    [wire(exchange, request), wire(exchange, WireWhat::Response { status })]
}

/// A whole run in which everything is as it must be; `extra` goes before its only checkpoint.
fn sound(extra: Vec<What>) -> Vec<What> {
    let mut whats = vec![
        truth(&["data"]),
        app_is(ready(1)),
        changed("volumes", Change::Added, volume("data", "u1")),
    ];
    whats.extend(extra);
    whats.extend(checkpoint(1));
    whats.push(What::Ended);
    whats
}

#[track_caller]
fn assert_broken(whats: Vec<What>, oracle: OracleName, text: &str) {
    let judgement = judge(&history(whats));
    assert_eq!(judgement.verdict, Verdict::Fail, "{judgement:#?}");
    assert_eq!(judgement.oracles(), [oracle], "only this promise is broken: {judgement:#?}");
    assert!(judgement.violations[0].text.contains(text), "{judgement:#?}");
}

#[track_caller]
fn assert_fine(whats: Vec<What>) {
    let judgement = judge(&history(whats));
    assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:#?}");
}

#[track_caller]
fn assert_unknown(whats: Vec<What>, text: &str) {
    let judgement = judge(&history(whats));
    assert_eq!(judgement.verdict, Verdict::Unknown, "{judgement:#?}");
    assert!(judgement.unknowns.join("\n").contains(text), "{judgement:#?}");
}

#[test]
fn a_sound_run_passes() {
    assert_fine(sound(vec![]));
}

#[test]
fn convergence_sees_a_missing_mirror() {
    assert_broken(
        sound(vec![truth(&["data", "late"])]),
        OracleName::Convergence,
        "volume late: in the engine, but has no mirror",
    );
}

#[test]
fn convergence_sees_a_stale_mirror() {
    assert_broken(
        sound(vec![truth(&[])]),
        OracleName::Convergence,
        "volume data: mirrored, but the engine has no such object",
    );
}

#[test]
fn convergence_sees_two_mirrors_of_one_object() {
    let mut twin = volume("data", "u2");
    twin["metadata"]["name"] = json!("vol-twin");
    assert_broken(
        sound(vec![changed("volumes", Change::Added, twin)]),
        OracleName::Convergence,
        "volume data: 2 mirrors",
    );
}

#[test]
fn convergence_sees_a_field_that_differs() {
    let mut wrong = volume("data", "u1");
    wrong["status"]["driver"] = json!("nfs");
    assert_broken(
        sound(vec![changed("volumes", Change::Modified, wrong)]),
        OracleName::Convergence,
        "driver is `local` in the engine, `nfs` in its mirror",
    );
}

#[test]
fn convergence_sees_a_mirror_without_a_status() {
    let mut blank = volume("data", "u2");
    blank["metadata"]["name"] = json!("vol-blank");
    blank["status"] = json!({});
    assert_broken(
        sound(vec![changed("volumes", Change::Added, blank)]),
        OracleName::Convergence,
        "volumes vol-blank without a status",
    );
}

// The control of all the above: the same changes, undone before the checkpoint.
#[test]
fn convergence_leaves_passing_differences_alone() {
    assert_fine(sound(vec![truth(&["data", "late"]), truth(&["data"])]));
}

#[test]
fn convergence_leaves_a_stopped_app_without_mirrors_alone() {
    let stopped = app(2, false, &[("ContainerEngineReady", "False", "Stopped", 2)]);
    let gone = changed("volumes", Change::Deleted, volume("data", "u1"));
    assert_fine(sound(vec![app_is(stopped), gone]));
}

#[test]
fn convergence_that_only_the_probe_brought_is_unknown() {
    let mut whats = vec![app_is(ready(1)), truth(&["data"])];
    whats.push(What::Checkpoint { number: 1, stage: Stage::Level });
    whats.push(changed("volumes", Change::Added, volume("data", "u1")));
    whats.push(What::Checkpoint { number: 1, stage: Stage::Probed });
    whats.push(What::Ended);
    assert_unknown(whats, "converged only after another event");
}

fn two_checkpoints(between: Vec<What>) -> Vec<What> {
    let mut whats = sound(vec![]);
    whats.pop();
    whats.extend(between);
    whats.extend(checkpoint(2));
    whats.push(What::Ended);
    whats
}

#[test]
fn identity_sees_a_mirror_deleted_and_made_anew() {
    assert_broken(
        two_checkpoints(vec![
            changed("volumes", Change::Deleted, volume("data", "u1")),
            changed("volumes", Change::Added, volume("data", "u2")),
        ]),
        OracleName::Identity,
        "volume data: lived throughout, but its mirror was deleted",
    );
}

#[test]
fn identity_sees_a_changed_uid_without_a_deletion() {
    assert_broken(
        two_checkpoints(vec![changed("volumes", Change::Modified, volume("data", "u2"))]),
        OracleName::Identity,
        "UID u1 became u2",
    );
}

// The same deletion is right where the engine removed the object itself in between.
#[test]
fn identity_leaves_an_object_alone_that_the_engine_removed() {
    let event = EngineEvent {
        object: "volume".to_owned(),
        action: "destroy".to_owned(),
        id: "data".to_owned(),
        time_ns: 1,
    };
    assert_fine(two_checkpoints(vec![
        What::Engine(event),
        changed("volumes", Change::Deleted, volume("data", "u1")),
        changed("volumes", Change::Added, volume("data", "u2")),
    ]));
}

fn image(tags: &[&str]) -> What {
    let image = crate::EngineImage {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        labels: Default::default(),
    };
    let images = [("sha256:i".to_owned(), image)].into();
    What::Truth(EngineState { images, ..EngineState::default() })
}

fn tag(name: &str, uid: &str) -> Value {
    json!({ "metadata": { "name": format!("img-{name}"), "uid": uid },
            "status": { "id": "sha256:i", "repoTag": name, "os": "linux", "architecture": "amd64" } })
}

// Two tags of one image: one is removed, the other lived on, and its mirror must have, too.
#[test]
fn identity_sees_another_tag_of_an_untagged_image_made_anew() {
    let untag = EngineEvent {
        object: "image".to_owned(),
        action: "untag".to_owned(),
        id: "sha256:i".to_owned(),
        time_ns: 1,
    };
    let mut whats = vec![image(&["p:1", "p:2"]), app_is(ready(1))];
    whats.extend(["p:1", "p:2"].map(|name| changed("images", Change::Added, tag(name, name))));
    whats.extend(checkpoint(1));
    whats.extend([What::Engine(untag), image(&["p:2"])]);
    whats.push(changed("images", Change::Deleted, tag("p:1", "p:1")));
    let fine = [&whats[..], &checkpoint(2), &[What::Ended]].concat();
    assert_fine(fine);
    whats.push(changed("images", Change::Deleted, tag("p:2", "p:2")));
    whats.push(changed("images", Change::Added, tag("p:2", "new")));
    whats.extend(checkpoint(2));
    whats.push(What::Ended);
    assert_broken(whats, OracleName::Identity, "tagged p:2: lived throughout");
}

// And where the App was stopped in between: then all mirrors go (contract 4.6).
#[test]
fn identity_leaves_an_app_alone_that_was_stopped_in_between() {
    let stopped = app(2, false, &[("ContainerEngineReady", "False", "Stopped", 2)]);
    assert_fine(two_checkpoints(vec![
        app_is(stopped),
        changed("volumes", Change::Deleted, volume("data", "u1")),
        app_is(ready(3)),
        changed("volumes", Change::Added, volume("data", "u2")),
    ]));
}

fn connect_failed() -> What {
    app_is(app(1, true, &[("ContainerEngineReady", "False", "ConnectFailed", 1)]))
}

#[test]
fn truthful_conditions_sees_a_failure_that_the_engine_did_not_cause() {
    let mut extra = Vec::from(asked(1, "/containers/json", 200));
    extra.extend(asked(2, "/containers/{id}/json", 404));
    extra.extend([connect_failed(), app_is(ready(1))]);
    assert_broken(
        sound(extra),
        OracleName::TruthfulConditions,
        "answered all that a sync needs, last: GET /containers/{id}/json 404",
    );
}

#[test]
fn truthful_conditions_accepts_a_failure_that_the_engine_caused() {
    let mut extra = Vec::from(asked(1, "/images/json", 500));
    extra.extend([connect_failed(), app_is(ready(1))]);
    assert_fine(sound(extra));
}

#[test]
fn truthful_conditions_accepts_a_failure_after_a_cut() {
    let mut extra = Vec::from(asked(1, "/images/json", 200));
    extra.extend([wire(1, WireWhat::Cut), connect_failed(), app_is(ready(1))]);
    assert_fine(sound(extra));
}

// What was written before the fault and is seen after it uses up no excuse.
#[test]
fn truthful_conditions_keeps_an_excuse_until_the_daemon_has_subscribed_anew() {
    let mut extra = vec![wire(1, WireWhat::Refused), app_is(ready(1)), connect_failed()];
    extra.extend(asked(2, "/events", 200));
    extra.push(app_is(ready(1)));
    assert_fine(sound(extra));
}

// An excuse is used up by the next connection: the second failure has none.
#[test]
fn truthful_conditions_takes_an_excuse_once() {
    let mut extra = Vec::from(asked(1, "/images/json", 500));
    extra.extend([connect_failed()]);
    extra.extend(asked(3, "/events", 200));
    extra.push(app_is(ready(1)));
    extra.extend(asked(2, "/images/json", 200));
    extra.extend([connect_failed(), app_is(ready(1))]);
    assert_broken(sound(extra), OracleName::TruthfulConditions, "last: GET /images/json 200");
}

#[test]
fn truthful_conditions_sees_settled_on_an_old_generation_of_the_engine() {
    let conditions =
        [("ContainerEngineReady", "True", "Connected", 1), ("Settled", "True", "Settled", 2)];
    assert_broken(
        sound(vec![app_is(app(2, true, &conditions)), app_is(ready(2))]),
        OracleName::TruthfulConditions,
        "ContainerEngineReady=True (Connected) at generation 1 of 2",
    );
}

// The engine is lost after the App had settled: `Settled` follows, one write later.
#[test]
fn truthful_conditions_leaves_an_engine_alone_that_is_lost_after_settling() {
    let lost =
        [("ContainerEngineReady", "False", "ConnectFailed", 1), ("Settled", "True", "Settled", 1)];
    let mut extra = Vec::from(asked(1, "/images/json", 500));
    extra.extend([app_is(app(1, true, &lost)), app_is(ready(1))]);
    assert_fine(sound(extra));
}

fn returned(command: &str) -> What {
    What::Command(crate::CommandRun {
        arguments: command.split(' ').map(str::to_owned).collect(),
        exit: Some(0),
        stdout: String::new(),
        stderr: String::new(),
        took_ms: 1,
    })
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
    let extra = vec![returned("set running=true"), listed_app(unsettled()), app_is(ready(2))];
    assert_broken(
        sound(extra),
        OracleName::TruthfulConditions,
        "`set running=true` returned 0, yet Settled=False",
    );
}

#[test]
fn truthful_conditions_leaves_a_command_alone_that_was_not_to_wait() {
    let command = returned("set --wait=false running=true");
    assert_fine(sound(vec![command, listed_app(unsettled()), app_is(ready(2))]));
}

#[test]
fn liveness_sees_a_daemon_that_died() {
    let died = What::Process {
        name: "daemon".to_owned(),
        pid: 7,
        started: 1,
        state: ProcessState::Died { how: "signal 6".to_owned() },
    };
    assert_broken(sound(vec![died]), OracleName::Liveness, "ended by itself: signal 6");
}

// An engine that ends by itself is the world's failure, whatever the daemon does about it.
#[test]
fn a_run_whose_engine_died_is_unknown() {
    let died = What::Process {
        name: "engine".to_owned(),
        pid: 8,
        started: 1,
        state: ProcessState::Died { how: "signal 9".to_owned() },
    };
    assert_unknown(sound(vec![died]), "the engine ended by itself: signal 9");
}

#[test]
fn liveness_leaves_a_daemon_alone_that_was_stopped() {
    let stopped = What::Process {
        name: "daemon".to_owned(),
        pid: 7,
        started: 1,
        state: ProcessState::Stopped,
    };
    assert_fine(sound(vec![stopped]));
}

#[test]
fn liveness_sees_a_missed_deadline_of_the_daemon() {
    let why = "waited 5s for x; last seen: y".to_owned();
    let failed = What::StepFailed { index: 2, blame: Blame::Daemon, why };
    let judgement = judge(&history(vec![failed, What::Ended]));
    assert_eq!(judgement.verdict, Verdict::Fail);
    assert_eq!(judgement.oracles(), [OracleName::Liveness]);
}

// What the schedule or the machine did not allow to be shown is neither pass nor failure.
#[test]
fn a_step_that_failed_for_other_reasons_makes_the_run_unknown() {
    for blame in [Blame::Schedule, Blame::World] {
        let failed = What::StepFailed { index: 0, blame, why: "gate not reached".to_owned() };
        assert_unknown(vec![failed, What::Ended], "step 1");
    }
}

// A daemon that had to be killed, or left something behind, did not simply pass.
#[test]
fn a_leak_makes_the_run_unknown() {
    let leak = What::Leak { text: "process 7 ran on".to_owned() };
    assert_unknown(sound(vec![leak]), "would not go: process 7 ran on");
}

// What a daemon does after its engine ended by itself proves nothing; what it did before, does.
#[test]
fn what_follows_the_end_of_an_engine_is_no_violation() {
    let died = || What::Process {
        name: "engine".to_owned(),
        pid: 8,
        started: 1,
        state: ProcessState::Died { how: "signal 9".to_owned() },
    };
    let missed = || What::StepFailed { index: 2, blame: Blame::Daemon, why: "late".to_owned() };
    assert_unknown(sound(vec![died(), missed()]), "the engine ended by itself");
    let judgement = judge(&history(sound(vec![missed(), died()])));
    assert_eq!(judgement.oracles(), [OracleName::Liveness]);
}

#[test]
fn a_checkpoint_without_an_app_is_unknown() {
    let mut whats = Vec::from(checkpoint(1));
    whats.push(What::Ended);
    assert_unknown(whats, "there is no App to be judged");
}

// The list was made before the change that the watch told of first, and must not undo it.
#[test]
fn a_late_list_does_not_turn_the_view_back() {
    let mut late = volume("late", "u2");
    late["metadata"]["resourceVersion"] = json!("11");
    let mut gone = volume("gone", "u3");
    gone["metadata"]["resourceVersion"] = json!("12");
    let list = What::Listed {
        resource: "volumes".to_owned(),
        version: 10,
        objects: vec![volume("data", "u1"), gone.clone()],
    };
    assert_fine(sound(vec![
        truth(&["data", "late"]),
        changed("volumes", Change::Added, late),
        changed("volumes", Change::Deleted, gone),
        list,
    ]));
}

#[test]
fn a_journal_without_an_end_is_unknown() {
    let mut whats = sound(vec![]);
    whats.pop();
    assert_unknown(whats, "stopped in the middle");
}

#[test]
fn a_run_without_a_checkpoint_is_unknown() {
    assert_unknown(vec![What::Ended], "before anything could be judged");
}
