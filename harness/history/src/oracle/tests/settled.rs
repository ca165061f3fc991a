//! `Settled` by the rules of contract 3.7, and the engine's condition by the App's state.

use rstest::rstest;

use super::build::*;
use crate::oracle::truthful_conditions;
use crate::record::What;

const RUNS: (&str, &str, &str, i64) = ("Running", "True", "Started", 2);
const STOPPED: (&str, &str, &str, i64) = ("Running", "False", "Stopped", 2);
const CONNECTED: (&str, &str, &str, i64) = ("ContainerEngineReady", "True", "Connected", 2);

/// A history in which an App at generation 2 gets these conditions in one write.
fn written(wants_running: bool, conditions: &[(&str, &str, &str, i64)]) -> Vec<What> {
    vec![
        app_is(at_version(1, app(2, wants_running, &[("Settled", "Unknown", "Odd", 1)]))),
        app_is(at_version(2, app(2, wants_running, conditions))),
    ]
}

/// `Settled` as it is expected.
fn settled(
    status: &'static str,
    reason: &'static str,
) -> (&'static str, &'static str, &'static str, i64) {
    ("Settled", status, reason, 2)
}

// Each row gives the conditions beside `Settled`, and the only `Settled` that they allow.
#[rstest]
#[case::rule_2(true, vec![], ("False", "WaitingForLimaVM"))]
#[case::rule_3(true, vec![STOPPED], ("False", "Stopped"))]
#[case::rule_4(false, vec![RUNS], ("False", "Started"))]
#[case::rule_6(false, vec![STOPPED, CONNECTED], ("False", "EngineStale"))]
#[case::rule_6_old(
    false, vec![STOPPED, ("ContainerEngineReady", "False", "Stopped", 1)], ("False", "EngineStale")
)]
#[case::rule_7(false, vec![STOPPED, ("ContainerEngineReady", "False", "Stopped", 2)], ("True", "Settled"))]
#[case::rule_8(true, vec![RUNS], ("False", "WaitingForEngine"))]
#[case::rule_8_old(
    true, vec![RUNS, ("ContainerEngineReady", "True", "Connected", 1)], ("False", "EngineStale")
)]
#[case::rule_8_failed(
    true, vec![RUNS, ("ContainerEngineReady", "False", "ConnectFailed", 2)], ("False", "ConnectFailed")
)]
#[case::rule_10(true, vec![RUNS, CONNECTED], ("True", "Settled"))]
fn settled_follows_from_the_other_conditions(
    #[case] wants_running: bool,
    #[case] beside: Vec<(&'static str, &'static str, &'static str, i64)>,
    #[case] (status, reason): (&'static str, &'static str),
) {
    let judged = |settled| {
        let conditions = [beside.clone(), vec![settled]].concat();
        let found = complaints(truthful_conditions, written(wants_running, &conditions));
        found.into_iter().filter(|text| text.contains("by rule")).collect::<Vec<_>>()
    };
    assert_eq!(judged(settled(status, reason)), [""; 0]);
    let other = if status == "True" { ("False", "EngineStale") } else { ("True", "Settled") };
    assert_eq!(judged(settled(other.0, other.1)).len(), 1, "{beside:?}");
    assert_eq!(judged(settled(status, "Reconciling")).len(), 1, "{beside:?}");
}

// One write sets all three conditions, so none of them can be of another generation.
#[test]
fn conditions_of_one_write_have_one_generation() {
    let judged = |generation| {
        let running = ("Running", "True", "Started", generation);
        let conditions = [running, CONNECTED, settled("True", "Settled")];
        let found = complaints(truthful_conditions, written(true, &conditions));
        found.into_iter().filter(|text| text.contains("but Running")).collect::<Vec<_>>()
    };
    assert_eq!(judged(2), [""; 0]);
    let found = judged(1);
    assert!(found[0].contains("but Running=True (Started) at generation 1 of 2"), "{found:?}");
}

/// A checkpoint of an App with these conditions of VM and engine, which has settled.
fn at_checkpoint(
    vm: (&'static str, &'static str),
    engine: (&'static str, &'static str),
) -> Vec<What> {
    let conditions = [
        ("Running", vm.0, vm.1, 2),
        ("ContainerEngineReady", engine.0, engine.1, 2),
        settled("True", "Settled"),
    ];
    let app = app_is(at_version(1, app(2, vm.0 == "True", &conditions)));
    [vec![app], Vec::from(checkpoint(1))].concat()
}

#[rstest]
#[case::runs(("True", "Started"), ("True", "Connected"), true)]
#[case::not_mirrored(("True", "Started"), ("True", "NotApplicable"), false)]
#[case::stopped(("False", "Stopped"), ("False", "Stopped"), true)]
#[case::stopped_otherwise(("False", "Stopped"), ("True", "NotApplicable"), false)]
fn the_engines_condition_fits_the_vm(
    #[case] vm: (&'static str, &'static str),
    #[case] engine: (&'static str, &'static str),
    #[case] fits: bool,
) {
    let found = complaints(truthful_conditions, at_checkpoint(vm, engine));
    let found = found.iter().any(|text| text.starts_with("checkpoint 1: ContainerEngineReady"));
    assert_eq!(found, !fits);
}
