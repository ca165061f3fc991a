//! The entries of a timeline: one line of text for each record.

use std::collections::BTreeMap;

use super::what::{Context, describe};
use crate::record::{LogLevel, Record, What, WireMessage, WireWhat};
use crate::steps::Steps;
use crate::view::View;

/// One record as text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record's number.
    pub seq: u64,
    /// The record's time, in microseconds since the run began.
    pub at_us: u64,
    /// The source of the record, in one word.
    pub source: &'static str,
    /// What happened, with the scenario's names instead of IDs.
    pub text: String,
    /// The record says little by itself, so [`lines`] omits it.
    pub quiet: bool,
}

/// One line for each record, without the quiet records.
#[must_use]
pub fn lines(history: &[Record]) -> Vec<String> {
    let shown = entries(history).into_iter().filter(|entry| !entry.quiet);
    shown
        .map(|Entry { seq, at_us, source, text, .. }| {
            let seconds = at_us as f64 / 1e6;
            format!("{seconds:>9.3}s {seq:>5}  {source:<7} {text}")
        })
        .collect()
}

/// One entry for each record, in the order of the history.
#[must_use]
pub fn entries(history: &[Record]) -> Vec<Entry> {
    let steps = Steps::from_history(history);
    // The run's own daemon and its neighbour have different objects, so each has its own view.
    let mut views = [View::default(), View::default()];
    let mut requests: [[BTreeMap<u64, String>; 4]; 2] = Default::default();
    let entry = |record: &Record| {
        let view = &mut views[usize::from(record.neighbour)];
        view.apply(record);
        // Each wire numbers its own exchanges. Only a request has the target, so it is kept for the
        // exchange's later records.
        let requests = &mut requests[usize::from(record.neighbour)][wire_index(&record.what)];
        if let What::Wire(message)
        | What::UserWire(message)
        | What::ApiWire(message)
        | What::KubernetesWire(message) = &record.what
            && let WireMessage { exchange, event: WireWhat::Request { method, target, .. }, .. } =
                message
        {
            requests.insert(*exchange, format!("{method} {target}"));
        }
        let (source, text) = describe(&record.what, Context { requests, steps });
        // After `apply`, so that an object's name is known in the record that first shows it.
        let text = view.named(&text);
        let text = if record.neighbour { format!("the neighbour: {text}") } else { text };
        let quiet = is_quiet(&record.what);
        Entry { seq: record.seq, at_us: record.at_us, source, text, quiet }
    };
    history.iter().map(entry).collect()
}

/// Index of the wire that a message belongs to.
#[expect(clippy::wildcard_enum_match_arm, reason = "only some records are of a wire")]
fn wire_index(what: &What) -> usize {
    match what {
        What::ApiWire(_) => 1,
        What::UserWire(_) => 2,
        What::KubernetesWire(_) => 3,
        _ => 0,
    }
}

/// Whether another record says the same, or the record is an ordinary log line.
fn is_quiet(what: &What) -> bool {
    if let What::Wire(message)
    | What::ApiWire(message)
    | What::UserWire(message)
    | What::KubernetesWire(message) = what
    {
        let event = &message.event;
        return matches!(event, WireWhat::Opened | WireWhat::Finished { .. } | WireWhat::Closed);
    }
    // ConfigMaps contain the daemon's discovery, which says nothing about mirrors.
    if let What::Api(change) = what {
        return change.resource == "configmaps";
    }
    matches!(
        what,
        What::StepDone { .. }
            | What::Truth(_)
            | What::Listed { .. }
            | What::DockerUser(_)
            | What::VmFiles(_)
            | What::Log { level: LogLevel::Info, .. }
    )
}
