//! What goes wrong with a log stands in the daemon's log, at a level that is shown by default, with the
//! container (finding 323-I2).
//!
//! The contract's newest revision logs it at a level that is not (6.1), so this is judged where the
//! finding is shown, and nowhere else: it would hide what other runs are about.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Check;
use crate::mirror::short;
use crate::oracle::Finding;
use crate::record::{LogLevel, Record, What, WireMessage, WireWhat};
use crate::view::{LOGS, object_in};

/// The finding whose runs are judged.
const SHOWN: &str = "323-I2";

pub(super) fn judge(history: &[Record], finding: &mut Finding) {
    let shown = history.iter().any(
        |record| matches!(&record.what, What::Run(header) if header.finding.as_str() == SHOWN),
    );
    if !shown {
        return;
    }
    let mut containers: BTreeMap<u64, String> = BTreeMap::new();
    let mut failed: BTreeSet<u64> = BTreeSet::new();
    let mut failures: Vec<(u64, u64)> = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for record in history {
        match &record.what {
            What::Wire(WireMessage { exchange, event, .. }) => match event {
                WireWhat::Request { target, route, .. } if route.as_deref() == Some(LOGS) => {
                    containers.extend(object_in(LOGS, target).map(|id| (*exchange, id)));
                }
                WireWhat::Response { status: 500.. }
                | WireWhat::Cut
                | WireWhat::UpstreamLost { .. }
                    if containers.contains_key(exchange) && failed.insert(*exchange) =>
                {
                    failures.push((record.seq, *exchange));
                }
                _ => {}
            },
            What::Log { level, text } if *level >= LogLevel::Warning => lines.push(text),
            _ => {}
        }
    }
    for (seq, id) in failures.into_iter().map(|(seq, exchange)| (seq, &containers[&exchange])) {
        // A line must have as much of the ID as Docker shows of it.
        match lines.iter().position(|line| line.contains(short(id))) {
            // One line tells of one failure.
            Some(at) => drop(lines.remove(at)),
            None => {
                let text = format!("the log of {id} failed, and nothing that is shown says so");
                finding.violated(Check::FailureUnlogged, seq, text);
            }
        }
    }
}
