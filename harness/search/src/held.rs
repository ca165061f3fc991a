//! Plans that disturb the daemon at one of its calls: hold it and do something meanwhile, or let it fail.

use racetrap_history::{AppStep, CommandStep, DockerStep, Scenario, SetStep, Side, Step, WaitStep};
use serde_json::{Value, json};

use crate::call::Call;
use crate::objects::Objects;
use crate::operation::{Focus, NEW, Operation, accidents, changes, step, user_edits};
use crate::plan::{Plan, Policy, held_at};
use crate::site::Site;

/// The name of the one gate of a plan.
pub(crate) const GATE: &str = "held";

/// All plans at one site.
pub(crate) fn plans(workload: &Scenario, site: &Site) -> Vec<Plan> {
    // A command of the daemon that waits cannot be held up by what it waits for.
    let Some(trigger) = unwaiting(&workload.steps[site.cause]) else { return Vec::new() };
    let [before, objects] = [0, 1].map(|own| Objects::after(&workload.steps[..site.cause + own]));
    let at = At { workload, site, trigger, before, objects };
    let mut plans = Vec::new();
    // A docker command would wait for its own request, which is held.
    let is_own = matches!(&site.call, Call::Exchange { wire: Side::User, .. })
        && matches!(at.trigger, Step::Docker(_));
    for point in points(&site.call).into_iter().filter(|_| !is_own) {
        plans.extend(at.held(point));
    }
    plans.extend(at.failed());
    plans
}

/// Where a call can be held.
pub(crate) fn points(call: &Call) -> Vec<&'static str> {
    match call {
        Call::Exchange { wire: Side::Engine, .. } => vec!["request", "response"],
        Call::Exchange { .. } => vec!["request"],
        Call::Event { .. } => vec!["frame"],
        Call::Write { .. } => vec!["write"],
    }
}

/// The step without its wait for the daemon; nothing for a step that cannot do without it.
#[expect(clippy::wildcard_enum_match_arm, reason = "other steps wait for nobody")]
pub(crate) fn unwaiting(step: &Step) -> Option<Step> {
    match step {
        Step::Command(CommandStep::App(app)) => {
            Some(Step::Command(CommandStep::App(AppStep { wait: false, ..app.clone() })))
        }
        Step::Command(CommandStep::Set(set)) if set.background.is_none() => {
            Some(Step::Command(CommandStep::Set(SetStep { wait: false, ..set.clone() })))
        }
        Step::Engine(_) | Step::Api(_) | Step::Docker(DockerStep::Run(_)) => Some(step.clone()),
        _ => None,
    }
}

/// The step that arms the gate at a site.
pub(crate) fn hold(site: &Site, point: &str) -> Step {
    let Site { call, nth, .. } = site;
    if let Some(on) = call.at_admission(*nth) {
        return step(json!({"hold_write": {"gate": GATE, "on": on}}));
    }
    let (wire, on) = call.on_wire(*nth).expect("a call is on a wire or at the admission");
    step(json!({"hold": {"gate": GATE, "wire": wire, "at": point, "on": on}}))
}

/// A site, and what is there.
struct At<'a> {
    workload: &'a Scenario,
    site: &'a Site,
    trigger: Step,
    /// What there is before the step that causes the call.
    before: Objects,
    /// What there is after it.
    objects: Objects,
}

