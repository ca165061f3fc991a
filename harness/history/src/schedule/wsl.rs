//! What is done with `wsl.exe` can be done in the world that is asked for.

use super::error::ScheduleError;
use crate::scenario::{DaemonStep, Scenario, Step};

/// Refuses a script for a program that nobody calls.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScheduleError> {
    let is_script = |step: &Step| matches!(step, Step::Daemon(DaemonStep::Wsl(_)));
    match scenario.steps.iter().position(is_script) {
        Some(index) if scenario.needs.wsl.is_none() => {
            let problem = "the VM is no distribution of WSL in this scenario";
            Err(ScheduleError::new(index, problem, "`wsl: {}` among its `needs`"))
        }
        Some(_) | None => Ok(()),
    }
}
