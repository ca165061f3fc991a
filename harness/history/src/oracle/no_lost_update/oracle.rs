//! What a user wrote into the daemon's API stays there.
//!
//! - A field of `spec`, a label, an annotation keeps the user's value (`fields`).
//! - An object that a user created, and that is no mirror, is not deleted (`foreign`).
//! - What a user deleted goes with its engine object, and does not come back (`deletion`).
//! - What no user deleted is not removed from the engine (`removals`).

use super::{deletion, fields, foreign, removals};
use crate::oracle::Finding;
use crate::record::Record;

/// Judges what became of everything that users wrote.
#[must_use]
pub fn no_lost_update(history: &[Record]) -> Finding {
    let mut finding = fields::judge(history);
    let others = [foreign::judge(history), deletion::judge(history), removals::judge(history)];
    for judged in others {
        finding.violations.extend(judged.violations);
    }
    finding
}
