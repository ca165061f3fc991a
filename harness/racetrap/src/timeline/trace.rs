//! The lanes as a trace, for Perfetto and chrome://tracing (Trace Event Format).

use racetrap_history::{Judgement, Record};
use serde::Serialize;
use serde_json::{Value, json};

use super::lanes::{Chart, Item, Row};

/// A lane is a process of the trace, and a row a thread of it.
#[derive(Clone, Copy, Serialize)]
struct Track {
    pid: usize,
    tid: usize,
}

#[derive(Serialize)]
struct Event {
    #[serde(flatten)]
    track: Track,
    /// `B` begins, `E` ends, `i` marks, `M` names.
    ph: char,
    /// Microseconds since the run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// A mark belongs to its thread alone.
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
    let chart = Chart::of(history, judgement);
    let mut events = Vec::new();
    for (pid, lane) in (1..).zip(&chart.lanes) {
        let of_lane = Track { pid, tid: 0 };
        events.push(named(of_lane, "process_name", json!({ "name": lane.title })));
        events.push(named(of_lane, "process_sort_index", json!({ "sort_index": pid })));
        for (tid, row) in (1..).zip(&lane.rows) {
            let track = Track { pid, tid };
            let title = if row.title.is_empty() { &lane.title } else { &row.title };
            events.push(named(track, "thread_name", json!({ "name": title })));
            events.push(named(track, "thread_sort_index", json!({ "sort_index": tid })));
            take_row(&mut events, track, row);
        }
    }
    let text = serde_json::to_string(&json!({ "displayTimeUnit": "ms", "traceEvents": events }));
    text.expect("structs of text and numbers are JSON") + "\n"
}

/// The events of a row in the order of their times; each bar ends before what is below it.
fn take_row(events: &mut Vec<Event>, track: Track, row: &Row) {
    let mut ends: Vec<u64> = Vec::new();
    for item in &row.items {
        let at = item.from.us;
        while let Some(end) = ends.pop_if(|end| *end <= at) {
            events.push(event(track, 'E', end));
        }
        match item.to {
            Some(to) => {
                events.push(Event { s: None, ..told(track, 'B', item) });
                // What lies within another bar ends with it at the latest.
                let within = ends.last().copied().unwrap_or(u64::MAX);
                ends.push(to.us.max(at).min(within));
            }
            None => events.push(told(track, 'i', item)),
        }
    }
    while let Some(end) = ends.pop() {
        events.push(event(track, 'E', end));
    }
}

fn event(track: Track, ph: char, ts: u64) -> Event {
    Event { track, ph, ts: Some(ts), name: None, s: None, cat: None, args: None }
}

fn told(track: Track, ph: char, item: &Item) -> Event {
    let name = Some(item.label.clone());
    let args = Some(json!({ "record": item.from.seq }));
    let cat = Some(item.tone.name());
    Event { name, s: Some('t'), cat, args, ..event(track, ph, item.from.us) }
}

fn named(track: Track, what: &str, args: Value) -> Event {
    let name = Some(what.to_owned());
    Event { ts: None, name, args: Some(args), ..event(track, 'M', 0) }
}
