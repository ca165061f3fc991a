//! What is planned with the sites of one small workload.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use racetrap_search::{
    Earlier, Learned, Order, Plans, Policy, Rule, call_and_point, plan_workloads,
};
use serde_json::{Value, json};

/// A request of the daemon about `of`.
fn exchange(cause: usize, method: &str, route: &str, of: Option<&str>) -> Value {
    let params = of.filter(|of| *of == "web").map(|of| json!({"id": format!("${of}")}));
    let call = json!({"wire": "engine", "method": method, "route": route,
        "params": params.unwrap_or_else(|| json!({}))});
    json!({"cause": cause, "call": {"exchange": call}, "nth": 1, "about": of})
}

fn learned() -> Learned {
    let write = json!({"operation": "update", "resource": "volumes/status", "manager": "m"});
    let event = json!({"type": "container", "action": "start"});
    let fourth =
        json!({"exchange": {"wire": "engine", "method": "GET", "route": "/info", "params": {}}});
    serde_json::from_value(json!({
        "workload": {"finding": "work-small", "steps": [
            {"load_image": {"image": "base", "tags": ["base:1"]}},
            {"create_container": {"name": "web", "image": "base"}},
            {"app": {"running": true}}, "settle",
            {"container": {"name": "web", "op": "start"}}, {"create_volume": {"name": "data"}}, "settle"]},
        "runs": 2,
        "sites": [
            exchange(2, "GET", "/containers/json", None),
            exchange(2, "GET", "/events", None),
            exchange(4, "GET", "/containers/{id}/json", Some("web")),
            {"cause": 4, "call": {"event": event}, "nth": 1, "about": "web"},
            {"cause": 5, "call": {"write": write}, "nth": 1, "about": "data"},
            {"cause": 2, "call": fourth, "nth": 4},
            {"cause": 2, "call": {"event": event}, "nth": 1, "about": "web", "repeated": true},
            exchange(5, "GET", "/containers/{id}/json", Some("web")),
        ],
        "unstable": [{"site": exchange(2, "GET", "/volumes", None), "runs": 1}],
    }))
    .unwrap()
}

#[test]
fn every_plan_can_be_carried_out_and_is_there_once() {
    let Plans { plans, removed } = plan_workloads(&[learned(), learned()], true);
    let ids: BTreeSet<_> = plans.iter().map(|plan| plan.scenario.finding.as_str()).collect();
    assert_eq!(ids.len(), plans.len());
    for plan in &plans {
        plan.scenario.check().unwrap_or_else(|error| panic!("{}: {error}", plan.title()));
    }
    let policies: BTreeSet<_> = plans.iter().map(|plan| plan.policy).collect();
    use Policy::{HalfWritten, Poisoned, Stale, Undisturbed, Unobserved};
    assert_eq!(policies, [Undisturbed, Stale, HalfWritten, Unobserved, Poisoned].into());
    // The second time, everything is the same.
    assert!(removed[&Rule::Same] >= plans.len());
    assert!(removed[&Rule::Unstable] > 0 && removed[&Rule::Repeated] > 0, "{removed:?}");
}

// An event of the start before the App's start is repeated by chance, and the inspection after the volume was
// created is the end of what the container's start has caused: nothing has waited for that.
#[test]
fn nothing_is_planned_at_calls_that_come_by_chance() {
    let Plans { plans, removed } = plan_workloads(&[learned()], false);
    assert!(removed[&Rule::OldEvent] > 0 && removed[&Rule::Late] > 0, "{removed:?}");
    let steps = |plan: &racetrap_search::Plan| serde_json::to_string(&plan.scenario.steps).unwrap();
    let volume = r#"{"create_volume":{"name":"data"}}"#;
    let inspection = |plan: &&racetrap_search::Plan| {
        plan.place == "GET /containers/{id}/json held at its response"
    };
    let held: Vec<_> = plans.iter().filter(inspection).map(steps).collect();
    assert!(!held.is_empty() && held.iter().all(|steps| !steps.contains(volume)), "{held:?}");
}

