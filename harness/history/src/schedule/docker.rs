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
        if let Step::Docker(DockerStep::Run(docker)) = step
            && docker.times == 0
        {
            return Err(error("a command that is never run", "`times` of at least 1"));
        }
    }
    Ok(())
}

/// The step supposes that the world has a user of the docker command.
#[expect(clippy::wildcard_enum_match_arm, reason = "only some steps do")]
fn is_of_docker(step: &Step) -> bool {
    match step {
        Step::Docker(docker) => !matches!(docker, DockerStep::Killed | DockerStep::Frozen),
        Step::Wait(WaitStep::Await(Await::CurrentContext(_))) => true,
        Step::Gate(GateStep::Hold(hold)) => hold.wire == Side::User,
        Step::Fault(FaultStep::Fault(fault)) => fault.wire == Side::User,
        _ => false,
    }
}

/// The step speaks of the user's engine.
#[expect(clippy::wildcard_enum_match_arm, reason = "only some steps do")]
fn names_endpoint(step: &Step) -> bool {
    match step {
        Step::Docker(DockerStep::Run(docker)) => {
            docker.arguments.iter().any(|text| text.contains(ENDPOINT))
        }
        Step::Docker(DockerStep::File(file)) => match &file.put {
            FileOp::Text(text) => text.contains(ENDPOINT),
            FileOp::Directory | FileOp::Link | FileOp::Padded(_) | FileOp::Gone => false,
        },
        Step::Gate(GateStep::Hold(hold)) => hold.wire == Side::User,
        Step::Fault(FaultStep::Fault(fault)) => fault.wire == Side::User,
        _ => false,
    }
}
