//! What comes of a run.

use std::path::PathBuf;
use std::time::Duration;

use racetrap_history::{Judgement, Record, VmMode, What};

/// What came of a run that began.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Verdict and reasons.
    pub judgement: Judgement,
    /// The history.
    pub history: Vec<Record>,
    /// The run's evidence directory; none where the run passed and it was not to be kept.
    pub evidence: Option<PathBuf>,
    /// How the daemon's VM was run.
    pub vm: VmMode,
    /// Wall time of the run, world included.
    pub took: Duration,
}

impl Outcome {
    /// The engine that was run, its version and image store, as soon as it could be asked.
    #[must_use]
    pub fn engine(&self) -> Option<String> {
        engine_of(&self.history)
    }

    /// A line for a run that did not pass in a world that was used before, because that may be why.
    #[must_use]
    pub fn used_again(&self) -> Option<String> {
        let head = self.history.first().map(|record| &record.what);
        match head {
            Some(What::Run(head)) if head.reused > 0 && !self.judgement.verdict.is_settled() => {
                let run = head.reused + 1;
                Some(format!("this was run {run} in its world; `repro` makes a new one"))
            }
            _ => None,
        }
    }
}

/// The engine of a history, as soon as it could be asked.
pub(crate) fn engine_of(history: &[Record]) -> Option<String> {
    history.iter().find_map(|record| {
        let What::Facts { engine, .. } = &record.what else { return None };
        (!record.neighbour).then(|| engine.clone())
    })
}
