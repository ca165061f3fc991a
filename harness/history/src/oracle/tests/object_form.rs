//! Objects whose form keeps what the contract promises, and some that do not.

use rstest::rstest;
use serde_json::{Value, json};

use super::build::*;
use crate::oracle::object_form;
use crate::record::{Change, Review, ReviewOutcome, UserWrite, What};
use crate::scenario::GateName;

/// The App at a version, with one condition that has these fields.
fn app_with(version: u64, generation: i64, fields: &[(&str, Value)]) -> What {
    let mut object =
        at_version(version, app(generation, true, &[("Settled", "True", "Settled", 1)]));
    object["metadata"]["uid"] = json!("a1");
    for (field, value) in fields {
        object["status"]["conditions"][0][field] = value.clone();
    }
    app_is(object)
}

// The same App, with one field of its condition changed or missing.
#[rstest]
#[case::generation("observedGeneration", Value::Null, "has no observedGeneration")]
#[case::newer("observedGeneration", json!(2), "has observedGeneration 2 at generation 1")]
#[case::time("lastTransitionTime", json!("today"), "has no lastTransitionTime but `today`")]
#[case::status("status", json!("Yes"), "has the status `Yes`")]
#[case::reason("reason", json!(""), "has no reason")]
fn a_condition_of_the_app_has_all_its_fields(
    #[case] field: &str,
    #[case] value: Value,
    #[case] text: &str,
) {
    let found =
        complaints(object_form, vec![app_with(1, 1, &[]), app_with(2, 1, &[(field, value)])]);
    assert_eq!(found[0], format!("apps app: condition Settled {text}"));
}

#[test]
fn a_condition_is_never_written_for_an_older_generation() {
    let at = |version, observed| app_with(version, 3, &[("observedGeneration", json!(observed))]);
    assert_eq!(complaints(object_form, vec![at(1, 2), at(2, 3)]), [""; 0]);
    let found = complaints(object_form, vec![at(1, 3), at(2, 2)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("older generation than before"), "{found:?}");
}

/// The App at a version, with this status and time of its condition.
fn at_time(version: u64, status: &str, second: u32) -> What {
    let time = format!("2026-01-02T03:04:{second:02}Z");
    app_with(version, 1, &[("status", json!(status)), ("lastTransitionTime", json!(time))])
}

/// A volume that was created in that second.
fn dated_volume(version: u64, second: u32) -> What {
    let mut object = at_version(version, json!({"metadata": {"name": "v", "uid": "v1"}}));
    object["metadata"]["creationTimestamp"] = json!(format!("2026-01-02T03:04:{second:02}Z"));
    changed("volumes", Change::Added, object)
}

/// A gate held a write of the App's status, which has the time of before.
fn held_status() -> What {
    What::Review(Review {
        operation: "UPDATE".to_owned(),
        resource: "apps/status".to_owned(),
        name: "app".to_owned(),
        manager: None,
        outcome: ReviewOutcome::HeldAt(GateName("g".to_owned())),
    })
}

// The status changes at version 5. What is dated up to version 3 was there when it was written; what is
// dated at version 4 may have been written while the writer had read the App already.
#[rstest]
#[case::moves_with_the_status(vec![at_time(3, "False", 1), at_time(5, "True", 9)], None)]
#[case::in_one_second(vec![at_time(3, "False", 1), at_time(5, "True", 1)], None)]
#[case::stays(
    vec![dated_volume(2, 7), at_time(3, "False", 1), at_time(5, "True", 1)],
    Some("changed from False to True with lastTransitionTime 2026-01-02T03:04:01Z")
)]
#[case::held(
    vec![held_status(), dated_volume(2, 7), at_time(3, "False", 1), at_time(5, "True", 1)],
    None
)]
#[case::dated_later(vec![at_time(3, "False", 1), dated_volume(4, 7), at_time(5, "True", 1)], None)]
#[case::moves_alone(
    vec![at_time(3, "True", 1), at_time(5, "True", 9)],
    Some("is True as before, but its lastTransitionTime changed")
)]
#[case::same(vec![at_time(3, "True", 1), at_time(5, "True", 1)], None)]
fn the_time_of_a_condition_changes_with_its_status(
    #[case] whats: Vec<What>,
    #[case] expected: Option<&str>,
) {
    let found = complaints(object_form, whats).join("; ");
    match expected {
        Some(text) => assert!(found.contains(text), "{found}"),
        None => assert_eq!(found, ""),
    }
}

