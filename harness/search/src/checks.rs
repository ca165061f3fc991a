//! Two checks at the end of a plan that need no knowledge of what was disturbed.
//!
//! - *Nothing wedges*: once the disturbance is over, the daemon still answers a fresh request of each kind.
//!   A new image, container and volume get their mirrors, a requested action is carried out, a client of
//!   logs is served if the workload has such clients, and what is removed loses its mirror. The plan's own
//!   end shows the rest: a command that stops the App and waits for it.
//! - *Healing*: the daemon is stopped and started. The oracle `healing` compares what was there before with
//!   what is there afterwards.
//!
//! Both are written in steps that every scenario may have. A restart takes the daemon about as long as all
//! fresh requests together, so by default a plan has one of the two. Its own steps decide which.

use racetrap_history::{Step, WaitStep};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::objects::Objects;
use crate::operation::step;
use crate::plan::{Plan, Policy};

/// Name of the container and the volume that the fresh requests are about.
const FRESH: &str = "search-fresh";

/// Name of the image that they load, if the plan has none. A container and an image must not share a name.
const IMAGE: &str = "search-base";

/// One plan in so many restarts the daemon, unless all do.
const RESTARTED: u8 = 4;

/// Which checks the plans of a search end with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checks {
    /// One plan in four restarts the daemon, and the others make fresh requests.
    #[default]
    Either,
    /// Each plan makes fresh requests and then restarts the daemon.
    Both,
}

impl Plan {
    /// The plan with checks at its end: before the steps that stop the App. A plan that ends in another way
    /// stays as it is.
    #[must_use]
    pub fn checked(self, checks: Checks) -> Self {
        let Some(end) = self.scenario.steps.len().checked_sub(2) else { return self };
        let stop = [step(json!({"app": {"running": false}})), Step::Wait(WaitStep::Settle)];
        if self.policy == Policy::Undisturbed || self.scenario.steps[end..] != stop {
            return self;
        }
        // A restarted daemon reads more of a poisoned answer, or less.
        let may_restart = self.policy != Policy::Poisoned && is_restarted(&self.scenario.steps);
        let restarts = checks == Checks::Both || may_restart;
        // The plan may leave the App on an engine that has no mirrors.
        let is_mirrored = Objects::after(&self.scenario.steps[..end]).app_runs;
        let is_fresh = is_mirrored && (checks == Checks::Both || !restarts);
        let mut steps = self.scenario.steps[..end].to_vec();
        if is_fresh {
            steps.extend(fresh_requests(&steps, self.scenario.needs.passthrough));
        }
        if restarts {
            // A restart is compared with the quiet world just before it.
            let settles = is_fresh.then(|| json!("settle"));
            let restart = [json!({"daemon": "stop"}), json!({"daemon": "start"}), json!("settle")];
            steps.extend(settles.into_iter().chain(restart).map(step));
        }
        steps.extend(stop);
        self.with_steps(steps)
    }
}

/// Whether the plan with these steps is one of those that restart the daemon. It depends on the steps alone,
/// so that a plan is the same in each search.
fn is_restarted(steps: &[Step]) -> bool {
    let text = serde_json::to_string(steps).expect("steps are JSON");
    Sha256::digest(text.as_bytes())[0] % RESTARTED == 0
}

