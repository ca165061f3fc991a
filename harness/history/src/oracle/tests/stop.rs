//! Conditions of a stopped App, compared with the versions at which mirrors were deleted.

use serde_json::json;

use super::build::*;
use crate::judge::judge;
use crate::record::{Change, Record, What};
use crate::scenario::OracleName;

/// A run whose App has one mirrored volume and is told to stop; `after` follows.
fn stopping(after: Vec<What>) -> Vec<What> {
    let mut whats = vec![truth(&["data"]), app_is(at_version(10, ready_app(1)))];
    whats.push(added("volumes", at_version(11, volume("data", "u1"))));
    whats.push(app_is(at_version(
        20,
        app(2, false, &[("ContainerEngineReady", "True", "Connected", 2)]),
    )));
    whats.extend(after);
    whats.extend(checkpoint(1));
    whats.push(What::Ended);
    whats
}

// In both histories the watch reports the deletion after `Settled`. Only the versions show which of the two
// was written first.
#[test]
fn truthful_conditions_sees_settled_before_the_mirrors_went() {
    let settled = || app_is(at_version(30, stopped_app(2)));
    let gone_at = |version| deleted("volumes", at_version(version, volume("data", "u1")));
    assert_violates(
        stopping(vec![settled(), gone_at(31)]),
        OracleName::TruthfulConditions,
        "but 1 mirrors still existed: volume data",
    );
    assert_passes(stopping(vec![settled(), gone_at(29)]));
}

// The history has no deletion, but a list that is newer than `Settled` still shows the mirror.
#[test]
fn truthful_conditions_sees_settled_while_a_mirror_is_kept() {
    let mut kept = at_version(21, volume("data", "u1"));
    kept["metadata"]["finalizers"] = json!(["racetrap.dev/kept"]);
    kept["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let list = || listed("volumes", 32, vec![kept.clone()]);
    assert_violates(
        stopping(vec![list(), app_is(at_version(30, stopped_app(2)))]),
        OracleName::TruthfulConditions,
        "but 1 mirrors still existed: volume data",
    );
    let waiting = [("ContainerEngineReady", "False", "Stopped", 1)];
    assert_passes(stopping(vec![list(), app_is(at_version(30, app(2, false, &waiting)))]));
}

// The second mirror was created after the next start, so it did not exist when the App was settled.
#[test]
fn truthful_conditions_accepts_mirrors_that_are_created_after_the_next_start() {
    assert_passes(stopping(vec![
        deleted("volumes", at_version(29, volume("data", "u1"))),
        app_is(at_version(30, stopped_app(2))),
        app_is(at_version(40, ready_app(3))),
        added("volumes", at_version(41, volume("data", "u2"))),
    ]));
}

fn kept_for(microseconds: u64, status: (&str, &str)) -> Vec<Record> {
    let mut kept = volume("data", "u1");
    kept["metadata"]["finalizers"] = json!(["racetrap.dev/kept"]);
    let conditions = [("ContainerEngineReady", status.0, status.1, 2)];
    let mut history = history(stopping(vec![
        changed("volumes", Change::Modified, kept),
        app_is(at_version(30, app(2, false, &conditions))),
    ]));
    let checkpoints = history.iter_mut().rev().take(3);
    checkpoints.for_each(|record| record.at_us = microseconds);
    history
}

// The sweep waits 30 s for mirrors that somebody else keeps. Until then, `Connected` is true; the late
// history differs from the first control only in the time of its checkpoint.
#[test]
fn truthful_conditions_sees_an_engine_that_stays_connected_for_ever() {
    let connected = ("True", "Connected");
    let late = judge(&kept_for(60_000_000, connected));
    assert_eq!(late.oracles(), [OracleName::TruthfulConditions], "{late:#?}");
    assert!(late.violations[0].text.contains("the App is stopped and volume data is kept"));
    for fine in [kept_for(20_000_000, connected), kept_for(60_000_000, ("False", "Stopped"))] {
        assert_eq!(judge(&fine).violations, []);
    }
}

// The mirror is created after `Settled` and deleted before the checkpoint, so only its version shows it.
#[test]
fn truthful_conditions_sees_a_mirror_that_comes_back_after_a_stop() {
    let stop = || {
        vec![
            deleted("volumes", at_version(29, volume("data", "u1"))),
            app_is(at_version(30, stopped_app(2))),
        ]
    };
    let late = |version| {
        let late = container("c1", "u3", "created");
        vec![
            added("containers", at_version(version, late.clone())),
            deleted("containers", at_version(version + 1, late)),
        ]
    };
    assert_violates(
        stopping([stop(), late(31)].concat()),
        OracleName::TruthfulConditions,
        "but 1 mirrors were created later: container c1",
    );
    // In the first control the App wanted to run again by then, although the watch reports that later. In
    // the second it may have, because the watch of the App was lost.
    let told =
        vec![app_is(at_version(31, app(3, true, &[]))), app_is(at_version(40, stopped_app(4)))];
    assert_passes(stopping([stop(), late(32), told].concat()));
    let lost = What::WatchLost { resource: "apps".to_owned(), reason: "ended".to_owned() };
    assert_passes(stopping([stop(), vec![lost], late(32)].concat()));
}