// The App copies `Running` with the time of its transition, after other things were dated. It may also
// miss a state in between, unless the harness plays the VM.
#[test]
fn the_app_may_copy_a_transition_late() {
    let copied = |version, status: &str, second: u32| {
        let time = format!("2026-01-02T03:04:{second:02}Z");
        let kind = ("type", json!("Running"));
        app_with(
            version,
            1,
            &[kind, ("status", json!(status)), ("lastTransitionTime", json!(time))],
        )
    };
    // Only a daemon that reports `Settled` is judged.
    let settled = || app_with(1, 1, &[]);
    let late = vec![settled(), dated_volume(2, 7), copied(3, "False", 1), copied(5, "True", 1)];
    assert_eq!(complaints(object_form, late), [""; 0]);
    let skipped = || vec![settled(), copied(3, "True", 1), copied(5, "True", 9)];
    assert_eq!(complaints(object_form, skipped()), [""; 0]);
    let played = [vec![run_header("1-A", &json!([]))], skipped()].concat();
    assert_eq!(complaints(object_form, played).len(), 1);
}

/// A history with a checkpoint at which a container is in this state and has these conditions.
fn container_with(state: &str, conditions: &[(&str, &str, &str)]) -> Vec<What> {
    let mut object = container("c1", "u2", state);
    let conditions = conditions.iter().map(|(kind, status, reason)| {
        json!({"type": kind, "status": status, "reason": reason, "message": "m",
               "lastTransitionTime": WHEN})
    });
    object["status"]["conditions"] = conditions.collect();
    let mirror = listed("containers", 5, vec![object]);
    [vec![app_is(ready_app(1)), mirror], Vec::from(checkpoint(1))].concat()
}

#[test]
fn exactly_the_condition_of_a_containers_state_is_true() {
    let paused = |running| {
        let others = [("Restarting", "False", "NotRestarting"), ("Dead", "False", "NotDead")];
        let known = [("Paused", "True", "Paused"), ("OOMKilled", "Unknown", "OOMKilled")];
        container_with("paused", &[&[running][..], &others, &known].concat())
    };
    assert_eq!(complaints(object_form, paused(("Running", "False", "NotRunning"))), [""; 0]);
    let found = complaints(object_form, paused(("Running", "True", "Running")));
    assert_eq!(found, ["checkpoint 1: container c1: is paused, but Running=True (Running)"]);
    // The same conditions, which the other controller writes after the checkpoint.
    let late = |status| {
        let right = ("Running", status, if status == "True" { "Running" } else { "NotRunning" });
        let What::Listed { objects, .. } = &paused(right)[1] else { panic!("it is a list") };
        let wrong = paused(("Running", "True", "Running"));
        let later = at_version(6, objects[0].clone());
        complaints(object_form, [wrong, vec![modified("containers", later)]].concat())
    };
    assert_eq!(late("False"), [""; 0]);
    assert_eq!(late("True").len(), 1);
    let found = complaints(object_form, container_with("running", &[]));
    assert_eq!(found, ["checkpoint 1: container c1: is running, and has no condition Running"]);
}

/// A new mirror of a volume, with this change at this pointer.
fn new_volume(pointer: &str, value: Value) -> Vec<What> {
    let mut object = volume("data", "u1");
    object["status"] = json!({});
    if let Some((parent, key)) = pointer.rsplit_once('/') {
        object.pointer_mut(parent).expect("it is there")[key] = value;
    }
    vec![app_is(ready_app(1)), changed("volumes", Change::Added, object)]
}

#[rstest]
#[case::as_promised("", Value::Null, None)]
#[case::labelled("/metadata/labels", json!({"a": "b"}), Some("it has labels"))]
#[case::owned("/metadata/ownerReferences", json!([{}]), Some("it has ownerReferences"))]
#[case::specified("/spec", json!({"size": 1}), Some("it has the spec"))]
#[case::asks_for_nothing("/spec", json!({"state": "unknown"}), None)]
#[case::written_at_once("/status", json!({"name": "data"}), Some("it has a status before"))]
fn a_new_mirror_has_its_finalizer_and_nothing_else(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] expected: Option<&str>,
) {
    let found = complaints(object_form, new_volume(pointer, value)).join("; ");
    match expected {
        Some(text) => assert!(found.contains(text), "{found}"),
        None => assert_eq!(found, ""),
    }
}

