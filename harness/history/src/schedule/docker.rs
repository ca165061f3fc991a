//! What is done with the docker command's configuration can be done in the world that is asked for.

use super::error::ScheduleError;
use crate::scenario::{
    Await, DockerStep, ENDPOINT, EndpointOp, FaultStep, FileOp, GateStep, Scenario, Side, Step,
    WaitStep,
};

/// Refuses what needs a user of the docker command, an engine of the user's, or a file system that
/// nobody has asked for.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScheduleError> {
    let mut has_endpoint = false;
    for (index, step) in scenario.steps.iter().enumerate() {
        let error = |problem: &str, expected: &str| ScheduleError::new(index, problem, expected);
        let Some(needs) = &scenario.needs.docker else {
            if is_of_docker(step) {
                let problem = "nobody uses the docker command in this scenario";
                return Err(error(problem, "`docker: {}` among its `needs`"));
            }
            continue;
        };
        if let Step::Docker(DockerStep::Endpoint(op)) = step {
            if *op == EndpointOp::Gone && !has_endpoint {
                return Err(error("the user's engine is nowhere already", "an `endpoint` before"));
            }
            has_endpoint = *op != EndpointOp::Gone;
        }
        if matches!(step, Step::Docker(DockerStep::Disk(_))) && !needs.disk {
            let problem = "the configuration is in no file system of its own";
            return Err(error(problem, "`docker: {disk: true}` among its `needs`"));
        }
        if names_endpoint(step) && !has_endpoint {
            return Err(error("the user's engine is nowhere", "an `endpoint` step before"));
        }
        if let Step::Docker(DockerStep::File(file)) = step {
            if file.put.is_none() && file.mode.is_none() && file.owner.is_none() {
                return Err(error("a file that stays as it is", "`put`, `mode` or `owner`"));
            }
            if file.mode.is_some() && file.mode_bits().is_none() {
                return Err(error("the mode is no permissions", "octal digits such as `\"0600\"`"));
            }
            let is_link = matches!(file.put, None | Some(FileOp::Link | FileOp::RelativeLink));
            if file.contexts && (file.context.is_some() || !is_link) {
                let problem = "the directory of all contexts can only become a link";
                return Err(error(problem, "`put: link` or `relative_link`, and no `context`"));
            }
            if file.put == Some(FileOp::HardLink) && needs.disk {
                let problem = "no file has names in two file systems";
                return Err(error(problem, "`link`, or no `disk` among the `needs`"));
            }
            let is_without =
                matches!(file.put, Some(FileOp::Gone | FileOp::DanglingLink | FileOp::LoopingLink));
            if is_without && (file.mode.is_some() || file.owner.is_some()) {
                let problem = "there is no file that could have an owner or a mode";
                return Err(error(problem, "another `put`"));
            }
        }
        if let Step::Docker(DockerStep::Run(docker)) = step
            && docker.times == 0
        {
            return Err(error("a command that is never run", "`times` of at least 1"));
        }
    }
    Ok(())
}

/// Whether the step supposes that the world has a user of the docker command.
fn is_of_docker(step: &Step) -> bool {
    match step {
        Step::Docker(step) => !matches!(step, DockerStep::Killed | DockerStep::Frozen),
        Step::Wait(WaitStep::Await(level)) => matches!(level, Await::CurrentContext(_)),
        Step::Gate(step) => is_held_at_user(step),
        Step::Fault(step) => is_fault_at_user(step),
        Step::Wait(WaitStep::Settle)
        | Step::Engine(_)
        | Step::Command(_)
        | Step::Api(_)
        | Step::Daemon(_)
        | Step::Neighbour(_)
        | Step::Kubernetes(_)
        | Step::Log(_) => false,
    }
}

/// Whether the step is about the user's own engine.
fn names_endpoint(step: &Step) -> bool {
    match step {
        Step::Docker(DockerStep::Run(docker)) => {
            docker.arguments.iter().any(|text| text.contains(ENDPOINT))
        }
        Step::Docker(DockerStep::File(file)) => {
            matches!(&file.put, Some(FileOp::Text(text)) if text.contains(ENDPOINT))
        }
        Step::Gate(step) => is_held_at_user(step),
        Step::Fault(step) => is_fault_at_user(step),
        Step::Docker(_)
        | Step::Engine(_)
        | Step::Command(_)
        | Step::Api(_)
        | Step::Daemon(_)
        | Step::Neighbour(_)
        | Step::Kubernetes(_)
        | Step::Log(_)
        | Step::Wait(_) => false,
    }
}

/// Whether a gate is on the wire before the user's own engine.
fn is_held_at_user(step: &GateStep) -> bool {
    matches!(step, GateStep::Hold(hold) if hold.wire == Side::User)
}

/// Whether a fault is on the wire before the user's own engine.
fn is_fault_at_user(step: &FaultStep) -> bool {
    matches!(step, FaultStep::Fault(fault) if fault.wire == Side::User)
}
