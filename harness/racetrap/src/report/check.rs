//! What `doctor` looked for, and whether the machine has it.

use serde::Serialize;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckState {
    /// The machine has it.
    Ok,
    /// The machine lacks it, and nothing can be run without it.
    Missing,
    /// The machine lacks it, but only some runs need it.
    Optional,
}

/// One check of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What the check looks for.
    pub(crate) name: &'static str,
    /// The result.
    pub(crate) state: CheckState,
    /// What the check found.
    pub(crate) found: String,
    /// What needs it, as the rest of a sentence.
    pub(crate) purpose: &'static str,
    /// How to get it, as a sentence.
    pub(crate) remedy: String,
}
