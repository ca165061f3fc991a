//! Checks a whole schedule.

use super::error::ScheduleError;
use super::{commands, docker, faults, gates, kubernetes, logs, names, workload, wsl};
use crate::scenario::{Scenario, Step, WaitStep};

impl Scenario {
    /// Checks that the schedule can be carried out and ends with something that can be judged.
    ///
    /// # Errors
    /// The first step that cannot be carried out, with what was expected there.
    pub fn check(&self) -> Result<(), ScheduleError> {
        gates::check(self)?;
        names::check(self)?;
        workload::check(self)?;
        faults::check(self)?;
        commands::check(self)?;
        docker::check(self)?;
        kubernetes::check(self)?;
        wsl::check(self)?;
        logs::check(self)?;
        match self.steps.last() {
            Some(Step::Wait(WaitStep::Settle)) => Ok(()),
            Some(_) | None => Err(ScheduleError::new(
                self.steps.len().saturating_sub(1),
                "nothing is judged after the last step",
                "`settle` as the last step",
            )),
        }
    }
}
