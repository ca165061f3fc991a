//! What `doctor` looked for, and whether the machine has it.

use serde::Serialize;

/// Whether something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckState {
    /// It is.
    Ok,
    /// It is not, and without it nothing can be run.
    Missing,
    /// It is not, and only some things need it.
    Optional,
}

/// One thing that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What.
    pub(crate) name: &'static str,
    /// Whether it is there.
    pub(crate) state: CheckState,
    /// What was found.
    pub(crate) found: String,
    /// What it is for, as the rest of a sentence.
    pub(crate) purpose: &'static str,
    /// How to get it, as a sentence.
    pub(crate) remedy: String,
}
