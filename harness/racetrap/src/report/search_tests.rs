//! Compares what a search prints, on fixed values, with snapshots.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use racetrap_history::{Check, Verdict};
use racetrap_search::{Plan, Policy, Rule};
use serde_json::{Value, json};

use super::*;
use crate::known::KnownSignature;
use crate::search::{Explored, Failure, Replay, Shrunk, to_token};

fn plan() -> Plan {
    let step = |name: &str| json!({"create_volume": {"name": name}});
    let steps = [step("a"), step("b"), json!({"app": {"running": true}}), json!("settle")];
    let scenario = json!({"finding": "work-a.12345678", "steps": steps});
    let plan = json!({"workload": "work-a", "policy": "stale", "disturbance": "remove the volume",
        "place": "GET /volumes held at its response", "scenario": scenario});
    serde_json::from_value(plan).expect("a plan")
}

fn listed(check: Check) -> KnownSignature {
    let (why, since) = ("it is slow".to_owned(), "June".to_owned());
    KnownSignature { oracle: check.oracle(), check, why, since }
}

fn found(check: Check, known: bool) -> Found {
    let plan = plan();
    let mut scenario = plan.scenario.clone();
    scenario.steps.drain(..2);
    let shrunk =
        Shrunk { scenario, repeated: (3, 3), order: Vec::new(), runs: 9, is_shortest: true };
    let token = to_token("finding: work-a.12345678\nsteps:\n- settle\n").expect("a token");
    let failure = Failure {
        signature: check.into(),
        known: known.then(|| listed(check)),
        plan,
        number: 12,
        after: Duration::from_secs(34),
        order: Vec::new(),
        reasons: vec![format!("{}: expected one, and saw two", check.oracle())],
        count: 5,
        evidence: vec![PathBuf::from("/e/work-a.12345678-20261130T010000Z")],
    };
    Found {
        failure,
        shrunk: (!known).then_some(shrunk),
        again: "racetrap repro /e/found/work-a.12345678.yaml".to_owned(),
        again_by_token: format!("racetrap repro {token}"),
        replay: Replay { path: PathBuf::from("/e/found/work-a.12345678.yaml"), token },
        earlier: usize::from(!known) * 2,
    }
}

/// A search that has met a new failure and a known one, and has not met another known one.
fn with_report(show: impl Fn(&SearchReport<'_>, &[Found]) -> String) -> String {
    let found = [found(Check::CreatedAgain, false), found(Check::MirrorDeleted, true)];
    let explored = Explored {
        failures: found.iter().map(|found| found.failure.clone()).collect(),
        verdicts: BTreeMap::from([
            ((Policy::Stale, Verdict::Pass), 40),
            ((Policy::Stale, Verdict::Unknown), 1),
            ((Policy::Stale, Verdict::Fail), 10),
        ]),
        covered: BTreeMap::from([(("a".to_owned(), "cut".to_owned()), 50)]),
        unknown: BTreeMap::from([("no message reached the gate `held`".to_owned(), 1)]),
        took: Duration::from_secs(60),
    };
    let (removed, unseen) = (BTreeMap::from([(Rule::Unstable, 4)]), listed(Check::StepFailed));
    let report = SearchReport {
        lessons: &[],
        planned: Some(300),
        earlier: 100,
        removed: &removed,
        explored: &explored,
        unseen: vec![&unseen],
        kept: Some((PathBuf::from("/e/search.jsonl"), PathBuf::from("/e/search.html"))),
    };
    assert!(report.explored.has_failed());
    show(&report, &found)
}

/// Compares a text with a snapshot. The letters of a token depend on the version of the compression.
#[track_caller]
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let token = regex::Regex::new("rt1:[A-Za-z0-9_-]+").expect("an expression");
    let text = token.replace_all(text, "rt1:TOKEN");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn the_end_of_a_search_for_people() {
    let text = with_report(|report, found| search(report, found, Paint::new(false)));
    snapshot("search", &text);
}

#[test]
fn the_end_of_a_search_for_programs() {
    let daemon = DaemonFacts {
        program: "/rdd".to_owned(),
        version: "v2.0".to_owned(),
        knows_defects: false,
    };
    let text = with_report(|report, found| search_json(&daemon, report, found));
    let _: Value = serde_json::from_str(&text).expect("the output is JSON");
    snapshot("json-search", &text);
}
