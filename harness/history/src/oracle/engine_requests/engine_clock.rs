//! How far the clock of the engine's machine is ahead of the harness's.

use crate::record::{Record, What};
use crate::scenario::{EngineStep, GuestOp, Step};
use crate::steps::Steps;

/// Farther than any clock.
const FAR_S: i64 = i64::MAX / 4;

/// The seconds by which the engine's clock is ahead, as the steps of a scenario have set it.
#[derive(Clone, Copy)]
pub(super) struct EngineClock {
    /// The least that it may be now. While a step sets the clock, it has the value from before the step or
    /// the one from after it.
    least_s: i64,
    /// The most.
    most_s: i64,
    /// What it is when the present step is done. Nothing if the guest has booted: its kernel measures the
    /// frequency of its clock then, and on a busy machine measures it wrongly, so that the clock runs away.
    after_s: Option<i64>,
}

impl Default for EngineClock {
    fn default() -> Self {
        Self { least_s: 0, most_s: 0, after_s: Some(0) }
    }
}

impl EngineClock {
    pub(super) fn apply(&mut self, record: &Record, steps: Steps<'_>) {
        let before_s = self.after_s;
        if matches!(record.what, What::StepDone { .. }) {
            self.is_one_of(before_s, before_s);
        }
        let Some(Step::Engine(EngineStep::Guest(op))) = steps.begun(record) else { return };
        match op {
            GuestOp::Clock(jump) => self.after_s = before_s.map(|it| it + jump.seconds()),
            op if op.boots() => self.after_s = None,
            _ => return,
        }
        self.is_one_of(before_s, self.after_s);
    }

    /// The earliest and the latest that the engine's clock may say at a time of the harness's.
    pub(super) fn at(&self, now_s: i64) -> (i64, i64) {
        (now_s + self.least_s, now_s + self.most_s)
    }

    fn is_one_of(&mut self, one: Option<i64>, other: Option<i64>) {
        (self.least_s, self.most_s) = match (one, other) {
            (Some(one), Some(other)) => (one.min(other), one.max(other)),
            (None, _) | (_, None) => (-FAR_S, FAR_S),
        };
    }
}
