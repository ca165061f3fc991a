//! Mirrors that are created twice for one object.

use super::build::*;
use crate::record::{ProcessState, What, WireWhat};
use crate::scenario::OracleName;

fn mirror(uid: &str) -> serde_json::Value {
    container("c1", uid, "running")
}

/// A container and its mirror are created and removed; `after` follows.
fn created_and_removed(after: Vec<What>) -> Vec<What> {
    let mut whats = vec![
        truth_with_containers(&[("c1", "running")]),
        added("containers", at_version(5, mirror("u2"))),
        engine_event("container", "destroy", "c1"),
        truth_with_containers(&[]),
        deleted("containers", at_version(6, mirror("u2"))),
    ];
    whats.extend(after);
    healthy_run(whats)
}

fn ghost() -> Vec<What> {
    vec![
        added("containers", at_version(7, mirror("u3"))),
        deleted("containers", at_version(8, mirror("u3"))),
    ]
}

// The second mirror is gone again at the checkpoint, so neither convergence nor identity can see it.
#[test]
fn counts_sees_the_ghost_of_a_container() {
    assert_violates(
        created_and_removed(ghost()),
        OracleName::Counts,
        "container <web>: its mirror was deleted and created again",
    );
    assert_passes(created_and_removed(vec![]));
}

#[test]
fn counts_sees_a_ghost_after_the_checkpoint() {
    let mut whats = created_and_removed(vec![]);
    whats.pop();
    whats.extend(ghost());
    whats.extend(checkpoint(2));
    whats.push(What::Ended);
    assert_violates(whats, OracleName::Counts, "container <web>: its mirror was deleted");
}

// The volume was created between two checkpoints and still exists. Its mirror was created twice.
#[test]
fn counts_sees_a_mirror_made_twice() {
    let twice = vec![
        added("volumes", at_version(5, volume("new", "u2"))),
        deleted("volumes", at_version(6, volume("new", "u2"))),
        added("volumes", at_version(7, volume("new", "u3"))),
    ];
    let whole = |extra: Vec<What>| healthy_run([vec![truth(&["data", "new"])], extra].concat());
    assert_violates(
        whole(twice.clone()),
        OracleName::Counts,
        "volume new: its mirror was deleted and created again",
    );
    // If the volume itself was removed and created again, it needs a second mirror.
    let anew =
        vec![engine_event("volume", "destroy", "new"), engine_event("volume", "create", "new")];
    assert_passes(whole([anew, twice].concat()));
}

// Each of these causes makes a correct daemon remove mirrors and create them again, without any change in
// the engine.
#[test]
fn counts_judges_nothing_from_a_sweep_to_the_next_checkpoint() {
    let down = app(1, true, &[("Running", "False", "Stopped", 1)]);
    for cause in [
        app_is(stopped_app(2)),
        app_is(down),
        deleted("apps", ready_app(2)),
        process("daemon", ProcessState::Stopped),
        on_wire(1, WireWhat::Faulted { rule: "r".to_owned(), fault: "a stale list".to_owned() }),
    ] {
        let again = app_is(ready_app(3));
        assert_passes(created_and_removed([vec![cause, again], ghost()].concat()));
    }
}

// The user deleted the mirror, so `no_lost_update` judges what happens to it, and `counts` must not.
#[test]
fn counts_does_not_judge_a_mirror_that_a_user_deleted() {
    let deletion = user_deleted("containers", "c1", "u2");
    let mut whats = created_and_removed(ghost());
    // The deletion is recorded before the engine removes the container.
    whats.insert(5, deletion);
    assert_violates(whats, OracleName::NoLostUpdate, "container <web>: a user deleted its mirror");
}
