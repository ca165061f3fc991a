//! Workloads whose messages and steps go on one at a time, in orders that a seed decides.

use fastrand::Rng;
use racetrap_history::{
    ApiStep, CommandStep, EngineOp, EngineStep, MirrorRef, Needs, Scenario, Step, WaitStep,
};
use serde_json::json;

use crate::held::{concluded, unwaiting};
use crate::objects::Objects;
use crate::operation::step;
use crate::plan::{Plan, Policy};

/// Messages and writes for each step of a workload, and those of a full sync.
const MESSAGES: (usize, usize) = (12, 40);

/// One plan in so many begins in a quiet world, so that no full sync is part of it.
const QUIET: u8 = 3;

/// One plan in so many loses the event stream at some step.
const CUT: u8 = 3;

/// Endless plans of one seed, in turn for each workload that can be run so.
#[derive(Clone, Debug)]
pub struct SerialPlans {
    workloads: Vec<Scenario>,
    seed: u64,
    depth: u32,
    number: u64,
}

impl SerialPlans {
    /// Plans for races that need `depth` orderings.
    #[must_use]
    pub fn new(workloads: &[Scenario], seed: u64, depth: u32) -> Self {
        let fits = |workload: &&Scenario| can_take_turns(workload);
        let workloads = workloads.iter().filter(fits).cloned().collect();
        Self { workloads, seed, depth, number: 0 }
    }
}

impl Iterator for SerialPlans {
    type Item = Plan;

    fn next(&mut self) -> Option<Plan> {
        // The draws of one round: no workload at all fits, or its steps cannot be carried out so.
        for _ in 0..=2 * self.workloads.len() {
            let count = u64::try_from(self.workloads.len()).ok().filter(|count| *count > 0)?;
            let at = usize::try_from(self.number % count).ok()?;
            self.number += 1;
            let plan = plan(&self.workloads[at], self.seed, self.number, self.depth);
            if plan.scenario.check().is_ok() {
                return Some(plan);
            }
        }
        None
    }
}

/// Whether all that the workload does is done to one daemon that lives all the time, and to its engine.
fn can_take_turns(workload: &Scenario) -> bool {
    let is_elsewhere = |step: &Step| match step {
        Step::Engine(EngineStep::Process(op)) => !matches!(op, EngineOp::Start),
        Step::Engine(EngineStep::Guest(_)) => true,
        Step::Command(CommandStep::Interrupt(_) | CommandStep::Returned(_)) => true,
        Step::Command(CommandStep::Set(set)) => set.background.is_some(),
        Step::Daemon(_)
        | Step::Neighbour(_)
        | Step::Docker(_)
        | Step::Kubernetes(_)
        | Step::Log(_) => true,
        Step::Engine(_)
        | Step::Command(_)
        | Step::Api(_)
        | Step::Gate(_)
        | Step::Fault(_)
        | Step::Wait(_) => false,
    };
    !workload.needs.neighbour && !workload.steps.iter().any(is_elsewhere)
}

fn plan(workload: &Scenario, seed: u64, number: u64, depth: u32) -> Plan {
    // Plans of neighbouring numbers have nothing in common.
    let own = seed.rotate_left(32) ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut rng = Rng::with_seed(own);
    let mut steps = overlapping(&workload.steps);
    // Without an App there is no daemon that does anything.
    if !steps.iter().any(|step| Objects::after(std::slice::from_ref(step)).app_runs) {
        steps.insert(0, step(json!({"app": {"running": true, "wait": false}})));
    }
    let mut before = Vec::new();
    if rng.u8(..QUIET) == 0 {
        before.extend([step(json!({"app": {"running": true}})), step(json!("settle"))]);
        if rng.u8(..CUT) == 0 {
            steps.insert(rng.usize(..=steps.len()), step(json!({"cut": "events"})));
        }
    }
    let length = MESSAGES.0 * steps.len() + MESSAGES.1;
    let drawn = rng.u64(..u64::from(u32::MAX));
    let mut all = before;
    all.push(step(json!({"serial": {"seed": drawn, "depth": depth, "length": length}})));
    all.extend(steps);
    all.push(step(json!("free")));
    // Writes are stopped as well where the admission sees them.
    let needs = Needs { reviews: true, ..workload.needs.clone() };
    let workload = Scenario { needs, ..workload.clone() };
    Plan::new(&workload, Policy::Serial, "one at a time", "in another order", concluded(all))
}

