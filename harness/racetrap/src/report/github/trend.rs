//! How the result changes from one run of a job to the next.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::summary::plain;
use crate::report::case::{Case, State};

/// How many commands are kept in a file.
const KEPT: usize = 100;

/// How many commands the table shows, the newest first.
const SHOWN: usize = 10;

/// How many runs are named that have changed.
const NAMED: usize = 20;

/// The result of one command: a line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrendEntry {
    /// When the command ended, RFC 3339.
    pub(crate) written: String,
    /// The subcommand.
    pub(crate) command: String,
    /// The daemon's version; empty if none was run.
    pub(crate) daemon: String,
    /// How many runs were as they must be.
    pub(crate) right: usize,
    /// How many had a verdict that they must not have.
    pub(crate) wrong: usize,
    /// How many showed nothing.
    pub(crate) unknown: usize,
    /// How many failed as they are known to.
    pub(crate) known: usize,
    /// How many were not for this daemon.
    pub(crate) not_applicable: usize,
    /// Time of all runs together, in seconds.
    pub(crate) seconds: f64,
    /// The runs that are wrong or unknown, by finding and column.
    pub(crate) bad: BTreeSet<String>,
}

impl TrendEntry {
    /// The entry for the cases of a command.
    pub(crate) fn new(written: String, command: &str, daemon: &str, cases: &[Case]) -> Self {
        let count = |state| cases.iter().filter(|case| case.state == state).count();
        let bad = cases.iter().filter(|case| case.state.is_bad());
        Self {
            written,
            command: command.to_owned(),
            daemon: daemon.to_owned(),
            right: count(State::Right),
            wrong: count(State::Wrong),
            unknown: count(State::Unknown),
            known: count(State::Known),
            not_applicable: count(State::NotApplicable),
            seconds: cases.iter().map(|case| case.seconds).sum(),
            bad: bad.map(|case| format!("{} {}", case.finding, case.column)).collect(),
        }
    }
}

/// The entries in the text of a file, the oldest first. A line that is none is left out: a trend must
/// not make a job fail.
pub(crate) fn trend_entries(text: &str) -> Vec<TrendEntry> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The text of a file with the newest of these entries.
pub(crate) fn trend_text(entries: &[TrendEntry]) -> String {
    let newest = &entries[entries.len().saturating_sub(KEPT)..];
    let line = |entry| serde_json::to_string(entry).expect("texts and numbers are JSON") + "\n";
    newest.iter().map(line).collect()
}

/// What has changed since the last time that the same command ran, and a table of the last times. The
/// newest entry is this time; the text is empty if there is no earlier one.
pub(crate) fn trend(entries: &[TrendEntry]) -> String {
    let Some((now, before)) = entries.split_last() else { return String::new() };
    let same: Vec<_> = before.iter().rev().filter(|entry| entry.command == now.command).collect();
    let Some(last) = same.first() else { return String::new() };
    let mut text = format!("Since {}: ", last.written);
    let changes = [
        ("newly not right", now.bad.difference(&last.bad).collect::<Vec<_>>()),
        ("right again", last.bad.difference(&now.bad).collect()),
    ];
    let changes = changes.into_iter().filter(|(_, names)| !names.is_empty());
    let changes: Vec<_> =
        changes.map(|(what, names)| format!("{what}: {}", named(&names))).collect();
    text += &if changes.is_empty() { "the same".to_owned() } else { changes.join("; ") };
    text += "\n\n| | daemon | as it must be | wrong | unknown | known | not applicable | time |\n\
             |---|---|---|---|---|---|---|---|\n";
    for entry in std::iter::once(&now).chain(&same).take(SHOWN) {
        let TrendEntry { written, daemon, right, wrong, unknown, known, not_applicable, .. } =
            entry;
        let _ = writeln!(
            text,
            "| {written} | {} | {right} | {wrong} | {unknown} | {known} | {not_applicable} | {:.0} s |",
            plain(daemon),
            entry.seconds
        );
    }
    text + "\n"
}

fn named(names: &[&String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let shown: Vec<_> = names.iter().take(NAMED).map(|name| plain(name)).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::case::example;

    fn entry(day: u32, states: &[(&str, State)]) -> TrendEntry {
        let case = |(finding, state): &(&str, State)| Case {
            finding: (*finding).to_owned(),
            ..example(*state)
        };
        let cases: Vec<_> = states.iter().map(case).collect();
        TrendEntry::new(format!("2026-11-{day:02}T00:00:00Z"), "run", "v1|2", &cases)
    }

    /// One run becomes wrong, one becomes right, and one stays unknown. The table has the newest first.
    #[test]
    fn a_trend_names_what_has_changed_since_the_last_time() {
        let before = [("1-A", State::Right), ("1-B", State::Wrong), ("1-C", State::Unknown)];
        let now = [("1-A", State::Wrong), ("1-B", State::Right), ("1-C", State::Unknown)];
        let entries = [entry(1, &before), entry(2, &now)];
        let text = trend(&entries);
        let first =
            "Since 2026-11-01T00:00:00Z: newly not right: 1-A verdict; right again: 1-B verdict\n";
        assert!(text.starts_with(first), "{text}");
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| 2026")).collect();
        assert_eq!(rows[0], "| 2026-11-02T00:00:00Z | v1&#124;2 | 1 | 1 | 1 | 0 | 0 | 8 s |");
        assert!(rows.len() == 2 && rows[1].starts_with("| 2026-11-01"), "{text}");
        assert!(trend(&[entry(1, &now), entry(2, &now)]).contains("Z: the same\n"));
        assert_eq!(trend(&entries[..1]), "", "there is nothing to compare with");
    }

    /// Another command is no earlier time of this one, and a damaged line is none either.
    #[test]
    fn a_file_keeps_the_newest_entries_and_survives_a_damaged_line() {
        let other = TrendEntry { command: "matrix".to_owned(), ..entry(1, &[]) };
        assert_eq!(trend(&[other.clone(), entry(2, &[])]), "");
        let many: Vec<_> = (0..150).map(|_| entry(1, &[])).chain([other.clone()]).collect();
        let text = format!("damaged\n{}", trend_text(&many));
        let read = trend_entries(&text);
        assert_eq!((read.len(), read.last()), (KEPT, Some(&other)));
    }
}
