//! Mirrors that are replaced, with and without a cause.

use serde_json::{Value, json};

use super::build::*;
use crate::record::{Change, EngineEvent, EngineState, What};
use crate::scenario::{OracleName, VmRole};

#[test]
fn identity_sees_a_mirror_that_is_deleted_and_created_again() {
    assert_violates(
        two_checkpoints(vec![
            changed("volumes", Change::Deleted, volume("data", "u1")),
            changed("volumes", Change::Added, volume("data", "u2")),
        ]),
        OracleName::Identity,
        "volume data: existed in the engine all the time, but its mirror was deleted",
    );
}

#[test]
fn identity_sees_a_changed_uid_without_a_deletion() {
    assert_violates(
        two_checkpoints(vec![changed("volumes", Change::Modified, volume("data", "u2"))]),
        OracleName::Identity,
        "UID of its mirror changed from u1 to u2",
    );
}

// The same deletion is correct if the engine removed the object itself in between.
#[test]
fn identity_accepts_a_new_mirror_of_an_object_that_the_engine_removed() {
    let event = EngineEvent {
        object: "volume".to_owned(),
        action: "destroy".to_owned(),
        id: "data".to_owned(),
        container: None,
        time_ns: 1,
    };
    assert_passes(two_checkpoints(vec![
        What::Engine(event),
        changed("volumes", Change::Deleted, volume("data", "u1")),
        changed("volumes", Change::Added, volume("data", "u2")),
    ]));
}

// A foreign finalizer has kept the mirror of an earlier object at the first checkpoint.
#[test]
fn identity_accepts_the_end_of_a_deletion_that_had_begun() {
    let mut marked = volume("data", "u1");
    marked["metadata"]["deletionTimestamp"] = json!("2026-11-21T15:11:00Z");
    let mut whats = vec![changed("volumes", Change::Modified, marked)];
    whats.extend(checkpoint(1));
    whats.push(changed("volumes", Change::Deleted, volume("data", "u1")));
    whats.push(changed("volumes", Change::Added, volume("data", "u2")));
    let found = |whats: Vec<What>| complaints(crate::oracle::identity, healthy_run(whats)).len();
    assert_eq!((found(whats.clone()), found(whats.split_off(1))), (0, 1));
}

// A VM that is started again takes its engine with it, and the daemon mirrors the engine anew.
#[test]
fn identity_does_not_judge_across_a_restart_of_the_vm() {
    let anew = |between: Vec<What>| {
        let deleted = changed("volumes", Change::Deleted, volume("data", "u1"));
        let added = changed("volumes", Change::Added, volume("data", "u2"));
        two_checkpoints([between, vec![deleted, added, app_is(ready_app(1))]].concat())
    };
    let down = app(1, true, &[("Running", "False", "Stopped", 1)]);
    let judged = |between| complaints(crate::oracle::identity, anew(between)).len();
    assert_eq!((judged(vec![app_is(down)]), judged(vec![])), (0, 1));
    let judged = [("rd", VmRole::Driver), ("rd", VmRole::Hostagent), ("other", VmRole::Driver)]
        .map(|(vm, role)| judged(vec![vm_ends(vm, role)]));
    assert_eq!(judged, [0, 1, 1]);
}

fn image(tags: &[&str]) -> What {
    let image = crate::EngineImage {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        labels: Default::default(),
        details: None,
    };
    let images = [("sha256:i".to_owned(), image)].into();
    What::Truth(EngineState { images, ..EngineState::default() })
}

fn tag(name: &str, uid: &str) -> Value {
    json!({ "metadata": { "name": format!("img-{name}"), "uid": uid },
            "status": { "id": "sha256:i", "repoTag": name, "os": "linux", "architecture": "amd64" } })
}

// One of two tags of an image is removed. The other one remains, so its mirror must remain too.
#[test]
fn identity_sees_a_new_mirror_of_a_tag_beside_the_removed_one() {
    let untag = EngineEvent {
        object: "image".to_owned(),
        action: "untag".to_owned(),
        id: "sha256:i".to_owned(),
        container: None,
        time_ns: 1,
    };
    let mut whats = vec![image(&["p:1", "p:2"]), app_is(ready_app(1))];
    whats.extend(["p:1", "p:2"].map(|name| changed("images", Change::Added, tag(name, name))));
    whats.extend(checkpoint(1));
    whats.extend([What::Engine(untag), image(&["p:2"])]);
    whats.push(changed("images", Change::Deleted, tag("p:1", "p:1")));
    let fine = [&whats[..], &checkpoint(2), &[What::Ended]].concat();
    assert_passes(fine);
    whats.push(changed("images", Change::Deleted, tag("p:2", "p:2")));
    whats.push(changed("images", Change::Added, tag("p:2", "new")));
    whats.extend(checkpoint(2));
    whats.push(What::Ended);
    assert_violates(whats, OracleName::Identity, "tagged p:2: existed in the engine all the time");
}

// The App was stopped in between, which removes all mirrors (contract 4.6).
#[test]
fn identity_does_not_judge_across_a_stop() {
    let stopped = app(2, false, &[("ContainerEngineReady", "False", "Stopped", 2)]);
    assert_passes(two_checkpoints(vec![
        app_is(stopped),
        changed("volumes", Change::Deleted, volume("data", "u1")),
        app_is(ready_app(3)),
        changed("volumes", Change::Added, volume("data", "u2")),
    ]));
}
