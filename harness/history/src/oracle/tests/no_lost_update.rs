//! What users wrote, created and deleted, and what happened to it.

use serde_json::{Value, json};

use super::build::*;
use crate::record::{Blame, What};
use crate::scenario::OracleName;

fn with_state(version: u64, state: Option<&str>) -> Value {
    let mut object = at_version(version, container("c1", "u2", "running"));
    if let Some(state) = state {
        object["spec"]["state"] = json!(state);
    }
    object
}

fn user_sets_state(state: &str) -> What {
    user_wrote("containers", "c1", "u2", json!({ "/spec": { "state": state } }))
}

/// A running container whose mirror has these states, one after the other.
fn mirror_through(states: Vec<What>) -> Vec<What> {
    let mut whats = vec![truth_with_containers(&[("c1", "running")])];
    whats.extend(states);
    healthy_run(whats)
}

#[test]
fn no_lost_update_sees_a_field_that_was_overwritten() {
    assert_violates(
        mirror_through(vec![
            added("containers", with_state(5, Some("running"))),
            user_sets_state("running"),
            modified("containers", with_state(6, Some("unknown"))),
        ]),
        OracleName::NoLostUpdate,
        r#"<web>: a user wrote /spec/state="running", and it became "unknown""#,
    );
}

// In the first history the watch reports an older state after the user's write. In the second it reports
// the second value before the record of its write. Only versions show that nothing was lost.
#[test]
fn no_lost_update_compares_resource_versions() {
    assert_passes(mirror_through(vec![
        user_sets_state("running"),
        added("containers", with_state(4, None)),
        modified("containers", with_state(5, Some("running"))),
    ]));
    assert_passes(mirror_through(vec![
        step_began(0),
        added("containers", with_state(5, Some("running"))),
        user_sets_state("running"),
        step_began(1),
        modified("containers", with_state(6, Some("unknown"))),
        user_sets_state("unknown"),
    ]));
}

// The harness aborted the step, so the user's second write may have no record. If the step is completed,
// the same states prove a loss. The harness records the failure after it has begun to end the run.
#[test]
fn no_lost_update_does_not_judge_a_step_that_was_aborted() {
    let touched = |ends: Vec<What>| {
        let states = vec![
            step_began(0),
            added("containers", with_state(5, Some("running"))),
            user_sets_state("running"),
            modified("containers", with_state(6, Some("unknown"))),
        ];
        mirror_through([states, ends].concat())
    };
    let why = || "the run did not end within its 15 s".to_owned();
    let failed = || What::StepFailed { index: 0, blame: Blame::World, why: why() };
    assert_unknown(touched(vec![failed()]), "15 s");
    assert_unknown(touched(vec![What::Ending, failed()]), "15 s");
    let lost = r#"<web>: a user wrote /spec/state="running", and it became "unknown""#;
    assert_violates(touched(vec![What::StepDone { index: 0 }]), OracleName::NoLostUpdate, lost);
}

// Admission replaced the user's value, so no state shows it, and the daemon has not lost it.
#[test]
fn no_lost_update_judges_only_what_was_stored() {
    assert_passes(mirror_through(vec![
        user_sets_state("latest"),
        added("containers", with_state(5, Some("1.2"))),
    ]));
}

fn with_action(version: u64, value: Option<&str>, last: Option<&str>) -> What {
    let mut object = at_version(version, container("c1", "u2", "running"));
    if let Some(value) = value {
        let annotations = json!({ "containers.rancherdesktop.io/action": value });
        object["metadata"]["annotations"] = annotations;
    }
    if let Some(last) = last {
        object["status"]["lastAction"] = json!({ "action": last, "state": "Succeeded" });
    }
    modified("containers", object)
}

fn user_requests_action(action: &str) -> What {
    let pointer = "/metadata/annotations/containers.rancherdesktop.io~1action";
    user_wrote("containers", "c1", "u2", json!({ pointer: action }))
}

#[test]
fn no_lost_update_sees_an_action_that_was_dropped() {
    assert_violates(
        mirror_through(vec![
            user_requests_action("start"),
            with_action(5, Some("start"), None),
            engine_event("container", "start", "c1"),
            with_action(6, None, None),
        ]),
        OracleName::NoLostUpdate,
        r#"action="start", and it became null"#,
    );
}

// The daemon may remove the annotation after it has reported the action (contract 4.4).
#[test]
fn no_lost_update_lets_an_action_be_consumed() {
    assert_passes(mirror_through(vec![
        user_requests_action("start"),
        with_action(5, Some("start"), None),
        with_action(6, Some("start"), Some("start")),
        with_action(7, None, Some("start")),
    ]));
}

fn user_object(version: u64) -> Value {
    json!({ "metadata": { "name": "mine", "namespace": "default", "uid": "u9",
                          "resourceVersion": version.to_string() } })
}

fn user_created_object() -> Vec<What> {
    let labels = json!({ "/metadata/labels/of": "me" });
    vec![user_wrote("volumes", "mine", "u9", labels), added("volumes", user_object(5))]
}

// A sweep deletes the object in both histories. In the control, its user had deleted it before.
#[test]
fn no_lost_update_sees_a_users_object_that_was_swept() {
    let sweep = || {
        let mirror = deleted("volumes", at_version(19, volume("data", "u1")));
        vec![app_is(stopped_app(2)), mirror, deleted("volumes", user_object(20))]
    };
    assert_violates(
        healthy_run([user_created_object(), sweep()].concat()),
        OracleName::NoLostUpdate,
        "volumes mine: the daemon deleted an object that a user created and that is not a mirror",
    );
    let deleted_by_user = vec![user_deleted("volumes", "mine", "u9")];
    assert_passes(healthy_run([user_created_object(), deleted_by_user, sweep()].concat()));
}

