//! A schedule that cannot be carried out, and where.

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
