//! The daemon asks the engine in the promised words and order.
//!
//! - Each request has the promised path and parameters (`words`).
//! - A daemon that connects asks in the promised order, and reports `Connected` only afterwards
//!   (`order`).
//! - An action that a user asks for once is sent once (`actions`).
//! - A probe of the user's engine that a newer one replaces is ended (`probes`).
//!
//! The docker command of the user reaches the engine by the same wire. What is asked while such a
//! command runs is not judged. Neither is a daemon without the contract's newest forms.

use super::{actions, order, probes, words};
use crate::oracle::{Finding, revision};
use crate::record::Record;

/// Judges the daemon's requests to engines.
#[must_use]
pub fn engine_requests(history: &[Record]) -> Finding {
    if revision::controllers(history).is_none() {
        return Finding::default();
    }
    let mut finding = words::judge(history);
    for judged in [actions::judge(history), order::judge(history), probes::judge(history)] {
        finding.violations.extend(judged.violations);
    }
    finding
}
