//! What must hold for a schedule to make sense, whatever daemon it is run on.
//!
//! - `gates`: the order of gates;
//! - `names`: what is used was made before;
//! - `faults`: what is broken is mended before anything is judged;
//! - `docker`: the world has what is done to the docker command's configuration;
//! - `commands`: what goes on in the background is awaited;
//! - `logs`: clients of the log passthrough come before they go.

mod commands;
mod docker;
mod faults;
mod gates;
mod logs;
mod names;

use crate::{Scenario, Step};

/// A schedule that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ScheduleError {
    /// Index of the step, from 0.
    pub step: usize,
    /// What is wrong, as a sentence fragment.
    pub problem: String,
    /// What was expected instead.
    pub expected: String,
}

impl ScheduleError {
    /// An error at the step with this index, from 0.
    #[must_use]
    pub fn new(step: usize, problem: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { step, problem: problem.into(), expected: expected.into() }
    }
}

impl Scenario {
    /// Checks that the schedule can be carried out and ends with something that can be judged.
    ///
    /// # Errors
    /// The first step that cannot be carried out, with what was expected there.
    pub fn check(&self) -> Result<(), ScheduleError> {
        gates::check(self)?;
        names::check(self)?;
        faults::check(self)?;
        commands::check(self)?;
        docker::check(self)?;
        logs::check(self)?;
        match self.steps.last() {
            Some(Step::Settle) => Ok(()),
            Some(_) | None => Err(ScheduleError::new(
                self.steps.len().saturating_sub(1),
                "nothing is judged after the last step",
                "`settle` as the last step",
            )),
        }
    }
}
