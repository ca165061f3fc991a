//! What a plan's scenario is compared with: the quiet world of its workload's runs without a disturbance.

use std::collections::BTreeSet;

use racetrap_history::{
    Clean, Counts, EngineStep, FirstSteps, QuietObjects, QuietState, Step, WaitStep,
};
use serde_json::Value;

use crate::held::unwaiting;
use crate::learned::Learned;
use crate::plan::{Plan, Policy};
use crate::quiet::Quiet;

/// How often each disturbance may cause every mirror to be written: created, completed, and given
/// conditions.
const WRITES: u32 = 3;

impl Plan {
    /// The plan with what its workload's runs have shown at the same point, if they were quiet there. It must
    /// still end with the steps that stop the App, and with a `settle` before them.
    #[must_use]
    pub(crate) fn compared_with(mut self, learned: &Learned) -> Self {
        self.scenario.clean = self.clean(learned).map(Box::new);
        self
    }

    fn clean(&self, learned: &Learned) -> Option<Clean> {
        let steps = &self.scenario.steps;
        let settle = Step::Wait(WaitStep::Settle);
        let end = steps.len().checked_sub(2)?;
        // Rewritten answers stay to the end, so the mirrors follow them. A plan without a disturbance is a clean
        // run itself, and two others do not bound how often a mirror is written in it.
        let is_comparable = !matches!(self.policy, Policy::Poisoned | Policy::Undisturbed);
        if !is_comparable || steps.get(end.checked_sub(1)?) != Some(&settle) {
            return None;
        }
        let own = &learned.workload.steps;
        let same = steps[..end].iter().zip(own).take_while(|(one, other)| one == other).count();
        let (quiet, extra) = (0..=same).rev().find_map(|first| {
            let extra: Vec<&Step> = steps[first..end].iter().collect();
            // The step that causes the disturbed call comes without its wait. The same step may also be a
            // disturbance of the quiet world before it.
            let cause = own.get(first).and_then(unwaiting);
            let caused = extra.iter().position(|step| cause.as_ref() == Some(*step));
            let caused = caused.and_then(|at| Some((quiet_after(own, first + 1)?, at)));
            match caused {
                Some((quiet, at)) => Some((quiet, [&extra[..at], &extra[at + 1..]].concat())),
                None => Some((quiet_after(own, first)?, extra)),
            }
        })?;
        let Quiet { mut objects, counts, .. } =
            learned.quiet.iter().find(|quiet_at| quiet_at.step == quiet)?.clone();
        let touched = touched(&extra, &objects)?;
        let disturbing = extra.iter().filter(|step| !matches!(step, Step::Wait(_))).count();
        let more_writes = WRITES * u32::try_from(disturbing).ok()?;
        let stops = u32::try_from(extra.iter().filter(|step| step.stops_app()).count()).ok()?;
        // A mirror that is made anew has nothing of what users wrote into the one before.
        if stops > 0 {
            QuietState::remove_users_fields(&mut objects);
        }
        let more = |most: Counts| Counts {
            writes: (most.writes + more_writes) * (1 + stops),
            objects: most.objects + stops,
        };
        let counts = counts.into_iter().map(|(name, most)| (name, more(most))).collect();
        Some(Clean { after: FirstSteps::new(&steps[..end]), objects, counts, touched })
    }
}

/// The index of the step that settles next to the first `done` steps, with nothing but waits between.
fn quiet_after(steps: &[Step], done: usize) -> Option<usize> {
    let settles = |index: &usize| matches!(steps[*index], Step::Wait(WaitStep::Settle));
    let waits = |index: &usize| matches!(steps[*index], Step::Wait(_));
    let after = (done.min(steps.len())..steps.len()).take_while(waits).find(settles);
    after.or_else(|| (0..done.min(steps.len())).rev().take_while(waits).find(settles))
}

/// The objects that these steps change beside the workload; nothing if that cannot be told from the steps.
fn touched(extra: &[&Step], objects: &QuietObjects) -> Option<BTreeSet<String>> {
    let (mut names, mut prefixes) = (BTreeSet::new(), Vec::new());
    let mut containers = false;
    for step in extra {
        match step {
            Step::Engine(EngineStep::Prune(_)) | Step::Docker(_) | Step::Neighbour(_) => {
                return None;
            }
            // Which containers survive that is the engine's choice.
            Step::Engine(EngineStep::Process(_) | EngineStep::Guest(_)) => containers = true,
            Step::Engine(
                EngineStep::CreateVolumes { prefix, .. } | EngineStep::RemoveVolumes { prefix },
            ) => prefixes.push(format!("volume {prefix}")),
            Step::Engine(_) | Step::Api(_) => {
                texts(&serde_json::to_value(step).ok()?, &mut names);
            }
            Step::Command(_)
            | Step::Daemon(_)
            | Step::Gate(_)
            | Step::Fault(_)
            | Step::Kubernetes(_)
            | Step::Log(_)
            | Step::Wait(_) => {}
        }
    }
    let is_named = |object: &String| {
        let words = || object.split([' ', '<', '>']);
        containers && object.starts_with("container ")
            || prefixes.iter().any(|prefix| object.starts_with(prefix))
            || words().any(|word| names.contains(word))
    };
    Some(objects.keys().filter(|object| is_named(object)).cloned().collect())
}

