//! The daemon keeps what users wrote into its API.
//!
//! - A field of `spec`, a label or an annotation keeps the user's value (`fields`).
//! - The daemon does not delete an object that a user created and that is not a mirror (`foreign`).
//! - A mirror that a user deleted disappears together with its engine object, and does not come back
//!   (`deletion`).
//! - The daemon removes nothing from the engine that no user deleted (`removals`).

use super::{deletion, fields, foreign, removals};
use crate::oracle::Finding;
use crate::record::Record;

/// Judges what happened to everything that users wrote, created and deleted.
#[must_use]
pub fn no_lost_update(history: &[Record]) -> Finding {
    let mut finding = fields::judge(history);
    let others = [foreign::judge(history), deletion::judge(history), removals::judge(history)];
    for judged in others {
        finding.violations.extend(judged.violations);
    }
    finding
}
