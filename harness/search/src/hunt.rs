//! Schedules that may repeat a failure of a run that nobody scheduled.
//!
//! Such a run failed because a call of the daemon and something that somebody did met in a certain way.
//! Its history says which calls and which steps were near each other. Each pair becomes a plan in which
//! the call is held until the step is done: the nearest pairs first, because what overlapped in the
//! history is what most likely has met.

use std::collections::{BTreeMap, BTreeSet};

use racetrap_history::{Record, Scenario, Step, What};
use serde_json::json;

use crate::held::{GATE, hold, points, unwaiting};
use crate::operation::step;
use crate::plan::{Plan, Policy, held_at};
use crate::site::{Site, timed_sites};

/// All plans for a history that failed, the most likely ones first.
#[must_use]
pub fn hunt(history: &[Record]) -> Vec<Plan> {
    let Some(What::Run(header)) = history.first().map(|record| &record.what) else {
        return Vec::new();
    };
    let scenario = &header.scenario;
    let began = steps_began(history);
    let mut pairs = Vec::new();
    for (site, at_us) in timed_sites(history) {
        for (index, step_at_us) in &began {
            if *index > site.cause && is_act(&scenario.steps[*index]) {
                pairs.push((at_us.abs_diff(*step_at_us), site.clone(), *index));
            }
        }
    }
    pairs.sort_by_key(|(distance_us, ..)| *distance_us);
    let mut known = BTreeSet::new();
    let mut plans: Vec<Plan> = Vec::new();
    for (_, site, index) in pairs {
        for point in points(&site.call) {
            if let Some(plan) = overlapping(scenario, &site, index, point)
                && plan.scenario.check().is_ok()
                && known.insert(plan.scenario.finding.clone())
            {
                plans.push(plan);
            }
        }
    }
    plans
}

/// When each step began, in microseconds since the run did.
fn steps_began(history: &[Record]) -> BTreeMap<usize, u64> {
    let began = history.iter().filter_map(|record| {
        let What::StepBegan { index } = record.what else { return None };
        Some((index, record.at_us))
    });
    began.collect()
}

/// Whether the step does something that can meet a call of the daemon.
fn is_act(step: &Step) -> bool {
    !matches!(step, Step::Wait(_) | Step::Gate(_))
}

/// The scenario with the call held until the step with this index is done.
fn overlapping(scenario: &Scenario, site: &Site, index: usize, point: &str) -> Option<Plan> {
    let steps = &scenario.steps;
    let mut all = steps[..site.cause].to_vec();
    all.extend([hold(site, point), unwaiting(&steps[site.cause])?]);
    all.push(step(json!({"reached": GATE})));
    // Nobody must wait for the daemon while it is held.
    let between = steps[site.cause + 1..=index].iter().filter(|step| is_act(step));
    all.extend(between.map(|step| unwaiting(step).unwrap_or_else(|| step.clone())));
    all.push(step(json!({"release": GATE})));
    all.extend_from_slice(&steps[index + 1..]);
    let place = held_at(&site.call.class(), point);
    let done = format!("until step {} is done", index + 1);
    Some(Plan::new(scenario, Policy::Stale, place, done, all))
}
