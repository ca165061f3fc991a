//! Objects of the daemon's API have the form that their clients rely on.
//!
//! - A condition has its generation, and a time that changes exactly when its status does
//!   (`conditions`).
//! - A container's conditions follow from its state (`containers`).
//! - A mirror has the promised name, finalizer and fields, and is written in the promised order
//!   (`mirrors`).
//! - Versions and generations only rise, and what identifies an object stays (`writes`).
//!
//! Only a daemon with the contract's newest forms is judged, because older ones have others.

use super::{conditions, containers, mirrors, writes};
use crate::oracle::{Finding, revision};
use crate::record::Record;

/// Judges each state of each object that the history shows.
#[must_use]
pub fn object_form(history: &[Record]) -> Finding {
    let mut finding = writes::judge(history);
    let Some(controllers) = revision::controllers(history) else { return finding };
    let has_conditions = controllers.contains("container");
    for judged in [
        conditions::judge(history),
        containers::judge(history, has_conditions),
        mirrors::judge(history),
    ] {
        finding.violations.extend(judged.violations);
    }
    finding
}
