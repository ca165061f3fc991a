//! Which writes a rule matches, and on which of them it decides.

use racetrap_history::WriteMatch;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{holding, named, review, write, write_of};
use crate::daemon::admission::rule::{Decision, Gate, GateState, RuleAction, Rules};

fn with_operation(operation: &str) -> WriteMatch {
    WriteMatch { operation: Some(operation.to_owned()), ..WriteMatch::default() }
}

fn with_resource(resource: &str) -> WriteMatch {
    WriteMatch { resource: resource.to_owned(), ..WriteMatch::default() }
}

fn by(manager: &str) -> WriteMatch {
    WriteMatch { manager: Some(manager.to_owned()), ..WriteMatch::default() }
}

// Each part of a match is tried with the value of the write and with another one. A part that is
// ignored fails the second case, and a part that never matches fails the first.
#[rstest]
#[case::everything(WriteMatch::default(), true)]
#[case::its_operation(with_operation("update"), true)]
#[case::another_operation(with_operation("create"), false)]
#[case::its_subresource(with_resource("volumes/status"), true)]
#[case::the_resource_itself(with_resource("volumes"), false)]
#[case::its_manager(by("engine-controller"), true)]
#[case::another_manager(by("racetrap-user"), false)]
#[case::its_name(named("v"), true)]
#[case::another_name(named("w"), false)]
#[case::what_it_holds(holding("/status/driver", json!("local")), true)]
#[case::what_it_does_not_hold(holding("/status/driver", json!("nfs")), false)]
#[case::what_is_not_there(holding("/metadata/finalizers", Value::Null), true)]
#[case::what_is_there_after_all(holding("/status/driver", Value::Null), false)]
fn each_part_of_a_match_counts(#[case] on: WriteMatch, #[case] matches: bool) {
    assert_eq!(write("v").matches(&on), matches);
}

// The API server sends "" or null for a missing subresource, manager and new object.
#[test]
fn a_deletion_has_no_subresource_no_manager_and_no_object() {
    let mut deletion = review("v");
    deletion["request"]["operation"] = json!("DELETE");
    deletion["request"]["subResource"] = json!("");
    deletion["request"]["object"] = Value::Null;
    deletion["request"]["options"] = json!({ "kind": "DeleteOptions" });
    let write = write_of(&deletion);
    assert!(write.matches(&with_operation("delete")) && write.matches(&with_resource("volumes")));
    assert!(!write.matches(&by("engine-controller")));
    assert!(!write.matches(&holding("/metadata/finalizers", Value::Null)));
    assert_eq!(write.to_string(), "DELETE volumes v");
}

fn deny(rule: &str, remaining: Option<u32>) -> RuleAction {
    RuleAction::Deny { rule: rule.to_owned(), remaining, denied: 0 }
}

/// The decisions on `count` writes with the same name, in words.
fn decisions(rules: &mut Rules, name: &str, count: usize) -> Vec<String> {
    let decision = |rules: &mut Rules| match rules.decide(&write(name)) {
        Decision::Allow => "allow".to_owned(),
        Decision::Hold(gate) => format!("hold {}", gate.name),
        Decision::Stop(stop) => format!("stop {}", stop.name),
        Decision::Deny(rule) => format!("deny {rule}"),
    };
    (0..count).map(|_| decision(rules)).collect()
}

// Writes that do not match come first: if they were counted, an earlier write would be held.
#[test]
fn a_gate_holds_the_n_th_matching_write_and_no_other() {
    let mut rules = Rules::default();
    let state = watch::Sender::new(GateState::Armed);
    let gate = Gate { name: "g".to_owned(), state }.into();
    rules.arm(WriteMatch { nth: Some(2), ..named("v") }, RuleAction::Hold(gate));
    assert_eq!(decisions(&mut rules, "w", 2), ["allow", "allow"]);
    assert_eq!(decisions(&mut rules, "v", 3), ["allow", "hold g", "allow"]);
}

#[test]
fn a_rule_denies_from_the_n_th_write_on_as_often_as_it_may() {
    let mut rules = Rules::default();
    let id = rules.arm(WriteMatch { nth: Some(2), ..named("v") }, deny("d", Some(2)));
    assert_eq!(decisions(&mut rules, "v", 1), ["allow"]);
    assert_eq!(rules.denied(id), 0);
    assert_eq!(decisions(&mut rules, "v", 3), ["deny d", "deny d", "allow"]);
    assert_eq!(rules.denied(id), 2);
}

// Both rules match every write. The second one counts only the writes that the first one does not
// decide.
#[test]
fn the_first_matching_rule_decides_until_it_is_disarmed() {
    let mut rules = Rules::default();
    let first = rules.arm(WriteMatch::default(), deny("first", None));
    rules.arm(WriteMatch::default(), deny("second", Some(1)));
    assert_eq!(decisions(&mut rules, "v", 2), ["deny first", "deny first"]);
    rules.disarm(first);
    assert_eq!(decisions(&mut rules, "v", 2), ["deny second", "allow"]);
}
