//! A scenario without its fault: the same workload, which must alarm nobody.
//!
//! The alarms of such runs are false ones, so their number says what an alarm is worth.

use serde_json::{Map, Value};

use super::api::ApiStep;
use super::command::{Codes, CommandStep, Returned, SetStep};
use super::docker::{DockerStep, EndpointOp, FileOp};
use super::document::Scenario;
use super::kubernetes::{KubernetesState, KubernetesStep};
use super::level::{Await, WaitStep};
use super::logs::{LogCrowd, LogStep, OpenLog};
use super::step::{NeighbourStep, Step};

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

    /// Whether the scenario is a workload alone: a control run carries out the same steps. It may allow
    /// more exit codes and HTTP statuses, because a workload promises those of a run that nothing
    /// disturbs.
    #[must_use]
    pub fn is_workload(&self) -> bool {
        self.steps.iter().all(|step| !step.is_of_the_fault() && !is_cut_short(step))
    }
}

/// Whether the scenario ends a command by a limit of its own, which a control run does not have.
fn is_cut_short(step: &Step) -> bool {
    let step = step.for_neighbour().unwrap_or(step);
    matches!(step, Step::Command(CommandStep::Set(SetStep { timeout_s: Some(_), .. })))
}

impl Step {
    /// It belongs to the scenario's fault, so that a control run does not have it.
    #[must_use]
    pub fn is_of_the_fault(&self) -> bool {
        undisturbed(self).is_none()
    }
}

/// The step without what is a fault; nothing, if all of it is.
fn undisturbed(step: &Step) -> Option<Step> {
    match step {
        Step::Engine(engine) => engine.is_workload().then(|| step.clone()),
        Step::Command(command) => undisturbed_command(command).map(Step::Command),
        Step::Api(api) => is_undisturbed_write(api).then(|| step.clone()),
        Step::Docker(docker) => is_undisturbed_user(docker).then(|| step.clone()),
        Step::Log(log) => Some(Step::Log(any_answer(log))),
        Step::Wait(WaitStep::Await(level)) => is_reached_undisturbed(level).then(|| step.clone()),
        Step::Wait(WaitStep::Settle) => Some(step.clone()),
        Step::Neighbour(NeighbourStep::Does(step)) => {
            let does = |step| Step::Neighbour(NeighbourStep::Does(Box::new(step)));
            undisturbed(step).map(does)
        }
        // Before its first state there is none, and without a fault it keeps that state.
        Step::Kubernetes(KubernetesStep::Kubernetes(state)) => {
            (*state == KubernetesState::Ready).then(|| step.clone())
        }
        Step::Daemon(_) | Step::Gate(_) | Step::Fault(_) => None,
    }
}

/// The command with every end allowed that it can have without the fault.
fn undisturbed_command(step: &CommandStep) -> Option<CommandStep> {
    let exit = Codes::Any(ANY.to_vec());
    Some(match step {
        CommandStep::App(_) | CommandStep::RunCommand(_) => step.clone(),
        // The scenario may cut it short by its limit, and a control run must not.
        CommandStep::Set(set) => CommandStep::Set(SetStep { exit, timeout_s: None, ..set.clone() }),
        CommandStep::Returned(returned) => {
            CommandStep::Returned(Returned { exit, ..returned.clone() })
        }
        CommandStep::Interrupt(_) => return None,
    })
}

/// Whether a user writes this also in a run without the fault.
fn is_undisturbed_write(step: &ApiStep) -> bool {
    match step {
        // An object in the place of a mirror that does not exist yet, which only a gate makes possible.
        ApiStep::CreateObject(object) => !object.name.starts_with('$'),
        // A patch of a mirror that is being removed, which only a gate makes possible.
        ApiStep::Patch(_) | ApiStep::Keep(_) | ApiStep::LetGo(_) => false,
        ApiStep::Act { .. } | ApiStep::Delete(_) | ApiStep::Touch { .. } => true,
    }
}

/// Whether this is what a user of the docker command might do as well, and no accident.
fn is_undisturbed_user(step: &DockerStep) -> bool {
    match step {
        DockerStep::Run(_) => true,
        DockerStep::Endpoint(op) => *op != EndpointOp::Gone,
        DockerStep::File(file) => file.put.as_ref().is_none_or(is_whole),
        DockerStep::Disk(_)
        | DockerStep::KillAt(_)
        | DockerStep::Killed
        | DockerStep::FreezeAt(_)
        | DockerStep::Frozen => false,
    }
}

/// The step of a client with every answer allowed: without the fault, the daemon may let a client in,
/// or refuse it by a later check.
fn any_answer(step: &LogStep) -> LogStep {
    let status = Codes::Any(ANSWERS.to_vec());
    match step {
        LogStep::Open(open) => LogStep::Open(OpenLog { status, ..open.clone() }),
        LogStep::Crowd(crowd) => LogStep::Crowd(LogCrowd { status, ..crowd.clone() }),
        LogStep::Read(_) | LogStep::Leave(_) | LogStep::Compare(_) | LogStep::ReadDiscovery => {
            step.clone()
        }
    }
}

/// A state of the docker command's configuration that nobody has to be careful with.
fn is_whole(state: &FileOp) -> bool {
    match state {
        FileOp::Text(text) => serde_json::from_str::<Map<String, Value>>(text).is_ok(),
        FileOp::Link | FileOp::RelativeLink | FileOp::HardLink | FileOp::Padded(_) => true,
        FileOp::Directory | FileOp::DanglingLink | FileOp::LoopingLink | FileOp::Gone => false,
    }
}

/// Levels that come by themselves and stay. What passes by, or is a failure, may not be seen.
fn is_reached_undisturbed(level: &Await) -> bool {
    match level {
        Await::Condition { status, .. } => status == "True",
        Await::Done { state, .. } => state == "Succeeded",
        Await::Terminating(_)
        | Await::Reason { .. }
        | Await::VmStarts(_)
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
        | Await::LogAnswer(_)
        | Await::Event(_)
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
