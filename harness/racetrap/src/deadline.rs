//! Deadlines of steps, runs and the harness. Each leaves time for what comes after it: a step's
//! deadline is earlier than its run's, and the run's is so early that the evidence is written
//! before a CI kills the harness.

use std::time::Duration;

/// How long the capture of a run's evidence may take.
pub const CAPTURE_BUDGET: Duration = Duration::from_secs(60);

/// How long a step, a run, and all runs of one harness may take. Each is longer than the one
/// before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    step: Duration,
    run: Duration,
    harness: Option<Duration>,
}

/// A deadline leaves no time for the one after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum DeadlineError {
    /// A run would end before its step does, and could not report that the step was late.
    #[error(
        "a step may take {} s, but the whole run, with its world, no more than {} s",
        step.as_secs(), run.as_secs()
    )]
    #[diagnostic(help("give a longer --run-deadline, or a shorter --deadline"))]
    StepOutlastsRun {
        /// The step's deadline.
        step: Duration,
        /// The run's.
        run: Duration,
    },
    /// The harness would be killed before the evidence is written.
    #[error(
        "a run may take {} s, and the capture of its evidence {} s more, but the harness is killed \
         after {} s",
        run.as_secs(), CAPTURE_BUDGET.as_secs(), kill.as_secs()
    )]
    #[diagnostic(help("let it be killed later, or give a shorter --run-deadline"))]
    RunOutlastsHarness {
        /// The run's deadline.
        run: Duration,
        /// When the harness is killed, from its start.
        kill: Duration,
    },
}

impl Deadlines {
    /// The defaults: 30 s for a step, 5 minutes for a run.
    pub const DEFAULT: Self =
        Self { step: Duration::from_secs(30), run: Duration::from_secs(5 * 60), harness: None };

    /// The defaults for an engine in a guest, whose processors software may emulate: 2 minutes for a
    /// step, 15 minutes for a run.
    pub const IN_GUEST: Self =
        Self { step: Duration::from_secs(120), run: Duration::from_secs(15 * 60), harness: None };

    /// Deadlines for a harness that nothing will kill.
    ///
    /// # Errors
    /// If a step could take as long as its run.
    pub fn new(step: Duration, run: Duration) -> Result<Self, DeadlineError> {
        if step < run {
            Ok(Self { step, run, harness: None })
        } else {
            Err(DeadlineError::StepOutlastsRun { step, run })
        }
    }

    /// Adds the deadline of a harness that will be killed `kill` after its start. The harness ends
    /// itself before that, early enough for the capture of evidence.
    ///
    /// # Errors
    /// If a run and the capture of its evidence could take as long.
    pub fn before(self, kill: Duration) -> Result<Self, DeadlineError> {
        match kill.checked_sub(CAPTURE_BUDGET).filter(|left| self.run < *left) {
            Some(left) => Ok(Self { harness: Some(left), ..self }),
            None => Err(DeadlineError::RunOutlastsHarness { run: self.run, kill }),
        }
    }

    /// How long any one step of a scenario may take.
    #[must_use]
    pub fn step(self) -> Duration {
        self.step
    }

    /// How long a run may take, from the start of its world to its last step.
    #[must_use]
    pub fn run(self) -> Duration {
        self.run
    }

    /// How long all runs together may take; `None` if nothing will kill the harness.
    #[must_use]
    pub fn harness(self) -> Option<Duration> {
        self.harness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Equal deadlines leave no time and are refused; a difference of one second is enough.
    #[test]
    fn a_deadline_that_leaves_no_time_for_the_next_is_refused_with_both_numbers() {
        assert!(Deadlines::new(s(9), s(10)).is_ok());
        let refused = Deadlines::new(s(10), s(10)).expect_err("no time is left").to_string();
        assert!(refused.contains("a step may take 10 s"), "{refused}");
        assert!(refused.contains("no more than 10 s"), "{refused}");
        let deadlines = Deadlines::new(s(9), s(10)).expect("in order");
        let capture = CAPTURE_BUDGET.as_secs();
        let within = deadlines.before(s(11 + capture)).expect("in order");
        assert_eq!(within.harness(), Some(s(11)));
        let refused = deadlines.before(s(10 + capture)).expect_err("no time is left").to_string();
        assert!(refused.contains("a run may take 10 s"), "{refused}");
        assert!(refused.contains(&format!("killed after {} s", 10 + capture)), "{refused}");
    }

    #[test]
    fn the_default_deadlines_are_in_order() {
        for default in [Deadlines::DEFAULT, Deadlines::IN_GUEST] {
            let Deadlines { step, run, .. } = default;
            assert_eq!(Deadlines::new(step, run), Ok(default));
        }
    }
}
