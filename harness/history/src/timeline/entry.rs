//! A history as text that a person reads from top to bottom.

use std::collections::BTreeMap;

use super::what::{Context, describe};
use crate::record::{LogLevel, Record, What, WireMessage, WireWhat};
use crate::steps::Steps;
use crate::view::View;

/// One record as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record's number.
    pub seq: u64,
    /// Its time, in microseconds since the run began.
    pub at_us: u64,
    /// Where it comes from, in one word.
    pub source: &'static str,
    /// What happened, with the scenario's names for IDs.
    pub text: String,
    /// It says little by itself, and is left out where all is read from top to bottom.
    pub quiet: bool,
}

/// One line a record; records that say nothing to a reader are left out.
#[must_use]
pub fn lines(history: &[Record]) -> Vec<String> {
    let told = entries(history).into_iter().filter(|entry| !entry.quiet);
    told.map(|Entry { seq, at_us, source, text, .. }| {
        let seconds = at_us as f64 / 1e6;
        format!("{seconds:>9.3}s {seq:>5}  {source:<7} {text}")
    })
    .collect()
}

/// Every record, in the order of the history.
#[must_use]
pub fn entries(history: &[Record]) -> Vec<Entry> {
    let steps = Steps::from_history(history);
    let mut views = [View::default(), View::default()];
    let mut requests: [[BTreeMap<u64, String>; 3]; 2] = Default::default();
    let entry = |record: &Record| {
        let view = &mut views[usize::from(record.neighbour)];
        view.apply(record);
        // Each wire counts its exchanges for itself.
        let requests = &mut requests[usize::from(record.neighbour)][which_wire(&record.what)];
        if let What::Wire(message) | What::UserWire(message) | What::ApiWire(message) = &record.what
            && let WireMessage { exchange, event: WireWhat::Request { method, target, .. }, .. } =
                message
        {
            requests.insert(*exchange, format!("{method} {target}"));
        }
        let (source, text) = describe(&record.what, Context { requests, steps });
        let text = view.named(&text);
        let text = if record.neighbour { format!("the neighbour: {text}") } else { text };
        let quiet = is_quiet(&record.what);
        Entry { seq: record.seq, at_us: record.at_us, source, text, quiet }
    };
    history.iter().map(entry).collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only some records are of a wire")]
fn which_wire(what: &What) -> usize {
    match what {
        What::ApiWire(_) => 1,
        What::UserWire(_) => 2,
        _ => 0,
    }
}

/// What another record tells too, and lines that the daemon writes while all is well.
fn is_quiet(what: &What) -> bool {
    if let What::Wire(message) | What::ApiWire(message) | What::UserWire(message) = what {
        let event = &message.event;
        return matches!(event, WireWhat::Opened | WireWhat::Finished { .. } | WireWhat::Closed);
    }
    if let What::Api(change) = what {
        return change.resource == "configmaps";
    }
    matches!(
        what,
        What::StepDone { .. }
            | What::Truth(_)
            | What::Listed { .. }
            | What::DockerUser(_)
            | What::Log { level: LogLevel::Info, .. }
    )
}
