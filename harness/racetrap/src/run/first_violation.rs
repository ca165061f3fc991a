//! A run that ends at its first violation, because only its verdict is asked for. Its evidence is that of
//! any other run that failed.

use std::time::Duration;

use racetrap_history::{OracleName, has_violation};
use tokio::time::timeout;

use crate::recorder::Recorder;

/// How long nothing is recorded before the history is judged in the middle of a step. A run that goes on
/// has its verdict soon enough; only one that waits is worth the look.
const STILL: Duration = Duration::from_secs(1);

/// When a run may end before its last step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndAt {
    /// It does not: every step is done, and every violation is found.
    #[default]
    LastStep,
    /// At the first violation, whichever oracle finds it.
    AnyViolation,
    /// At the first violation that this oracle finds.
    ViolationOf(OracleName),
}

impl EndAt {
    /// Whether the run may end now.
    pub(super) fn is_reached(self, recorder: &Recorder) -> bool {
        match self {
            Self::LastStep => false,
            Self::AnyViolation => has_violation(&recorder.history(), None),
            Self::ViolationOf(oracle) => has_violation(&recorder.history(), Some(oracle)),
        }
    }

    /// Waits until the run may end, and then records that the harness begins to end it. Looks whenever
    /// nothing was recorded for a while. Cancel-safe: it only looks before it records.
    pub(super) async fn comes(self, recorder: &Recorder) {
        if self == Self::LastStep {
            return std::future::pending().await;
        }
        let mut changes = recorder.changes();
        loop {
            changes.borrow_and_update();
            if timeout(STILL, changes.changed()).await.is_err() {
                if self.is_reached(recorder) {
                    return end(recorder);
                }
                if changes.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        }
    }
}

/// Records that the run ends here, and why.
pub(super) fn end(recorder: &Recorder) {
    recorder.note("the run ends at its first violation: only the verdict is asked for");
    recorder.begin_to_end();
}

#[cfg(test)]
mod tests {
    use racetrap_history::{Blame, What};

    use super::*;
    use crate::clock::Clock;

    // The violation is one of `liveness`, so a run that asks for another oracle goes on.
    #[tokio::test]
    async fn a_run_ends_at_a_violation_that_was_asked_for() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("journal");
        let recorder = Recorder::create(&path, Clock::start()).expect("a new journal");
        let liveness = EndAt::ViolationOf(OracleName::Liveness);
        assert!(![EndAt::AnyViolation, liveness].iter().any(|at| at.is_reached(&recorder)));
        let why = "late".to_owned();
        recorder.append(What::StepFailed { index: 0, blame: Blame::Daemon, why });
        assert!(!EndAt::LastStep.is_reached(&recorder));
        assert!(!EndAt::ViolationOf(OracleName::Convergence).is_reached(&recorder));
        assert!(EndAt::AnyViolation.is_reached(&recorder));
        liveness.comes(&recorder).await;
        assert_eq!(recorder.history().last().map(|record| &record.what), Some(&What::Ending));
    }
}
