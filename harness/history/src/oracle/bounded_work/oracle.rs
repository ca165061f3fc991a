//! The daemon works only if it has a cause, and an idle daemon does nothing.
//!
//! - If a change of the App does not change its desired state, the daemon repeats no work (`idle`).
//! - The daemon does not send the same request about one object over and over (`requests`).
//! - The daemon does not write a mirror without changing it (`writes`).
//! - A connected daemon does not connect again without a reason (`reconnects`).

use super::{idle, reconnects, requests, writes};
use crate::oracle::Finding;
use crate::record::Record;

/// Judges the daemon's log lines, requests and writes.
#[must_use]
pub fn bounded_work(history: &[Record]) -> Finding {
    let mut finding = idle::judge(history);
    for judged in [requests::judge(history), writes::judge(history), reconnects::judge(history)] {
        finding.violations.extend(judged.violations);
    }
    finding
}
