//! What the daemon does is bounded by what it was given to do; idle time costs nothing.
//!
//! - A change of the App that asks for nothing does not repeat what was done (`idle`).
//! - The engine is not asked the same thing about one object over and over (`requests`).
//! - A mirror is not written where nothing of it changes (`writes`).

use super::{idle, requests, writes};
use crate::oracle::Finding;
use crate::record::Record;

/// Judges the work of the whole history.
#[must_use]
pub fn bounded_work(history: &[Record]) -> Finding {
    let mut finding = idle::judge(history);
    for judged in [requests::judge(history), writes::judge(history)] {
        finding.violations.extend(judged.violations);
    }
    finding
}
