//! What is done with the guest's Kubernetes can be done in the world that is asked for.

use super::error::ScheduleError;
use crate::scenario::{
    FaultStep, GateStep, KubernetesState, KubernetesStep, Scenario, Side, Step, Streams,
};

/// Refuses a Kubernetes that nobody has asked for, and disturbances of one that is not there.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScheduleError> {
    let mut is_there = false;
    for (index, step) in scenario.steps.iter().enumerate() {
        let error = |problem: &str, expected: &str| ScheduleError::new(index, problem, expected);
        let is_on_wire = is_on_wire(step);
        if (is_on_wire || matches!(step, Step::Kubernetes(_))) && !scenario.needs.kubernetes {
            let problem = "the guest has no Kubernetes in this scenario";
            return Err(error(problem, "`kubernetes: true` among its `needs`"));
        }
        if let Step::Kubernetes(KubernetesStep::Kubernetes(state)) = step {
            is_there = *state != KubernetesState::Absent;
        }
        if is_on_wire && !is_there {
            let problem = "the guest's Kubernetes is not there";
            return Err(error(problem, "`kubernetes: ready` or `not_ready` before"));
        }
    }
    Ok(())
}

/// Whether a step is about messages on the wire before the guest's Kubernetes.
#[expect(clippy::wildcard_enum_match_arm, reason = "only some steps are about a wire")]
fn is_on_wire(step: &Step) -> bool {
    match step {
        Step::Gate(GateStep::Hold(hold)) => hold.wire == Side::Kubernetes,
        Step::Fault(FaultStep::Fault(fault)) => fault.wire == Side::Kubernetes,
        Step::Fault(FaultStep::Answer { wire, .. }) => *wire == Side::Kubernetes,
        Step::Fault(FaultStep::Cut(streams)) => *streams == Streams::Kubernetes,
        _ => false,
    }
}
