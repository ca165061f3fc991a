//! The lanes as a trace in the Trace Event Format, for Perfetto and chrome://tracing.

use racetrap_history::{Judgement, Record};
use serde::Serialize;
use serde_json::{Value, json};

use super::lanes::{Chart, Item, Row};

/// A row of a lane. In the trace a lane is a process, and a row is a thread of the process.
#[derive(Clone, Copy, Serialize)]
struct Track {
    pid: usize,
    tid: usize,
}

#[derive(Serialize)]
struct Event {
    #[serde(flatten)]
    track: Track,
    /// The phase: `B` begins a bar, `E` ends it, `i` is a mark, `M` names a track.
    ph: char,
    /// Microseconds since the run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The scope of a mark: `t`, its thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Value>,
}

/// A history and its judgement as the text of a `trace.json`.
#[must_use]
pub fn trace(history: &[Record], judgement: &Judgement) -> String {
    let chart = Chart::new(history, judgement);
    let mut events = Vec::new();
    for (pid, lane) in (1..).zip(&chart.lanes) {
        let process = Track { pid, tid: 0 };
        events.push(metadata(process, "process_name", json!({ "name": lane.title })));
        events.push(metadata(process, "process_sort_index", json!({ "sort_index": pid })));
        for (tid, row) in (1..).zip(&lane.rows) {
            let track = Track { pid, tid };
            // Viewers show a number for a thread without a name.
            let title = if row.title.is_empty() { &lane.title } else { &row.title };
            events.push(metadata(track, "thread_name", json!({ "name": title })));
            events.push(metadata(track, "thread_sort_index", json!({ "sort_index": tid })));
            add_row(&mut events, track, row);
        }
    }
    let text = serde_json::to_string(&json!({ "displayTimeUnit": "ms", "traceEvents": events }));
    text.expect("structs of text and numbers are JSON") + "\n"
}

/// Adds the events of a row in the order of their times. A viewer matches each `E` with the last
/// open `B` of its track, so an inner bar must end no later than the outer one.
fn add_row(events: &mut Vec<Event>, track: Track, row: &Row) {
    // The ends of the open bars, the innermost last.
    let mut ends: Vec<u64> = Vec::new();
    for item in &row.items {
        let at = item.from.us;
        while let Some(end) = ends.pop_if(|end| *end <= at) {
            events.push(event(track, 'E', end));
        }
        match item.to {
            Some(to) => {
                // Only marks have a scope.
                events.push(Event { s: None, ..item_event(track, 'B', item) });
                let outer_end = ends.last().copied().unwrap_or(u64::MAX);
                ends.push(to.us.max(at).min(outer_end));
            }
            None => events.push(item_event(track, 'i', item)),
        }
    }
    // The bars that are still open end after the last item, the innermost first.
    while let Some(end) = ends.pop() {
        events.push(event(track, 'E', end));
    }
}

fn event(track: Track, ph: char, ts: u64) -> Event {
    Event { track, ph, ts: Some(ts), name: None, s: None, cat: None, args: None }
}

fn item_event(track: Track, ph: char, item: &Item) -> Event {
    let name = Some(item.label.clone());
    let args = Some(json!({ "record": item.from.seq }));
    let cat = Some(item.tone.name());
    Event { name, s: Some('t'), cat, args, ..event(track, ph, item.from.us) }
}

/// An event that describes a track.
fn metadata(track: Track, name: &str, args: Value) -> Event {
    let name = Some(name.to_owned());
    Event { ts: None, name, args: Some(args), ..event(track, 'M', 0) }
}
