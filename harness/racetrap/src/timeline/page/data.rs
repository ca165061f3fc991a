//! The data for the script of the page, as JSON.

use std::collections::BTreeMap;

use racetrap_history::{Comparison, Judgement, Mirror, MirrorKey, Record, View, What};
use serde::Serialize;
use serde_json::{Value, json};

use super::beside::Beside;
use super::names::ShortNames;
use super::places::{began, engine_lines, log_lines, step_lines};
use super::summary::SCENARIO;
use crate::timeline::lanes::{Changed, Chart, Item};

/// The engine's log in an evidence directory.
const ENGINE_LOG: &str = "engine.log";

/// Everything but the JSON of the records: lanes, texts, the comparisons of mirrors, and the lines of
/// other files.
pub(super) fn drawn(
    history: &[Record],
    judgement: &Judgement,
    chart: &Chart,
    beside: &Beside,
) -> String {
    let short = ShortNames::from_history(history);
    let lanes: Vec<_> = chart
        .lanes
        .iter()
        .map(|lane| {
            let rows = lane.rows.iter();
            let titles: Vec<_> = rows.map(|row| row.title.as_str()).collect();
            json!({ "title": lane.title, "rows": titles })
        })
        .collect();
    // The items of all rows in one list: the script counts the rows of the lanes in the same order.
    let rows = chart.lanes.iter().flat_map(|lane| &lane.rows);
    let items: Vec<Vec<Value>> =
        rows.map(|row| row.items.iter().map(|one| item(one, &short)).collect()).collect();
    // Each source is stored once, and entries refer to it by index.
    let mut sources: Vec<&str> = Vec::new();
    let mut entries = Vec::with_capacity(chart.entries.len());
    for entry in &chart.entries {
        let source = position(&mut sources, entry.source);
        let text = short.shortened(&entry.text);
        entries.push(json!([entry.at_us, source, text, u8::from(entry.quiet)]));
    }
    let began = began(history);
    let engine = beside.texts.get(ENGINE_LOG).zip(began.filter(|(_, is_exact)| *is_exact));
    let engine = engine.map(|(text, (began, _))| engine_lines(text, began));
    let (keys, mirrors) = mirrors(history, &chart.changes);
    let violations = judgement.violations.iter().map(|violation| violation.seq);
    let unknowns = judgement.unknowns.iter().filter_map(|unknown| unknown.seq);
    embedded(&json!({
        "end": chart.end.us,
        "lanes": lanes,
        "items": items,
        "sources": sources,
        "entries": entries,
        "keys": keys,
        "mirrors": mirrors,
        "violations": violations.collect::<Vec<_>>(),
        "unknowns": unknowns.collect::<Vec<_>>(),
        "began": began,
        "links": beside.names.iter().map(|name| Beside::link(name)).collect::<Vec<_>>(),
        "files": beside.names,
        "lines": lines_of_records(history, beside),
        "engine": engine.unwrap_or_default(),
    }))
}

/// The line of each record that has one in another file, as `[record, file, line]`.
fn lines_of_records(history: &[Record], beside: &Beside) -> Vec<Value> {
    let mut lines = Vec::new();
    for (file, name) in beside.names.iter().enumerate() {
        let Some(text) = beside.texts.get(name) else { continue };
        if name == SCENARIO {
            let steps = history.iter().find_map(|record| {
                let What::Run(header) = &record.what else { return None };
                Some(header.scenario.steps.len())
            });
            let of_steps = step_lines(text, steps.unwrap_or_default());
            for record in history {
                let What::StepBegan { index } = &record.what else { continue };
                lines.extend(of_steps.get(*index).map(|line| json!([record.seq, file, line])));
            }
        } else if name != ENGINE_LOG {
            let of_log = log_lines(history, text);
            lines.extend(of_log.into_iter().map(|(seq, line)| json!([seq, file, line])));
        }
    }
    lines
}

/// The records as in the journal, one per line, so that the script can parse a single record.
pub(super) fn payloads(history: &[Record]) -> String {
    let lines: Vec<_> = history.iter().map(embedded).collect();
    lines.join("\n")
}

