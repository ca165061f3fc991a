//! Which writes a rule means, and which of them it decides.

use racetrap_history::WriteMatch;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{holding, named, review, write, write_of};
use crate::daemon::admission::rule::{Action, Decision, Gate, Rules, Stand};

fn of_operation(operation: &str) -> WriteMatch {
    WriteMatch { operation: Some(operation.to_owned()), ..WriteMatch::default() }
}

fn of_resource(resource: &str) -> WriteMatch {
    WriteMatch { resource: resource.to_owned(), ..WriteMatch::default() }
}

fn by(manager: &str) -> WriteMatch {
    WriteMatch { manager: Some(manager.to_owned()), ..WriteMatch::default() }
}

// Each part of a match is given once as it is in the write and once otherwise, so that a part that
// is not looked at fails its second case, and one that never fits its first.
#[rstest]
#[case::everything(WriteMatch::default(), true)]
#[case::its_operation(of_operation("update"), true)]
#[case::another_operation(of_operation("create"), false)]
#[case::its_subresource(of_resource("volumes/status"), true)]
#[case::the_resource_itself(of_resource("volumes"), false)]
#[case::its_manager(by("engine-controller"), true)]
#[case::another_manager(by("racetrap-user"), false)]
#[case::its_name(named("v"), true)]
#[case::another_name(named("w"), false)]
#[case::what_it_holds(holding("/status/driver", json!("local")), true)]
#[case::what_it_does_not_hold(holding("/status/driver", json!("nfs")), false)]
#[case::what_is_not_there(holding("/metadata/finalizers", Value::Null), true)]
#[case::what_is_there_after_all(holding("/status/driver", Value::Null), false)]
fn each_part_of_a_match_counts(#[case] on: WriteMatch, #[case] fits: bool) {
    assert_eq!(write("v").fits(&on), fits);
}

// The API says "" or null where there is no subresource, no manager and no new object.
#[test]
fn a_deletion_is_of_the_resource_itself_by_nobody_and_leaves_no_object() {
    let mut deletion = review("v");
    deletion["request"]["operation"] = json!("DELETE");
    deletion["request"]["subResource"] = json!("");
    deletion["request"]["object"] = Value::Null;
    deletion["request"]["options"] = json!({ "kind": "DeleteOptions" });
    let write = write_of(&deletion);
    assert!(write.fits(&of_operation("delete")) && write.fits(&of_resource("volumes")));
    assert!(!write.fits(&by("engine-controller")));
    assert!(!write.fits(&holding("/metadata/finalizers", Value::Null)));
    assert_eq!(write.to_string(), "DELETE volumes v");
}

fn deny(rule: &str, left: Option<u32>) -> Action {
    Action::Deny { rule: rule.to_owned(), left, denied: 0 }
}

/// The decisions on so many writes with the same name, in words.
fn decisions(rules: &mut Rules, name: &str, count: usize) -> Vec<String> {
    let decision = |rules: &mut Rules| match rules.decide(&write(name)) {
        Decision::Allow => "allow".to_owned(),
        Decision::Hold(gate) => format!("hold {}", gate.name),
        Decision::Deny(rule) => format!("deny {rule}"),
    };
    (0..count).map(|_| decision(rules)).collect()
}

// Writes that do not fit come in between: were they counted, an earlier write would be held.
#[test]
fn a_gate_holds_the_n_th_write_that_fits_and_no_other() {
    let mut rules = Rules::default();
    let stand = watch::Sender::new(Stand::Armed);
    let gate = Gate { name: "g".to_owned(), stand }.into();
    rules.arm(WriteMatch { nth: Some(2), ..named("v") }, Action::Hold(gate));
    assert_eq!(decisions(&mut rules, "w", 2), ["allow", "allow"]);
    assert_eq!(decisions(&mut rules, "v", 3), ["allow", "hold g", "allow"]);
}

#[test]
fn a_denial_begins_with_the_n_th_write_and_ends_with_its_number() {
    let mut rules = Rules::default();
    let id = rules.arm(WriteMatch { nth: Some(2), ..named("v") }, deny("d", Some(2)));
    assert_eq!(decisions(&mut rules, "v", 1), ["allow"]);
    assert_eq!(rules.denied(id), 0);
    assert_eq!(decisions(&mut rules, "v", 3), ["deny d", "deny d", "allow"]);
    assert_eq!(rules.denied(id), 2);
}

// Both fit all; the second one gets only what the first one leaves, and counts from there.
#[test]
fn the_first_rule_that_fits_decides_until_it_is_disarmed() {
    let mut rules = Rules::default();
    let first = rules.arm(WriteMatch::default(), deny("first", None));
    rules.arm(WriteMatch::default(), deny("second", Some(1)));
    assert_eq!(decisions(&mut rules, "v", 2), ["deny first", "deny first"]);
    rules.disarm(first);
    assert_eq!(decisions(&mut rules, "v", 2), ["deny second", "allow"]);
}
