//! The lines of a command that waits are conditions of the App, at the generation of its change or a
//! later one (contract 1.4.6, 1.5.2).
//!
//! There is a line for each condition that changes, and none for one that does not; the last change is
//! that the App has settled.
//!
//! The first list of the App after the command shows the generation of its change, if nobody else has
//! changed the App meanwhile. A condition that the App had at an older generation only was not to be
//! reported. While several commands run, no line is judged.

use std::collections::BTreeMap;

use serde_json::Value;

use super::messages::message;
use super::oracle::own_words;
use crate::check::Check;
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::record::{CommandRun, Record, What};

/// Verbs of commands that wait for the App.
const VERBS: [&str; 3] = ["set", "start", "stop"];

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    // The newest generation at which the App had a condition, by the line that reports it.
    let mut known: BTreeMap<String, i64> = BTreeMap::new();
    let mut ended: Option<(&CommandRun, u64)> = None;
    for record in history {
        for seen in ObservedObject::in_record(&record.what) {
            if seen.resource == "apps" {
                note_conditions(&mut known, seen.object);
            }
        }
        match &record.what {
            What::CommandBegan { .. } => ended = None,
            What::Command(command) => {
                let waits = own_words(command)
                    .is_some_and(|words| words.first().is_some_and(|verb| VERBS.contains(verb)));
                ended = waits.then_some((command, record.seq));
            }
            What::Listed { resource, objects, .. } if resource == "apps" => {
                let Some((command, seq)) = ended.take() else { continue };
                let Some(app) = objects.first() else { continue };
                let generation = generation(app).unwrap_or_default();
                let lines = reported(command);
                let is_old = |line: &&String| known.get(*line).is_none_or(|at| *at < generation);
                let complaints = [
                    lines.iter().find(is_old).map(|line| {
                        format!(
                            "reported `{line}`, which is no condition of the App at generation \
                             {generation}"
                        )
                    }),
                    repeated(&lines).map(|line| format!("reported again `{line}`")),
                    unreported(command, &lines),
                ];
                for complaint in complaints.into_iter().flatten() {
                    let text = format!("`{}` {complaint}", command.arguments.join(" "));
                    finding.violated(Check::WrongProgress, seq, text);
                }
            }
            _ => {}
        }
    }
    finding
}

/// The messages of a command that have the form of a condition's line.
fn reported(command: &CommandRun) -> Vec<String> {
    let is_line = |message: &String| {
        let kind = message.split_once('=').map(|(kind, _)| kind).unwrap_or_default();
        let is_kind = !kind.is_empty() && kind.chars().all(char::is_alphanumeric);
        is_kind && message.ends_with(')') && message.contains(": ")
    };
    command.stderr.lines().filter_map(message).filter(is_line).collect()
}

/// A line about a condition that is as it was when the last line about it was written.
fn repeated(lines: &[String]) -> Option<&String> {
    let mut last = BTreeMap::new();
    lines.iter().find(|line| {
        let kind = line.split_once('=').map(|(kind, _)| kind);
        last.insert(kind, *line) == Some(line)
    })
}

/// What is missing if a command waited until the App had settled, shows all messages, and does not
/// report that.
fn unreported(command: &CommandRun, lines: &[String]) -> Option<String> {
    let has = |option: &str| command.arguments.iter().any(|argument| argument == option);
    let shows_all = ["info", "debug", "trace"].iter().any(|it| has(&format!("--log-level={it}")));
    let waited = !has("--wait=false") && !has("--dry-run") && command.exit.is_success();
    let is_reported = lines.iter().any(|line| line.starts_with("Settled=True: "));
    (shows_all && waited && !is_reported)
        .then(|| format!("did not report that the App has settled: {}", command.stderr.trim()))
}

fn note_conditions(known: &mut BTreeMap<String, i64>, app: &Value) {
    let listed = app.pointer("/status/conditions").and_then(Value::as_array);
    for condition in listed.into_iter().flatten() {
        let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kind, status, reason) = (text("type"), text("status"), text("reason"));
        let line = format!("{kind}={status}: {} ({reason})", text("message"));
        let observed = condition.get("observedGeneration").and_then(Value::as_i64);
        let newest = known.entry(line).or_default();
        *newest = (*newest).max(observed.unwrap_or_default());
    }
}

fn generation(app: &Value) -> Option<i64> {
    app.pointer("/metadata/generation")?.as_i64()
}
