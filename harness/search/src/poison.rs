//! Plans in which the engine's answer lacks a field, or has another value there.

use racetrap_history::{Scenario, Side, Step};
use serde_json::{Value, json};

use crate::call::Call;
use crate::held::{concluded, unwaiting};
use crate::objects::Objects;
use crate::operation::step;
use crate::plan::{Plan, Policy};
use crate::site::Site;

/// Fields that are null in an ordinary answer: there, null would be no poison.
const OFTEN_NULL: [&str; 3] = ["/Labels", "/Options", "/Warnings"];

/// Fields that a daemon reads of an answer, by route. Without one of them an object still has its
/// identity, so that its mirror and those of all others are promised.
const FIELDS: [(&str, &[&str]); 6] = [
    (
        "/containers/{id}/json",
        &[
            "/Created",
            "/State/StartedAt",
            "/State/FinishedAt",
            "/State/Error",
            "/Config/Labels",
            "/Args",
            "/NetworkSettings",
            "/NetworkSettings/Ports",
        ],
    ),
    (
        "/images/{id}/json",
        &["/Created", "/Config", "/Config/Labels", "/RepoDigests", "/Architecture", "/Os", "/Size"],
    ),
    ("/volumes/{name}", &["/CreatedAt", "/Labels", "/Options", "/Scope", "/Driver"]),
    ("/containers/json", &["/0/Labels", "/0/Ports", "/0/Names"]),
    ("/images/json", &["/0/RepoDigests", "/0/Labels"]),
    ("/volumes", &["/Warnings"]),
];

/// All plans at one site.
pub(crate) fn plans(workload: &Scenario, site: &Site) -> Vec<Plan> {
    let Call::Exchange { wire: Side::Engine, method, route, .. } = &site.call else {
        return Vec::new();
    };
    let fields = FIELDS.iter().find(|(known, _)| known == route);
    let (Some((_, fields)), "GET") = (fields, method.as_str()) else { return Vec::new() };
    if site.nth > 1 {
        return Vec::new();
    }
    // The first element of an empty list has no field.
    let before = Objects::after(&workload.steps[..site.cause]);
    let is_empty = match route.as_str() {
        "/containers/json" => before.containers.is_empty(),
        "/images/json" => before.images.is_empty(),
        _ => false,
    };
    if is_empty {
        return Vec::new();
    }
    let Some(trigger) = unwaiting(&workload.steps[site.cause]) else { return Vec::new() };
    let plan = |word: String, kind: Value| {
        let (_, on) = site.call.on_wire(1)?;
        // To the end, because a daemon that was told something once need not ask again.
        let fault = json!({"fault": {"kind": {"rewrite": kind}, "on": on}});
        let mut steps: Vec<Step> = workload.steps[..site.cause].to_vec();
        steps.extend([step(fault), trigger.clone()]);
        let place = site.call.class();
        Some(Plan::new(workload, Policy::Poisoned, place, word, concluded(steps)))
    };
    let of_field = |field: &&str| {
        let is_null = (format!("{field} is null"), json!({"set": {*field: null}}));
        let is_empty = (format!("{field} is empty"), json!({"set": {*field: {}}}));
        let (word, kind) = if OFTEN_NULL.contains(field) { is_empty } else { is_null };
        [plan(word, kind), plan(format!("{field} is missing"), json!({"remove": [field]}))]
    };
    fields.iter().flat_map(of_field).flatten().collect()
}