/// A request of each kind, each waited for, after these steps.
fn fresh_requests(before: &[Step], has_logs: bool) -> Vec<Step> {
    let tag = format!("{FRESH}:1");
    let container = |state: &str| json!({"await": {"container": {"name": FRESH, "state": state}}});
    // Another tag of an image is as good a request as another image, and takes a tenth of the time.
    // The last tag of an image would take it along, or could not go.
    let images = Objects::after(before).images.into_iter();
    let own = images.filter(|(_, tags)| !tags.is_empty()).map(|(image, _)| image).next();
    let image = own.clone().unwrap_or_else(|| IMAGE.to_owned());
    let make_image = match own {
        Some(image) => json!({"tag": {"image": image, "tag": tag}}),
        None => json!({"load_image": {"image": IMAGE, "tags": [tag]}}),
    };
    let mut new = json!({"name": FRESH, "image": image});
    if has_logs {
        new["prints"] = json!({"command": ["lines", "1", "--stay"]});
    }
    let mut steps = vec![
        make_image,
        json!({"create_volume": {"name": FRESH}}),
        json!({"create_container": new}),
        json!({"await": {"tag": tag}}),
        json!({"await": {"volume": FRESH}}),
        container("created"),
        json!({"act": {"container": FRESH, "action": "start"}}),
        json!({"await": {"engine": {"container": FRESH, "state": "running"}}}),
        container("running"),
    ];
    if has_logs {
        steps.extend([
            json!({"open_log": {"client": FRESH, "log": {"of": FRESH}}}),
            json!({"await": {"log_lines": {"client": FRESH, "lines": 1}}}),
            json!({"leave_log": {"client": FRESH, "how": "close"}}),
        ]);
    }
    steps.extend([
        json!({"remove_container": {"name": FRESH}}),
        json!({"remove_volume": {"name": FRESH}}),
        json!({"untag": {"tag": tag, "force": true}}),
        json!({"await": {"gone": {"container": FRESH}}}),
        json!({"await": {"gone": {"volume": FRESH}}}),
        json!({"await": {"gone": {"tag": tag}}}),
    ]);
    steps.into_iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use racetrap_history::Scenario;

    use super::*;
    use crate::held::concluded;

    fn plan(number: u32) -> Plan {
        let text = format!(
            r#"{{"finding": "work-a", "steps": [{{"app": {{"running": true}}}},
                {{"create_volume": {{"name": "v{number}"}}}}]}}"#
        );
        let workload: Scenario = serde_json::from_str(&text).expect("a scenario");
        let steps = concluded(workload.steps.clone());
        Plan::new(&workload, Policy::Stale, "here", "this", steps)
    }

    fn text(plan: &Plan) -> String {
        serde_json::to_string(&plan.scenario.steps).expect("JSON")
    }

    #[test]
    fn each_plan_has_one_of_the_two_checks_or_both() {
        let (mut restarted, mut fresh) = (0, 0);
        for number in 0..100 {
            let checked = plan(number).checked(Checks::Either);
            let text = text(&checked);
            assert_ne!(text.contains(r#"{"daemon":"stop"}"#), text.contains(FRESH), "{text}");
            restarted += u32::from(text.contains(r#"{"daemon":"stop"}"#));
            fresh += u32::from(text.contains(FRESH));
            checked.scenario.check().expect("a schedule that can be carried out");
            assert_ne!(checked.scenario.finding, plan(number).scenario.finding);
        }
        assert!(restarted > 10 && fresh > 50, "{restarted} and {fresh}");
        let both = plan(1).checked(Checks::Both);
        assert!(text(&both).contains(r#"{"daemon":"stop"}"#) && text(&both).contains(FRESH));
        both.scenario.check().expect("a schedule that can be carried out");
    }

    #[test]
    fn a_workload_with_log_clients_asks_for_a_log_and_others_do_not() {
        let mut with_logs = plan(1);
        with_logs.scenario.needs.passthrough = true;
        let with_logs = with_logs.checked(Checks::Both);
        assert!(text(&with_logs).contains("open_log"));
        with_logs.scenario.check().expect("a schedule that can be carried out");
        assert!(!text(&plan(1).checked(Checks::Both)).contains("open_log"));
    }

    #[test]
    fn an_app_on_another_engine_gets_no_fresh_requests() {
        let mut other = plan(1);
        let set = json!({"set": {"properties": {"containerEngine.name": "containerd"}}});
        other.scenario.steps.insert(1, step(set));
        let other = other.checked(Checks::Both);
        assert!(!text(&other).contains(FRESH) && text(&other).contains(r#"{"daemon":"stop"}"#));
    }

    #[test]
    fn a_plan_that_ends_in_another_way_stays_as_it_is() {
        let mut other = plan(1);
        other.scenario.steps.push(Step::Wait(WaitStep::Settle));
        assert_eq!(other.clone().checked(Checks::Both), other);
    }
}
