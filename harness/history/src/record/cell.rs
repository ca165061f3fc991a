//! The daemons that a matrix runs each scenario on.

use serde::{Deserialize, Serialize};

use crate::scenario::About;

/// The daemon of a cell. It says what the verdict of the run must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DaemonKind {
    /// No defect is switched on.
    Correct,
    /// The defect of the finding is switched on.
    Own,
    /// The defect of another finding is switched on.
    Unrelated,
    /// No defect is switched on, and the scenario runs without its faults: the control run.
    Control,
}

impl DaemonKind {
    /// The defect that this daemon has for a finding, if any.
    #[must_use]
    pub fn defect(self, about: &About) -> Option<&str> {
        match self {
            Self::Correct | Self::Control => None,
            Self::Own => Some(&about.defect),
            Self::Unrelated => Some(&about.unrelated),
        }
    }
}