/// A history with a checkpoint at which the volume `data` has a mirror of this name.
fn named_volume(name: &str, finalizers: Value) -> Vec<What> {
    let mut object = volume("data", "u1");
    object["metadata"]["name"] = json!(name);
    object["metadata"]["finalizers"] = finalizers;
    let mirror = listed("volumes", 5, vec![object]);
    [vec![app_is(ready_app(1)), mirror], Vec::from(checkpoint(1))].concat()
}

#[test]
fn a_mirror_has_the_promised_name_and_finalizer() {
    let promised = "vol-3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7";
    let finalizers = json!([crate::mirror::MIRROR_FINALIZER]);
    let right = named_volume(promised, finalizers.clone());
    assert_eq!(complaints(object_form, right), [""; 0]);
    let found = complaints(object_form, named_volume("vol-data", finalizers)).join("; ");
    assert!(found.contains("is named vol-data, not vol-3a6eb"), "{found}");
    let found = complaints(object_form, named_volume(promised, json!([]))).join("; ");
    assert!(found.contains("the mirror of volume data has no finalizer"), "{found}");
    let fields = [("/metadata/finalizers".to_owned(), Value::Null)].into();
    let write = UserWrite {
        resource: "volumes".to_owned(),
        namespace: "default".to_owned(),
        name: promised.to_owned(),
        uid: "u1".to_owned(),
        fields,
        deleted: false,
    };
    let by_user = [vec![What::UserWrite(write)], named_volume(promised, json!([]))].concat();
    assert_eq!(complaints(object_form, by_user), [""; 0]);
}

/// The App at a version, with these metadata and this specification.
fn app_at(version: u64, metadata: &Value, running: bool) -> What {
    let mut object = at_version(version, app(1, running, &[]));
    object["metadata"]["uid"] = json!("a1");
    for (key, value) in metadata.as_object().expect("an object") {
        object["metadata"][key] = value.clone();
    }
    app_is(object)
}

#[rstest]
#[case::respecified(json!({"generation": 2}), json!({"generation": 3}), false, None)]
#[case::only_touched(json!({"generation": 2}), json!({"generation": 2}), true, None)]
#[case::unnoticed(json!({}), json!({}), false, Some("its spec changed, and its generation went"))]
#[case::falls(json!({"generation": 2}), json!({}), true, Some("its generation went from 2 to 1"))]
#[case::begins_to_end(json!({}), json!({"deletionTimestamp": WHEN}), true, None)]
#[case::taken_back(
    json!({"deletionTimestamp": WHEN}), json!({}), true, Some("its deletionTimestamp changed")
)]
#[case::born_again(
    json!({"creationTimestamp": "a"}), json!({"creationTimestamp": "b"}), true,
    Some("its creationTimestamp changed")
)]
fn what_identifies_an_object_stays(
    #[case] before: Value,
    #[case] after: Value,
    #[case] running: bool,
    #[case] expected: Option<&str>,
) {
    let found = object_form(&history(vec![app_at(1, &before, true), app_at(2, &after, running)]));
    let found: Vec<_> = found.violations.iter().map(|found| found.text.as_str()).collect();
    match expected {
        Some(text) => assert!(found.join("; ").contains(text), "{found:?}"),
        None => assert_eq!(found, [""; 0]),
    }
}

// The second change has the lower version, so the watch went back.
#[test]
fn a_watch_reports_rising_versions() {
    let one = |version, uid: &str| {
        changed("volumes", Change::Modified, at_version(version, volume(uid, uid)))
    };
    assert_eq!(object_form(&history(vec![one(3, "u1"), one(4, "u2")])).violations, []);
    let found = object_form(&history(vec![one(4, "u1"), one(3, "u2")])).violations;
    assert_eq!(found[0].text, "volumes vol-u2: the watch reported version 3 after version 4");
}
