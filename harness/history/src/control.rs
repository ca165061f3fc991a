//! A scenario without its fault: the same workload, which must alarm nobody.
//!
//! The alarms of such runs are false ones, so their number says what an alarm is worth.

use serde_json::{Map, Value};

use crate::{
    Await, Codes, EndpointOp, FileOp, LogCrowd, OpenLog, Returned, Scenario, SetStep, Step,
};

/// Exit codes of a command that might have been disturbed, and is not.
const ANY: [i32; 3] = [0, 1, 4];

/// Answers to who asks for a log, disturbed or not (contract 6.1).
const ANSWERS: [i32; 8] = [101, 400, 401, 403, 404, 426, 500, 503];

impl Scenario {
    /// The scenario without gates, faults and interruptions, and without waiting for what only
    /// they bring about. What a user does to engine and daemon stays, in its order.
    #[must_use]
    pub fn control(&self) -> Self {
        let steps = self.steps.iter().filter_map(undisturbed).collect();
        Self { steps, ..self.clone() }
    }
}

impl Step {
    /// It belongs to the scenario's fault, so that a control run does not have it.
    #[must_use]
    pub fn is_of_the_fault(&self) -> bool {
        undisturbed(self).is_none()
    }
}

/// The step, as far as it is no fault.
fn undisturbed(step: &Step) -> Option<Step> {
    match step {
        Step::Hold(_)
        | Step::HoldWrite(_)
        | Step::Reached(_)
        | Step::Release(_)
        | Step::DenyWrite { .. }
        | Step::Answer { .. }
        | Step::Fault(_)
        | Step::Happened(_)
        | Step::Lift(_)
        | Step::Record { .. }
        | Step::Inject { .. }
        | Step::ReplaceSocket
        | Step::Cut(_)
        | Step::Refuse
        | Step::Accept
        | Step::Engine(_)
        | Step::Daemon(_)
        | Step::Vm(_)
        | Step::Keep(_)
        | Step::LetGo(_)
        | Step::Interrupt(_)
        | Step::DockerDisk(_)
        | Step::KillAt(_)
        | Step::Killed
        | Step::FreezeAt(_)
        | Step::Frozen
        | Step::Endpoint(EndpointOp::Gone)
        // A patch of what is just going, which only a gate makes possible.
        | Step::Patch(_) => None,
        // An object in the place of a mirror that does not exist yet, as only a gate can see to.
        Step::CreateObject(object) if object.name.starts_with('$') => None,
        // What the user might have there as well stays; an accident goes.
        Step::DockerFile(file) => is_whole(&file.put).then(|| step.clone()),
        Step::Await(level) => is_reached_undisturbed(level).then(|| step.clone()),
        Step::Set(_) | Step::Returned(_) | Step::OpenLog(_) | Step::LogCrowd(_) => {
            Some(whatever_comes(step))
        }
        Step::Neighbour(step) => undisturbed(step).map(|step| Step::Neighbour(Box::new(step))),
        Step::LoadImage { .. }
        | Step::Tag { .. }
        | Step::Untag { .. }
        | Step::RemoveImage { .. }
        | Step::CreateContainer { .. }
        | Step::Container { .. }
        | Step::RemoveContainer { .. }
        | Step::PrepareExecs { .. }
        | Step::CreateVolume { .. }
        | Step::CreateVolumes { .. }
        | Step::RemoveVolumes { .. }
        | Step::RemoveVolume { .. }
        | Step::App(_)
        | Step::Docker(_)
        | Step::Endpoint(EndpointOp::Unix | EndpointOp::Tcp | EndpointOp::Default)
        | Step::Act { .. }
        | Step::CreateObject(_)
        | Step::Delete(_)
        | Step::Touch { .. }
        | Step::ReadLog(_)
        | Step::LeaveLog(_)
        | Step::CompareLog(_)
        | Step::ReadDiscovery
        | Step::Settle => Some(step.clone()),
    }
}

/// The step, with every end right that it may come to where no fault is.
#[expect(clippy::wildcard_enum_match_arm, reason = "the caller has told the others apart")]
fn whatever_comes(step: &Step) -> Step {
    let any = Codes::Any(ANY.to_vec());
    // Without the fault, a client may be let in, or refused by a later check.
    let status = Codes::Any(ANSWERS.to_vec());
    match step {
        // It might have been cut short, and shall not be here.
        Step::Set(set) => Step::Set(SetStep { exit: any, timeout_s: None, ..set.clone() }),
        Step::Returned(returned) => Step::Returned(Returned { exit: any, ..returned.clone() }),
        Step::OpenLog(open) => Step::OpenLog(OpenLog { status, ..open.clone() }),
        Step::LogCrowd(crowd) => Step::LogCrowd(LogCrowd { status, ..crowd.clone() }),
        other => unreachable!("{other:?} has one end"),
    }
}

/// A state of the docker command's configuration that nobody has to be careful with.
fn is_whole(state: &FileOp) -> bool {
    match state {
        FileOp::Text(text) => serde_json::from_str::<Map<String, Value>>(text).is_ok(),
        FileOp::Link | FileOp::Padded(_) => true,
        FileOp::Directory | FileOp::Gone => false,
    }
}

/// Levels that come by themselves and stay. What passes by, or is a failure, may not be seen.
fn is_reached_undisturbed(level: &Await) -> bool {
    match level {
        Await::Condition { status, .. } => status == "True",
        Await::Done { state, .. } => state == "Succeeded",
        Await::Terminating(_)
        | Await::Reason { .. }
        | Await::Wants { .. }
        | Await::WantsStop
        | Await::CurrentContext(_)
        | Await::GivenUp(_)
        | Await::LogEnd(_)
        | Await::LogStreams(_) => false,
        Await::Container { .. }
        | Await::Tag(_)
        | Await::Volume(_)
        | Await::Converged
        | Await::Gone(_)
        | Await::LogLines { .. }
        | Await::Engine { .. } => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Every fault of the schedule is gone, what a user did is there, and it can be carried out.
    #[test]
    fn a_control_has_the_workload_and_no_fault() {
        let text = r#"{"finding": "1-A", "steps": [
            {"load_image": {"image": "base", "tags": ["base:1"]}},
            {"hold": {"gate": "g", "at": "request", "on": {"route": "/events"}}},
            {"set": {"properties": {"running": "true"}, "background": "b", "timeout_s": 1}},
            {"reached": "g"}, {"interrupt": "b"}, {"returned": {"command": "b", "exit": 130}},
            {"release": "g"}, {"cut": "all"},
            {"await": {"condition": {"type": "ContainerEngineReady", "status": "False"}}},
            {"create_volume": {"name": "v"}}, {"await": {"volume": "v"}}, "settle"]}"#;
        let scenario: Scenario = serde_json::from_str(text).expect("a scenario");
        let control = scenario.control();
        let words: Vec<_> = control.steps.iter().map(word).collect();
        let kept = ["load_image", "set", "returned", "create_volume", "await", "settle"];
        assert_eq!(words, kept);
        control.check().expect("a schedule that can be carried out");
    }

    fn word(step: &Step) -> String {
        let value = serde_json::to_value(step).expect("a step is JSON");
        let name = value.as_object().and_then(|step| step.keys().next().cloned());
        name.unwrap_or_else(|| value.as_str().unwrap_or_default().to_owned())
    }
}