/// The steps without those that only wait for an earlier one, and without commands, whose promised output
/// supposes a quiet world. A user of the API waits for the mirror that the next step is about; where such a
/// user asks for actions, later steps suppose their results.
fn overlapping(steps: &[Step]) -> Vec<Step> {
    let acts = |step: &&Step| !matches!(step, Step::Wait(_));
    let has_actions = steps.iter().any(|step| matches!(step, Step::Api(ApiStep::Act { .. })));
    let mut kept = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let next = steps[index..].iter().find(acts);
        match step {
            Step::Wait(WaitStep::Settle) | Step::Command(CommandStep::RunCommand(_)) => {}
            Step::Wait(WaitStep::Await(_)) if has_actions => kept.push(step.clone()),
            // These wait for the mirror itself.
            Step::Wait(WaitStep::Await(_))
                if matches!(next, Some(Step::Api(ApiStep::Act { .. } | ApiStep::Delete(_)))) => {}
            Step::Wait(WaitStep::Await(_)) => {
                if matches!(next, Some(Step::Api(_))) {
                    kept.push(step.clone());
                }
            }
            Step::Api(ApiStep::Act { container, .. }) => {
                kept.push(self::step(json!({"await": {"container": {"name": container}}})));
                kept.push(step.clone());
            }
            Step::Api(ApiStep::Delete(mirror)) => {
                if let Some(there) = there(mirror) {
                    kept.push(there);
                }
                kept.push(step.clone());
            }
            Step::Engine(_)
            | Step::Command(_)
            | Step::Api(_)
            | Step::Daemon(_)
            | Step::Neighbour(_)
            | Step::Gate(_)
            | Step::Fault(_)
            | Step::Docker(_)
            | Step::Kubernetes(_)
            | Step::Log(_) => kept.push(unwaiting(step).unwrap_or_else(|| step.clone())),
        }
    }
    kept
}

/// Waits for a mirror.
fn there(mirror: &MirrorRef) -> Option<Step> {
    Some(step(match mirror {
        MirrorRef::Container(name) => json!({"await": {"container": {"name": name}}}),
        MirrorRef::Tag(tag) => json!({"await": {"tag": tag}}),
        MirrorRef::Volume(name) => json!({"await": {"volume": name}}),
        MirrorRef::Dangling(_) => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(steps: &str) -> Scenario {
        let text = format!(r#"{{"finding": "work-a", "steps": {steps}}}"#);
        serde_json::from_str(&text).expect("a scenario")
    }

    #[test]
    fn a_seed_gives_the_same_plans_and_another_one_others() {
        let workloads = [
            workload(r#"[{"app": {"running": true}}, {"create_volume": {"name": "v"}}, "settle"]"#),
            workload(r#"[{"daemon": "kill"}, "settle"]"#),
        ];
        let plans = |seed| SerialPlans::new(&workloads, seed, 3).take(20).collect::<Vec<_>>();
        assert_eq!(plans(1), plans(1));
        assert_ne!(plans(1), plans(2));
        assert!(plans(1).iter().all(|plan| plan.scenario.check().is_ok()));
        assert!(SerialPlans::new(&workloads[1..], 1, 3).next().is_none());
    }

    // Only the wait for what a user of the API is about to ask for is left.
    #[test]
    fn steps_do_not_wait_for_each_other() {
        let steps = workload(
            r#"[{"app": {"running": true}}, {"create_volume": {"name": "v"}}, {"await": {"volume": "v"}},
                {"create_volume": {"name": "w"}}, "settle", {"delete": {"volume": "v"}}, "settle"]"#,
        );
        let kept = overlapping(&steps.steps);
        let text = serde_json::to_string(&kept).expect("JSON");
        let expected = concat!(
            r#"[{"app":{"running":true,"wait":false}},{"create_volume":{"name":"v"}},"#,
            r#"{"create_volume":{"name":"w"}},{"await":{"volume":"v"}},{"delete":{"volume":"v"}}]"#
        );
        assert_eq!(text, expected);
    }
}
