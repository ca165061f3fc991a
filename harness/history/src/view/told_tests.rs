use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::record::{Record, WireMessage};
use crate::scenario::Phase;

fn record(what: What) -> Record {
    Record { seq: 0, at_us: 0, neighbour: false, what }
}

/// What the daemon was told after a rule was armed and after it has happened so often.
fn after(fault: Value, happened: u32) -> Told {
    let step: Step = serde_json::from_value(json!({ "fault": fault })).expect("a step");
    let mut told = Told::default();
    told.apply(&record(What::StepBegan { index: 0 }), Some(&step));
    for _ in 0..happened {
        let event = WireWhat::Faulted { rule: "rewrite, rule 1".to_owned(), fault: String::new() };
        told.apply(&record(What::Wire(WireMessage { connection: 0, exchange: 0, event })), None);
    }
    told
}

fn rewrite(route: &str, pointer: &str, value: Value) -> Value {
    json!({ "kind": { "rewrite": { "set": { pointer: value } } }, "on": { "route": route } })
}

const ONE: &str = "/volumes/{name}";

// Each row is a rewrite, a field of the volume `v`, and the value in its mirror. The mirror may have
// exactly what the daemon was told.
#[rstest]
#[case::year_one(rewrite(ONE, "/CreatedAt", json!("0001-01-01T00:00:00Z")), "createdAt", "", true)]
#[case::other_time(rewrite(ONE, "/CreatedAt", json!("0001-01-01T00:00:00Z")), "createdAt", "2026", false)]
#[case::list(rewrite("/volumes", "/Volumes/0/Driver", json!("d")), "driver", "d", true)]
#[case::entry(rewrite("/volumes", "/Volumes/0", json!({"Driver": "d"})), "driver", "d", true)]
#[case::other_field(rewrite(ONE, "/Driver", json!("d")), "mountpoint", "d", false)]
#[case::a_part(rewrite(ONE, "/Labels/a", json!("b")), "labels", "anything", true)]
#[case::removed(
    json!({"kind": {"rewrite": {"remove": ["/Scope"]}}, "on": {"route": ONE}}), "scope", "", true
)]
#[case::of_another_kind(rewrite("/images/{id}/json", "/Driver", json!("d")), "driver", "d", false)]
#[case::of_another_volume(
    json!({"kind": {"rewrite": {"set": {"/Driver": "d"}}}, "on": {"route": ONE, "params": {"name": "w"}}}),
    "driver", "d", false
)]
#[case::a_frame(
    json!({"kind": {"rewrite": {"set": {"/Driver": "d"}}}, "on": {"route": ONE, "frame": {"/a": 1}}}),
    "driver", "d", false
)]
fn a_mirror_may_have_what_the_daemon_was_told(
    #[case] fault: Value,
    #[case] field: &str,
    #[case] seen: &str,
    #[case] is_told: bool,
) {
    let key = MirrorKey::Volume("v".to_owned());
    assert_eq!(after(fault, 3).has(&key, field, seen, &Names::default()), is_told);
}

// A field below what was rewritten, such as all of the state of a container.
#[test]
fn a_field_of_a_rewritten_object_is_told() {
    let fault = rewrite("/containers/{id}/json", "/State", json!({ "ExitCode": 7 }));
    let key = MirrorKey::Container("c".to_owned());
    let has = |field, seen| after(fault.clone(), 0).has(&key, field, seen, &Names::default());
    assert!(has("exitCode", "7") && has("error", "") && has("pid", "0"));
    assert!(!has("exitCode", "0") && !has("path", ""));
}

// When a rule has happened as often as it shall, the engine's own value is the right one again.
#[test]
fn a_rule_that_has_ended_tells_nothing() {
    let mut fault = rewrite(ONE, "/Driver", json!("d"));
    fault["times"] = json!(2);
    let key = MirrorKey::Volume("v".to_owned());
    let has = |happened| after(fault.clone(), happened).has(&key, "driver", "d", &Names::default());
    assert!(has(0) && has(1) && !has(2));
    fault["name"] = json!("n");
    let mut told = after(fault, 0);
    let lift: Step = serde_json::from_value(json!({ "lift": "n" })).expect("a step");
    told.apply(&record(What::StepBegan { index: 1 }), Some(&lift));
    assert!(!told.has(&key, "driver", "d", &Names::default()));
}

// Each row is what the daemon is answered when it inspects volume `v`, again and again.
#[rstest]
#[case::gone(&[Some("answer 404, rule 1")], true)]
#[case::shown_again(&[Some("answer 404, rule 1"), None], false)]
#[case::error(&[Some("answer 500, rule 2")], false)]
fn a_mirror_may_lack_what_the_daemon_was_told_to_be_gone(
    #[case] answers: &[Option<&str>],
    #[case] is_missing: bool,
) {
    let mut told = Told::default();
    for status in [404, 500] {
        let step = json!({"answer": {"status": status, "on": {"route": ONE}}});
        let step: Step = serde_json::from_value(step).expect("a step");
        told.apply(&record(What::StepBegan { index: 0 }), Some(&step));
    }
    for (exchange, rule) in (1..).zip(answers) {
        let mut see = |event| {
            told.apply(&record(What::Wire(WireMessage { connection: 0, exchange, event })), None);
        };
        see(WireWhat::Request {
            method: "GET".to_owned(),
            target: "/v1.41/volumes/v".to_owned(),
            route: Some(ONE.to_owned()),
            phase: Phase::Steady,
        });
        match rule {
            Some(rule) => see(WireWhat::Faulted { rule: (*rule).to_owned(), fault: String::new() }),
            None => see(WireWhat::Response { status: 200 }),
        }
    }
    assert_eq!(told.is_missing(&MirrorKey::Volume("v".to_owned())), is_missing);
    assert!(!told.is_missing(&MirrorKey::Volume("w".to_owned())));
}
