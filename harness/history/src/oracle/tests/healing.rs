//! What a restart of the daemon changes in a quiet world, and what was compared with clean runs.

use rstest::rstest;
use serde_json::{Value, json};

use super::build::*;
use crate::record::{Change, What};
use crate::scenario::{OracleName, VmRole};

/// The App, connected, with this message of the condition.
fn connected(message: &str) -> What {
    let mut app = ready_app(1);
    app["status"]["conditions"][1]["message"] = json!(message);
    app_is(app)
}

/// A run with these steps, of which one after the other begins after the first checkpoint. `between` comes
/// then, and a second checkpoint follows.
fn run(steps: &Value, between: Vec<What>) -> Vec<What> {
    let count = steps.as_array().map_or(0, Vec::len);
    let mut whats = vec![run_with_steps(steps)];
    let mut healthy = healthy_run(vec![connected("as always")]);
    healthy.pop();
    whats.extend(healthy);
    whats.extend((0..count).map(step_began));
    whats.extend(between);
    whats.extend(checkpoint(2));
    whats.push(What::Ended);
    whats
}

fn restart() -> Value {
    json!([{"daemon": "stop"}, {"daemon": "start"}, "settle"])
}

#[test]
fn a_message_that_only_a_restart_changes_was_wrong_before() {
    assert_violates(
        run(&restart(), vec![connected("another")]),
        OracleName::Healing,
        "the App: condition ContainerEngineReady was `True (Connected): as always` before the daemon \
         was restarted and is `True (Connected): another` after it",
    );
}

#[test]
fn a_label_that_only_a_restart_brings_was_missing_before() {
    let mut labelled = volume("data", "u1");
    labelled["metadata"]["labels"] = json!({"a": "b"});
    assert_violates(
        run(&restart(), vec![changed("volumes", Change::Modified, labelled)]),
        OracleName::Healing,
        "volume data: metadata.labels was nothing before the daemon was restarted",
    );
}

// The VM ends with the daemon, and all mirrors with the VM: what users wrote into one is not in the next one.
#[test]
fn what_goes_with_the_vm_is_not_compared() {
    let mut labelled = volume("data", "u2");
    labelled["metadata"]["labels"] = json!({"a": "b"});
    let labelled = changed("volumes", Change::Modified, labelled);
    assert_passes(run(&restart(), vec![vm_ends("rd", VmRole::Driver), labelled]));
}

// The API keeps an empty map whose last entry was removed, and a new object has none.
#[test]
fn an_emptied_map_is_like_none() {
    let mut emptied = volume("data", "u1");
    emptied["metadata"]["annotations"] = json!({});
    assert_passes(run(&restart(), vec![changed("volumes", Change::Modified, emptied)]));
}

// Without a stop, or with something that was done beside it, the same change has another cause. A time and
// a version may change in any case.
#[rstest]
#[case::no_restart(json!(["settle"]), "another")]
#[case::something_else(json!([{"daemon": "stop"}, {"cut": "all"}, {"daemon": "start"}, "settle"]), "another")]
#[case::nothing_changes(restart(), "as always")]
fn other_changes_are_no_healing(#[case] steps: Value, #[case] message: &str) {
    let mut later = at_version(99, volume("data", "u1"));
    later["metadata"]["managedFields"] = json!([{"time": WHEN}]);
    let later = changed("volumes", Change::Modified, later);
    assert_passes(run(&steps, vec![connected(message), later]));
}

/// A run of one step that settles, compared with runs in which `data` has this value of its labels.
fn compared(labels: &Value, writes: u32, extra: Vec<What>) -> Vec<What> {
    let steps: Vec<crate::Step> = serde_json::from_value(json!(["settle"])).expect("steps");
    let after = crate::FirstSteps::new(&steps);
    let clean = json!({
        "after": after,
        "objects": { "volume data": { "metadata.labels": labels.to_string() } },
        "counts": { "volume data": { "writes": writes, "objects": 1 } },
    });
    let What::Run(mut header) = run_with_steps(&json!(["settle"])) else {
        unreachable!("a header")
    };
    header.scenario.clean = Some(serde_json::from_value(clean).expect("it is in the language"));
    let mut labelled = at_version(1, volume("data", "u1"));
    labelled["metadata"]["labels"] = json!({"a": "b"});
    let mut whats = vec![What::Run(header), changed("volumes", Change::Modified, labelled)];
    whats.extend(extra);
    [whats, healthy_end()].concat()
}

/// The end of a healthy run, whose volume is not new.
fn healthy_end() -> Vec<What> {
    let mut whats = healthy_run(vec![]);
    whats.remove(2);
    whats
}

#[test]
fn a_field_that_is_another_one_than_in_each_clean_run_is_a_trace() {
    assert_passes(compared(&json!({"a": "b"}), 1, vec![]));
    assert_violates(
        compared(&json!({"a": "c"}), 1, vec![]),
        OracleName::CleanRuns,
        "volume data: metadata.labels is `{\"a\":\"c\"}` in each run without the disturbance, and \
         `{\"a\":\"b\"}` in this one",
    );
}

// The mirror is written twice more. The watch has shown each write.
#[test]
fn more_writes_than_the_disturbance_explains_are_a_trace() {
    let again = |version| {
        let mut written = at_version(version, volume("data", "u1"));
        written["metadata"]["labels"] = json!({"a": "b"});
        changed("volumes", Change::Modified, written)
    };
    let labels = json!({"a": "b"});
    let twice = || vec![again(2), again(3)];
    assert_passes(compared(&labels, 3, twice()));
    assert_violates(
        compared(&labels, 2, twice()),
        OracleName::CleanRuns,
        "volume data: its mirror was written 3 times",
    );
    // Each end of the VM takes all mirrors with it.
    assert_passes(compared(&labels, 2, [twice(), vec![vm_ends("rd", VmRole::Driver)]].concat()));
    // After its watch has broken off, nobody knows how many writes there were.
    let lost = What::WatchLost { resource: "volumes".to_owned(), reason: "it ended".to_owned() };
    assert_passes(compared(&labels, 2, [twice(), vec![lost]].concat()));
}

// A schedule that was shortened is another one: nothing is known of runs without its disturbance.
#[test]
fn other_first_steps_are_not_compared() {
    let mut whats = compared(&json!({"a": "c"}), 0, vec![]);
    if let What::Run(header) = &mut whats[0] {
        header
            .scenario
            .steps
            .insert(0, serde_json::from_value(json!({"cut": "all"})).expect("a step"));
    }
    assert_passes(whats);
}
