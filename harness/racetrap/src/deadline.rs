//! Deadlines, each of which leaves room for what comes after it: a step's ends within its run's, and
//! the run's early enough before whoever started it kills it, that the evidence is written by then.

use std::time::Duration;

/// How long the capture of what a run leaves may take, at the longest.
pub const CAPTURE_BUDGET: Duration = Duration::from_secs(60);

/// How long a step, a run, and all runs of one harness may take; each is longer than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    step: Duration,
    run: Duration,
    harness: Option<Duration>,
}

/// Deadlines of which one would not leave room for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum DeadlineError {
    /// A run would end before its step does, so that nobody would be told of the step.
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
    /// What holds where nothing else is said: half a minute a step, five minutes a run.
    pub const DEFAULT: Self =
        Self { step: Duration::from_secs(30), run: Duration::from_secs(5 * 60), harness: None };

    /// These two, for a harness that nobody will kill.
    ///
    /// # Errors
    /// Where a step could outlast its run.
    pub fn new(step: Duration, run: Duration) -> Result<Self, DeadlineError> {
        if step < run {
            Ok(Self { step, run, harness: None })
        } else {
            Err(DeadlineError::StepOutlastsRun { step, run })
        }
    }

    /// The same for a harness that is killed after `kill`: it ends by itself before that, as early as
    /// the capture of evidence needs.
    ///
    /// # Errors
    /// Where a run and the capture of its evidence could outlast the harness.
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

    /// How long a run may take from its beginning to its last step, its world's making included.
    #[must_use]
    pub fn run(self) -> Duration {
        self.run
    }

    /// How long all runs together may take, where the harness is killed at some time.
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

    /// On both sides of each edge: equal deadlines leave no room, one second does.
    #[test]
    fn each_deadline_leaves_room_for_the_next_or_is_refused_with_both_numbers() {
        assert!(Deadlines::new(s(9), s(10)).is_ok());
        let refused = Deadlines::new(s(10), s(10)).expect_err("no room").to_string();
        assert!(refused.contains("a step may take 10 s"), "{refused}");
        assert!(refused.contains("no more than 10 s"), "{refused}");
        let deadlines = Deadlines::new(s(9), s(10)).expect("in order");
        let capture = CAPTURE_BUDGET.as_secs();
        let within = deadlines.before(s(11 + capture)).expect("in order");
        assert_eq!(within.harness(), Some(s(11)));
        let refused = deadlines.before(s(10 + capture)).expect_err("no room").to_string();
        assert!(refused.contains("a run may take 10 s"), "{refused}");
        assert!(refused.contains(&format!("killed after {} s", 10 + capture)), "{refused}");
    }

    #[test]
    fn the_deadlines_that_hold_where_nothing_is_said_are_in_order() {
        let Deadlines { step, run, .. } = Deadlines::DEFAULT;
        assert_eq!(Deadlines::new(step, run), Ok(Deadlines::DEFAULT));
    }
}