// The fault is done to whole answers: on a stream it would wait in vain.
#[test]
fn a_stream_of_events_is_not_cut_short() {
    let Plans { plans, .. } = plan_workloads(&[learned()], false);
    let cut = plans.iter().filter(|plan| plan.disturbance == "its answer is cut short");
    let places: BTreeSet<_> = cut.map(|plan| plan.place.as_str()).collect();
    assert_eq!(places, ["GET /containers/json", "GET /containers/{id}/json"].into());
}

// The race that the catalogue has as 295-I3: a container is removed after the list that has it.
#[test]
fn a_list_is_held_while_what_it_lists_is_removed() {
    let Plans { plans, .. } = plan_workloads(&[learned()], false);
    let wanted = plans.iter().find(|plan| {
        plan.place == "GET /containers/json held at its response"
            && plan.disturbance == "remove the container"
    });
    let steps = serde_json::to_value(&wanted.unwrap().scenario.steps).unwrap();
    let words: Vec<_> = steps
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            step.as_str().unwrap_or_else(|| step.as_object().unwrap().keys().next().unwrap())
        })
        .collect();
    let expected = [
        "load_image",
        "create_container",
        "hold",
        "app",
        "reached",
        "remove_container",
        "release",
        "settle",
        "app",
        "settle",
    ];
    assert_eq!(words, expected);
    // A command that waited for what is held would never return.
    assert_eq!(steps[3]["app"]["wait"], false);
}

#[test]
fn the_first_plans_differ_as_much_as_they_can() {
    let Plans { plans, .. } = plan_workloads(&[learned()], true);
    let count = |plans: &[racetrap_search::Plan]| {
        let pairs = plans.iter().map(|plan| (plan.place.clone(), plan.disturbance.clone()));
        let (places, done): (BTreeSet<_>, BTreeSet<_>) = pairs.unzip();
        (places.len(), done.len())
    };
    let all = count(&plans);
    let planned: Vec<_> = plans[..20].to_vec();
    let ordered: Vec<_> = Order::new(plans).take(20).collect();
    let (first, plain) = (count(&ordered), count(&planned));
    assert!(first.0 > plain.0 && first.1 > plain.1, "{first:?} against {plain:?} of {all:?}");
}

#[test]
fn parts_share_the_plans_among_them() {
    let Plans { plans, .. } = plan_workloads(&[learned()], true);
    let mut parts: BTreeMap<usize, usize> = BTreeMap::new();
    for plan in &plans {
        *parts.entry(plan.part(4)).or_default() += 1;
    }
    assert_eq!(parts.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(parts.values().all(|count| *count > plans.len() / 8), "{parts:?}");
}

// What was run is not handed out again, but what it covers counts: no plan repeats it at first. What failed
// is first, and then what covered something new.
#[test]
fn the_order_begins_with_what_was_worth_most_and_leaves_out_what_was_done() {
    let Plans { plans, .. } = plan_workloads(&[learned()], true);
    let (failed, covered) = (plans[30].clone(), plans[20].clone());
    let done: Vec<_> = Order::new(plans.clone()).take(15).collect();
    let earlier = |plan: &racetrap_search::Plan| match plan {
        plan if *plan == failed => Earlier::Failed,
        plan if *plan == covered => Earlier::Covered,
        plan if done.contains(plan) => Earlier::Done,
        _ => Earlier::Nothing,
    };
    let ordered: Vec<_> = Order::after(plans.clone(), earlier).collect();
    assert_eq!((&ordered[0], &ordered[1]), (&failed, &covered));
    let left = done.iter().filter(|plan| ![&failed, &covered].contains(plan)).count();
    assert_eq!(ordered.len(), plans.len() - left);
    let place = |plan: &racetrap_search::Plan| (plan.place.clone(), plan.disturbance.clone());
    let known: BTreeSet<_> = done.iter().map(place).collect();
    assert!(ordered[2..10].iter().all(|plan| !known.contains(&place(plan))));
}

#[test]
fn a_place_is_a_call_and_a_point_of_it() {
    let Plans { plans, .. } = plan_workloads(&[learned()], true);
    let places: BTreeSet<_> = plans.iter().map(|plan| call_and_point(&plan.place)).collect();
    for expected in [
        ("GET /containers/json", Some("response")),
        ("GET /containers/json", None),
        ("while the daemon is frozen", None),
    ] {
        assert!(places.contains(&expected), "{places:?}");
    }
}
