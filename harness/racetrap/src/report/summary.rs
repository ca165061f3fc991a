//! The last lines of a command: the counts, and again each run that is not right.

use std::path::Path;

use racetrap_history::Verdict;

use super::case::{Case, State};
use super::run::{entry, paste};
use super::{Paint, RunReport};
use crate::derived::PAGE;
use crate::matrix::{Cell, DaemonKind};

/// How many runs must share a cause so that it is told once for all of them.
const SHARED: usize = 3;

/// How many findings of a shared cause are named.
const NAMED: usize = 12;

/// Maximal length of a first reason in characters. The evidence has all of it.
const REASON_MAX: usize = 300;

/// Each run that is not right with its first reason, its page and the command that repeats it, once
/// more at the end, where people look first. Runs that share a cause share an entry. Empty if there was
/// only one run, because its report is still on the screen.
pub(crate) fn once_more(cases: &[Case], paint: Paint) -> String {
    let mut text = String::new();
    if cases.len() < 2 {
        return text;
    }
    let mut told: Vec<String> = Vec::new();
    for case in cases.iter().filter(|case| case.state.is_bad()) {
        let cause = cause(case);
        let same: Vec<_> =
            cases.iter().filter(|it| it.state.is_bad() && self::cause(it) == cause).collect();
        if same.len() < SHARED || cause.is_empty() {
            one(&mut text, case, paint);
        } else if !told.contains(&cause) {
            shared(&mut text, &same, paint);
            told.push(cause);
        }
    }
    text
}

/// The first reason of a run, without the path of its evidence, which no other run has.
fn cause(case: &Case) -> String {
    let first = case.reasons.first().map(String::as_str).unwrap_or_default();
    match &case.evidence {
        Some(evidence) => first.replace(&evidence.display().to_string(), "(its evidence)"),
        None => first.to_owned(),
    }
}

/// The first line of a text, cut if it is too long.
fn line_of(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(REASON_MAX).collect();
    if short.len() < line.len() {
        short.push_str(" ...");
    }
    short
}

fn label_of(case: &Case, paint: Paint) -> String {
    let label = format!("{:>12}", case.label);
    match case.state {
        State::Unknown => paint.doubtful(&label),
        State::Right | State::NotApplicable | State::Known | State::Wrong => paint.bad(&label),
    }
}

fn one(text: &mut String, case: &Case, paint: Paint) {
    let finding = paint.strong(&case.finding);
    let indent = 12 + " [  0.000s] ".len() + case.finding.len() + 1;
    let what = paint.fold(indent, &format!("{}: {}", case.name, case.word));
    *text += &format!("{} [{:>7.3}s] {finding} {what}\n", label_of(case, paint), case.seconds);
    let reason = line_of(&cause(case));
    if !reason.is_empty() {
        entry(text, "because", &reason, paint);
    }
    if let Some(evidence) = &case.evidence {
        paste(text, "page", &evidence.join(PAGE).display().to_string(), paint);
    }
    paste(text, "again", &case.again, paint);
}

fn shared(text: &mut String, cases: &[&Case], paint: Paint) {
    let first = cases[0];
    let mut findings: Vec<_> = cases.iter().map(|case| case.finding.as_str()).collect();
    findings.dedup();
    let more = findings.len().saturating_sub(NAMED);
    findings.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let what = format!("{} runs: {}{more}", cases.len(), findings.join(", "));
    *text += &format!("{} {}\n", label_of(first, paint), paint.fold(13, &what));
    entry(text, "each", &line_of(&cause(first)), paint);
    paste(text, "again", &first.again, paint);
}

/// The last line of `run` and `survey`; `unread` counts journals that cannot be read, and `seconds` is the wall time
/// of all runs together.
pub(crate) fn runs_summary<'a>(
    reports: impl IntoIterator<Item = &'a RunReport>,
    unread: usize,
    seconds: f64,
    paint: Paint,
) -> String {
    let reports: Vec<_> = reports.into_iter().collect();
    let count = |state| reports.iter().filter(|report| State::of_run(report) == state).count();
    let is_caught = |report: &&&RunReport| {
        State::of_run(report) == State::Right && report.judgement.verdict == Verdict::Fail
    };
    let caught = reports.iter().filter(is_caught).count();
    let journals =
        if unread == 1 { "journal that cannot be read" } else { "journals that cannot be read" };
    let parts = [
        Part { count: count(State::Right) - caught, word: "passed", paint: Paint::good },
        Part { count: count(State::Wrong), word: "failed", paint: Paint::bad },
        Part { count: count(State::Unknown), word: "unknown", paint: Paint::doubtful },
    ];
    let rare = rare(count).chain([
        Part { count: caught, word: "caught", paint: Paint::good },
        Part { count: unread, word: journals, paint: Paint::bad },
    ]);
    let rare = rare.filter(|part| part.count > 0);
    let parts: Vec<_> = parts.into_iter().chain(rare).collect();
    line(reports.len(), "run", &parts, seconds, paint)
}

/// The last line of `matrix`; `seconds` is the wall time of all cells together.
pub(crate) fn matrix_summary(cells: &[Cell], seconds: f64, paint: Paint) -> String {
    let count = |state| cells.iter().filter(|cell| State::of_cell(cell) == state).count();
    let wrong = cells.iter().filter(|cell| State::of_cell(cell).is_bad()).count();
    let controls = || cells.iter().filter(|cell| cell.daemon == DaemonKind::Control);
    let alarms = controls().filter(|cell| is_alarm(cell)).count();
    let parts = [
        Part { count: count(State::Right), word: "as they must be", paint: Paint::good },
        Part { count: wrong, word: "wrong", paint: Paint::bad },
    ];
    let parts: Vec<_> = parts.into_iter().chain(rare(count)).collect();
    let summary = line(cells.len(), "cell", &parts, seconds, paint);
    if controls().next().is_none() {
        return summary;
    }
    let parts = [Part { count: alarms, word: "false alarms", paint: Paint::bad }];
    summary + &line(controls().count(), "control run", &parts, seconds, paint)
}

/// Whether a control run has failed in a way that is not known.
fn is_alarm(cell: &Cell) -> bool {
    cell.verdict == Verdict::Fail && State::of_cell(cell) == State::Wrong
}

/// Counts that most commands do not have, and which are left out then.
fn rare(count: impl Fn(State) -> usize) -> impl Iterator<Item = Part> {
    let parts = [
        Part { count: count(State::Known), word: "known", paint: Paint::doubtful },
        Part { count: count(State::NotApplicable), word: "not applicable", paint: Paint::doubtful },
    ];
    parts.into_iter().filter(|part| part.count > 0)
}

/// The line that names the page with all runs of a command, if that was written.
pub(crate) fn index_line(path: Option<&Path>, paint: Paint) -> String {
    let line =
        |path: &Path| format!("{} {}\n", paint.strong(&format!("{:>12}", "Index")), path.display());
    path.map_or(String::new(), line)
}

/// A number of the summary; painted if it is not 0.
struct Part {
    count: usize,
    word: &'static str,
    paint: fn(Paint, &str) -> String,
}

fn line(all: usize, unit: &str, parts: &[Part], seconds: f64, paint: Paint) -> String {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| {
            let text = format!("{} {}", part.count, part.word);
            if part.count == 0 { text } else { (part.paint)(paint, &text) }
        })
        .collect();
    let label = paint.strong(&format!("{:>12}", "Summary"));
    format!("{label} [{seconds:>7.3}s] {}: {}\n", count(all, unit), parts.join(", "))
}

/// A number with its unit, in the plural if it is not 1.
pub(super) fn count(number: usize, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}