impl At<'_> {
    fn place(&self, point: &str) -> String {
        held_at(&self.site.call.class(), point)
    }

    /// Everything that can be done while the call is held.
    fn held(&self, point: &'static str) -> Vec<Plan> {
        let focus = Focus::at(self.site, &self.objects);
        let mut plans: Vec<_> = changes(&focus, &self.objects)
            .into_iter()
            .map(|operation| self.during(Policy::Stale, point, operation))
            .collect();
        if self.before.app_runs {
            // Only what was there before, and stays, has a mirror for certain.
            let mirrored = self.before.that_stay(&self.objects);
            let focus = Focus::at(self.site, &mirrored);
            let edits = user_edits(&focus, &mirrored).into_iter();
            plans.extend(edits.map(|operation| self.during(Policy::Stale, point, operation)));
        }
        let has_stream = self.before.app_runs;
        let accidents = accidents(&self.objects, has_stream).into_iter();
        plans.extend(accidents.map(|operation| self.during(Policy::HalfWritten, point, operation)));
        plans.extend(self.others_go_on(point, &focus));
        plans
    }

    /// The call is held, `operation` is done, and the call goes on.
    fn during(&self, policy: Policy, point: &str, operation: Operation) -> Plan {
        let Operation { word, steps, ends_daemon } = operation;
        let mut all = self.until_held(point);
        // A message of a daemon that is gone is nobody's.
        let (before, after) = if ends_daemon { steps.split_at(1) } else { (&steps[..], &[][..]) };
        all.extend_from_slice(before);
        all.push(step(json!({"release": GATE})));
        all.extend_from_slice(after);
        self.plan(policy, self.place(point), word, all)
    }

    /// A call about one object is held, and other objects must be mirrored meanwhile.
    fn others_go_on(&self, point: &str, focus: &Focus) -> Option<Plan> {
        let is_about_one = matches!(&self.site.call,
            Call::Exchange { wire: Side::Engine, params, .. } if !params.is_empty());
        if !is_about_one || *focus == Focus::All || !self.objects.app_runs {
            return None;
        }
        let mut all = self.until_held(point);
        all.push(step(json!({"create_volume": {"name": NEW}})));
        all.push(step(json!({"await": {"volume": NEW}})));
        all.push(step(json!({"release": GATE})));
        Some(self.plan(Policy::HalfWritten, self.place(point), "wait for another object", all))
    }

    fn until_held(&self, point: &str) -> Vec<Step> {
        let mut all = self.workload.steps[..self.site.cause].to_vec();
        all.extend([hold(self.site, point), self.trigger.clone(), step(json!({"reached": GATE}))]);
        all
    }

    /// The call fails.
    fn failed(&self) -> Vec<Plan> {
        if let Some(on) = self.site.call.at_admission(self.site.nth) {
            let deny = json!({"deny_write": {"on": on, "times": 1}});
            return vec![self.disturbed("denied", deny)];
        }
        let Some((wire, on)) = self.site.call.on_wire(self.site.nth) else { return Vec::new() };
        if wire != Side::Engine || matches!(self.site.call, Call::Event { .. }) {
            return Vec::new();
        }
        let answer = |status: u16| json!({"answer": {"status": status, "times": 1, "on": on}});
        let fault =
            |kind: Value| json!({"fault": {"name": "once", "kind": kind, "times": 1, "on": on}});
        let mut failed = vec![
            self.disturbed("answered with 500", answer(500)),
            self.disturbed("its answer is lost", fault(json!("lose"))),
        ];
        // Other answers have no body that could be shorter; a stream is cut while the daemon reads it.
        let is_whole = !matches!(on.route.as_deref(), Some("/_ping" | "/events"));
        if on.method.as_deref() == Some("GET") && is_whole {
            let short = fault(json!({"truncate": {"bytes": 1}}));
            failed.push(self.disturbed("its answer is cut short", short));
        }
        failed
    }

    fn disturbed(&self, word: &str, fault: Value) -> Plan {
        let mut all = self.workload.steps[..self.site.cause].to_vec();
        all.extend([step(fault), self.trigger.clone()]);
        self.plan(Policy::HalfWritten, self.site.call.class(), word, all)
    }

    fn plan(&self, policy: Policy, place: String, word: &str, steps: Vec<Step>) -> Plan {
        Plan::new(self.workload, policy, place, word, concluded(steps))
    }
}

/// The steps, and an end that shows whether the daemon still does what it is asked: it settles with the
/// App running, handles a probe, and stops.
pub(crate) fn concluded(mut steps: Vec<Step>) -> Vec<Step> {
    let settle = || Step::Wait(WaitStep::Settle);
    steps.push(settle());
    if !Objects::after(&steps).app_runs {
        steps.extend([step(json!({"app": {"running": true}})), settle()]);
    }
    steps.extend([step(json!({"app": {"running": false}})), settle()]);
    steps
}