/// All texts in a value.
pub(crate) fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(into.insert(text.clone())),
        Value::Array(list) => list.iter().for_each(|value| texts(value, into)),
        Value::Object(map) => map.values().for_each(|value| texts(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use racetrap_history::Scenario;
    use serde_json::json;

    use super::*;
    use crate::held::concluded;
    use crate::operation::step;

    fn workload() -> Scenario {
        let text = r#"{"finding": "work-a", "steps": [{"app": {"running": true}},
            {"create_volume": {"name": "data"}}, {"create_volume": {"name": "other"}}, "settle",
            {"remove_volume": {"name": "data"}}, {"create_volume": {"name": "last"}}]}"#;
        serde_json::from_str(text).expect("a scenario")
    }

    fn learned() -> Learned {
        let fields = BTreeMap::from([("spec".to_owned(), "{}".to_owned())]);
        let names = ["volume data", "volume other", "the App"];
        let objects = names.map(|name| (name.to_owned(), fields.clone())).into();
        let most = Counts { writes: 2, objects: 1 };
        let counts = BTreeMap::from([("volume other".to_owned(), most)]);
        let quiet = vec![Quiet { step: 3, objects, counts }];
        Learned { quiet, ..crate::learn(&workload(), &[]) }
    }

    fn clean(after: usize, extra: &[Value]) -> Option<Clean> {
        let mut steps = workload().steps[..after].to_vec();
        steps.extend(extra.iter().cloned().map(step));
        let plan = Plan::new(&workload(), Policy::Stale, "", "", concluded(steps));
        plan.compared_with(&learned()).scenario.clean.map(|clean| *clean)
    }

    #[test]
    fn a_disturbance_of_a_quiet_world_is_compared_with_that_world() {
        let found = clean(4, &[json!({"remove_volume": {"name": "data"}}), json!({"cut": "all"})]);
        let found = found.expect("the workload settles there");
        assert_eq!(found.touched.into_iter().collect::<Vec<_>>(), ["volume data"]);
        assert_eq!(found.counts["volume other"], Counts { writes: 2 + 3 * 2, objects: 1 });
    }

    #[test]
    fn an_app_that_was_stopped_may_have_made_each_mirror_once_more() {
        let app = |running: bool| json!({"app": {"running": running}});
        let found = clean(4, &[app(false), app(true)]).expect("the workload settles there");
        assert_eq!(found.counts["volume other"].objects, 2);
        // What a user wrote into a mirror went with it; the App stays.
        assert!(found.objects["volume other"].is_empty());
        assert_eq!(found.objects[QuietState::APP].len(), 1);
    }

    // The third step is disturbed and then settles in the plan as it does in the workload. After the fifth
    // one, the workload was never quiet: without what that step removes, its world is the one before. What a
    // prune removes is not known.
    #[test]
    fn only_what_was_quiet_in_the_workload_is_compared() {
        let own = json!({"create_volume": {"name": "other"}});
        assert!(clean(2, &[json!({"cut": "all"}), own]).is_some());
        let touched = clean(5, &[json!({"cut": "all"})]).expect("the one before").touched;
        assert_eq!(touched.into_iter().collect::<Vec<_>>(), ["volume data"]);
        assert_eq!(clean(4, &[json!({"prune": "all"})]), None);
        let many =
            clean(5, &[json!({"remove_volumes": {"prefix": "ot"}})]).expect("the one before");
        let touched = many.touched.into_iter().collect::<Vec<_>>();
        assert_eq!(touched, ["volume data", "volume other"]);
    }

    // All steps of such a plan are those of its workload, also the ones behind the end that is compared.
    #[test]
    fn a_workload_that_stops_its_app_is_compared_before_that() {
        let mut workload = workload();
        workload.steps.truncate(4);
        workload.steps.extend([json!({"app": {"running": false}}), json!("settle")].map(step));
        let learned = Learned { workload: workload.clone(), ..learned() };
        let plan = Plan::new(&workload, Policy::Stale, "", "", workload.steps.clone());
        assert!(plan.compared_with(&learned).scenario.clean.is_some());
    }
}