// A full sync begins with lists, and may delete objects without a counterpart (contract 4.3).
#[test]
fn no_lost_update_lets_a_sync_prune_a_users_object() {
    let sync = Vec::from(engine_answered(1, "/volumes", 200));
    assert_passes(healthy_run(
        [user_created_object(), sync, vec![deleted("volumes", user_object(20))]].concat(),
    ));
}

// A user's label does not make a mirror the user's object, so a sweep may delete it.
#[test]
fn no_lost_update_lets_a_labelled_mirror_be_swept() {
    let labels = json!({ "/metadata/labels/of": "me" });
    assert_passes(healthy_run(vec![
        user_wrote("volumes", "vol-data", "u1", labels),
        app_is(stopped_app(2)),
        deleted("volumes", at_version(20, volume("data", "u1"))),
    ]));
}

/// A user deletes the mirror of the volume `old`; `after` follows.
fn user_deletes_mirror(after: Vec<What>) -> Vec<What> {
    let mut whats =
        vec![truth(&["data", "old"]), added("volumes", at_version(5, volume("old", "u2")))];
    whats.push(user_deleted("volumes", "vol-old", "u2"));
    whats.extend(after);
    healthy_run(whats)
}

fn removal_request() -> What {
    request(1, "DELETE", "/v1.41/volumes/old?force=1", "/volumes/{name}")
}

fn engine_removed() -> Vec<What> {
    let finished = on_wire(1, crate::record::WireWhat::Finished { bytes: 0 });
    let gone = deleted("volumes", at_version(6, volume("old", "u2")));
    vec![
        removal_request(),
        finished,
        engine_event("volume", "destroy", "old"),
        truth(&["data"]),
        gone,
    ]
}

#[test]
fn no_lost_update_sees_a_mirror_that_went_without_its_object() {
    let back = vec![
        deleted("volumes", at_version(6, volume("old", "u2"))),
        added("volumes", at_version(7, volume("old", "u3"))),
    ];
    assert_violates(
        user_deletes_mirror(back),
        OracleName::NoLostUpdate,
        "volume old: a user deleted its mirror, and the daemon removed the mirror but not the engine's object",
    );
    assert_passes(user_deletes_mirror(engine_removed()));
}

#[test]
fn no_lost_update_sees_a_mirror_that_came_back() {
    let ghost = vec![
        added("volumes", at_version(7, volume("old", "u3"))),
        deleted("volumes", at_version(8, volume("old", "u3"))),
    ];
    assert_violates(
        user_deletes_mirror([engine_removed(), ghost].concat()),
        OracleName::NoLostUpdate,
        "and the mirror came back although the engine's object is gone",
    );
    // The engine has a new volume of the same name, which needs a new mirror.
    let anew = vec![
        added("volumes", at_version(7, volume("old", "u3"))),
        engine_event("volume", "create", "old"),
        truth(&["data", "old"]),
    ];
    assert_passes(user_deletes_mirror([engine_removed(), anew].concat()));
}

// In the control the daemon asks the engine, which refuses because the volume is in use.
#[test]
fn no_lost_update_sees_a_deletion_that_the_engine_was_never_asked_for() {
    let mut marked = at_version(6, volume("old", "u2"));
    marked["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let marked = || modified("volumes", marked.clone());
    assert_violates(
        user_deletes_mirror(vec![marked()]),
        OracleName::NoLostUpdate,
        "and the daemon never asked the engine to remove the object",
    );
    let refused = on_wire(1, crate::record::WireWhat::Finished { bytes: 9 });
    assert_passes(user_deletes_mirror(vec![marked(), removal_request(), refused]));
}

fn engine_removes(exchange: u64, target: &str) -> Vec<What> {
    let request = crate::WireWhat::Request {
        method: "DELETE".to_owned(),
        target: format!("/v1.41{target}?force=1"),
        route: Some("/volumes/{name}".to_owned()),
        phase: crate::Phase::Steady,
    };
    vec![
        on_wire(exchange, request),
        on_wire(exchange, crate::WireWhat::Response { status: 204 }),
        on_wire(exchange, crate::WireWhat::Finished { bytes: 0 }),
    ]
}

// No user deleted the mirror, so the daemon must not remove the volume.
#[test]
fn no_lost_update_sees_a_removal_that_nobody_asked_for() {
    let mirror = || at_version(5, volume("data", "u1"));
    let mut whats = vec![added("volumes", mirror())];
    whats.extend(engine_removes(90, "/volumes/data"));
    assert_violates(
        healthy_run(whats),
        OracleName::NoLostUpdate,
        "the daemon removed /v1.41/volumes/data from the engine, but no user asked for that",
    );
    // The same request after the volume is gone removes nothing. If the volume was created again, the
    // request removes the new one.
    let mut whats = vec![added("volumes", mirror()), engine_event("volume", "destroy", "data")];
    let again = engine_event("volume", "create", "data");
    let gone = [truth(&[]), deleted("volumes", at_version(6, volume("data", "u1")))];
    assert_passes(healthy_run(
        [whats.clone(), engine_removes(90, "/volumes/data"), gone.into()].concat(),
    ));
    whats.push(again);
    whats.extend(engine_removes(90, "/volumes/data"));
    assert_violates(healthy_run(whats), OracleName::NoLostUpdate, "but no user asked for that");
    // The same request after a user deleted the mirror.
    let mut whats = vec![added("volumes", mirror()), user_deleted("volumes", "vol-data", "u1")];
    whats.extend(engine_removes(90, "/volumes/data"));
    whats.extend([truth(&[]), deleted("volumes", at_version(6, volume("data", "u1")))]);
    assert_passes(healthy_run(whats));
}
