//! Mirrors that differ from the engine's objects, for ever or for a while.

use serde_json::{Value, json};

use super::build::*;
use crate::record::{Change, Stage, What};
use crate::scenario::OracleName;

#[test]
fn convergence_sees_a_missing_mirror() {
    assert_violates(
        healthy_run(vec![truth(&["data", "late"])]),
        OracleName::Convergence,
        "volume late: in the engine, but has no mirror",
    );
}

#[test]
fn convergence_sees_a_stale_mirror() {
    assert_violates(
        healthy_run(vec![truth(&[])]),
        OracleName::Convergence,
        "volume data: mirrored, but the engine has no such object",
    );
}

#[test]
fn convergence_sees_two_mirrors_of_one_object() {
    let mut twin = volume("data", "u2");
    twin["metadata"]["name"] = json!("vol-twin");
    assert_violates(
        healthy_run(vec![changed("volumes", Change::Added, twin)]),
        OracleName::Convergence,
        "volume data: 2 mirrors",
    );
}

#[test]
fn convergence_sees_a_field_that_differs() {
    let mut wrong = volume("data", "u1");
    wrong["status"]["driver"] = json!("nfs");
    assert_violates(
        healthy_run(vec![changed("volumes", Change::Modified, wrong)]),
        OracleName::Convergence,
        "driver is `local` in the engine, `nfs` in its mirror",
    );
}

#[test]
fn convergence_sees_a_mirror_without_a_status() {
    let mut blank = volume("data", "u2");
    blank["metadata"]["name"] = json!("vol-blank");
    blank["status"] = json!({});
    assert_violates(
        healthy_run(vec![changed("volumes", Change::Added, blank)]),
        OracleName::Convergence,
        "volumes vol-blank without a status",
    );
}

// The control for the tests above: the same kind of difference, undone before the checkpoint.
#[test]
fn convergence_accepts_differences_that_are_gone_at_the_checkpoint() {
    assert_passes(healthy_run(vec![truth(&["data", "late"]), truth(&["data"])]));
}

#[test]
fn convergence_accepts_a_stopped_app_without_mirrors() {
    let stopped = app(2, false, &[("ContainerEngineReady", "False", "Stopped", 2)]);
    let gone = changed("volumes", Change::Deleted, volume("data", "u1"));
    assert_passes(healthy_run(vec![app_is(stopped), gone]));
}

#[test]
fn convergence_only_after_the_probe_is_unknown() {
    let mut whats = vec![app_is(ready_app(1)), truth(&["data"])];
    whats.push(What::Checkpoint { number: 1, stage: Stage::Level });
    whats.push(changed("volumes", Change::Added, volume("data", "u1")));
    whats.push(What::Checkpoint { number: 1, stage: Stage::Probed });
    whats.push(What::Ended);
    assert_unknown(whats, "converged only after another event");
}

fn kept(version: u64) -> Value {
    let mut kept = at_version(version, volume("data", "u1"));
    kept["metadata"]["finalizers"] = json!(["racetrap.dev/kept"]);
    kept["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    kept
}

// Somebody else's finalizer keeps the mirror after its deletion, so the daemon cannot remove it.
#[test]
fn convergence_accepts_a_mirror_that_somebody_else_keeps() {
    let unsettled = app(2, false, &[("ContainerEngineReady", "False", "Stopped", 1)]);
    let stop = vec![app_is(unsettled), changed("volumes", Change::Modified, kept(5))];
    assert_passes(healthy_run(stop.clone()));
    let again = [stop, vec![app_is(ready_app(3))]].concat();
    assert_passes(healthy_run(again));
}

// The control for the test above: without that finalizer the daemon must remove the mirror.
#[test]
fn convergence_sees_a_mirror_left_after_a_stop() {
    let unsettled = app(2, false, &[("ContainerEngineReady", "False", "Stopped", 1)]);
    assert_violates(
        healthy_run(vec![app_is(unsettled)]),
        OracleName::Convergence,
        "volume data: mirrored, but the engine has no such object",
    );
}

// The user's object has neither a status nor the daemon's finalizer, so it is not a mirror. With the
// finalizer it would be a mirror without a status.
#[test]
fn convergence_ignores_an_object_that_a_user_created() {
    let mut users = volume("data", "u2");
    users["metadata"] = json!({ "name": "mine", "namespace": "default", "uid": "u2" });
    users["status"] = json!({});
    assert_passes(healthy_run(vec![changed("volumes", Change::Added, users)]));
}

fn marked(mut object: Value) -> Value {
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    object
}

// The engine refuses to remove a volume that is in use, so its mirror may stay marked. It never refuses to
// remove a container.
#[test]
fn convergence_accepts_a_deletion_mark_only_on_objects_that_can_be_in_use() {
    assert_passes(healthy_run(vec![changed(
        "volumes",
        Change::Modified,
        marked(volume("data", "u1")),
    )]));
    let web = container("c1", "u2", "running");
    assert_violates(
        healthy_run(vec![
            truth_with_containers(&[("c1", "running")]),
            changed("containers", Change::Modified, marked(web)),
        ]),
        OracleName::Convergence,
        "its mirror is being deleted",
    );
}