/// A mark as `[tone, label, time, record]`, and a bar as `[tone, label, time, record, last time,
/// last record]`.
fn item(item: &Item, short: &ShortNames) -> Value {
    let Item { label, from, to, .. } = item;
    let label = short.shortened(label);
    let tone = item.tone.name();
    match to {
        None => json!([tone, label, from.us, from.seq]),
        Some(to) => json!([tone, label, from.us, from.seq, to.us, to.seq]),
    }
}

/// JSON for a `script` element. Without `<` no text in it can end the element or begin a comment.
fn embedded(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("a record is JSON, and so is what is drawn");
    text.replace('<', "\\u003c")
}

fn position<T: PartialEq>(all: &mut Vec<T>, one: T) -> usize {
    all.iter().position(|known| *known == one).unwrap_or_else(|| {
        all.push(one);
        all.len() - 1
    })
}

/// The keys of all mirrors, and for each of the two daemons the changes in its comparisons:
/// `[record, wanted, [[key, state, why, lines]…]]`, with the index of a key. A comparison that has
/// ended is `[key]`.
fn mirrors(history: &[Record], changes: &[Vec<Changed>; 2]) -> (Vec<String>, [Vec<Value>; 2]) {
    let names = View::from_records(history);
    let mut keys: Vec<String> = Vec::new();
    let mut known: BTreeMap<&MirrorKey, usize> = BTreeMap::new();
    let told = changes.each_ref().map(|changes| {
        let mut told = Vec::new();
        for Changed { at, wanted, comparisons } in changes {
            let mut compared = Vec::new();
            for comparison in comparisons {
                let key = *known.entry(&comparison.key).or_insert_with(|| {
                    keys.push(names.named(&comparison.key.to_string()));
                    keys.len() - 1
                });
                compared.push(told_comparison(key, comparison, *wanted, &names));
            }
            told.push(json!([at.seq, u8::from(*wanted), compared]));
        }
        told
    });
    (keys, told)
}

fn told_comparison(key: usize, comparison: &Comparison, wanted: bool, names: &View) -> Value {
    let Comparison { key: stands_for, expected, seen, differences } = comparison;
    let state = match (expected, seen.as_slice()) {
        // Neither object nor mirror: the comparison has ended.
        (None, []) => return json!([key]),
        (_, seen) if !differences.is_empty() && seen.is_empty() => "missing",
        (None, _) if !differences.is_empty() => "extra",
        (Some(_), _) if !differences.is_empty() => "differs",
        // A mirror that nothing requires and nothing forbids.
        (None, _) => "apart",
        (Some(_), _) => "equal",
    };
    // The page shows the key beside the reason, so it is not repeated there.
    let prefix = format!("{stands_for}: ");
    let why = differences.iter().map(|text| text.strip_prefix(&prefix).unwrap_or(text));
    let why = match state {
        "extra" if !wanted => "there is a mirror, and the App shall not run".to_owned(),
        _ => names.named(&why.collect::<Vec<_>>().join("; ")),
    };
    json!([key, state, why, lines(comparison, names)])
}

/// A diff of the fields: expected ones that no mirror has (`-`), unexpected ones (`+`), and equal
/// ones.
fn lines(comparison: &Comparison, names: &View) -> Vec<String> {
    let Comparison { expected, seen, .. } = comparison;
    let empty = BTreeMap::new();
    let wanted = expected.as_ref().unwrap_or(&empty);
    let mut lines = Vec::new();
    for (field, value) in wanted.iter().filter(|(_, value)| !value.is_empty()) {
        let is_said = |mirror: &Mirror| mirror.fields.get(field) == Some(value);
        // If there are several mirrors, all of them must have the value.
        let sign = if !seen.is_empty() && seen.iter().all(is_said) { ' ' } else { '-' };
        lines.push(format!("{sign} {field}: {value}"));
    }
    for mirror in seen {
        let said = mirror.fields.iter();
        let other =
            said.filter(|(field, value)| !value.is_empty() && wanted.get(*field) != Some(*value));
        lines.extend(other.map(|(field, value)| format!("+ {field}: {value}")));
        if mirror.terminating {
            lines.push("+ marked for deletion".to_owned());
        }
    }
    lines.into_iter().map(|line| names.named(&line)).collect()
}
