//! The last lines of a command: the counts, and again each run that is not right.

use std::path::Path;

use racetrap_history::Verdict;

use super::case::{Case, State};
use super::{Paint, RunReport};
use crate::matrix::{Cell, DaemonKind};

/// Each run that is not right with the command that repeats it, once more at the end, where people
/// look first. Empty if there was only one run, because its report is still on the screen.
pub(crate) fn once_more(cases: &[Case], paint: Paint) -> String {
    let bad = cases.iter().filter(|case| case.state.is_bad() && cases.len() > 1);
    bad.map(|case| {
        let label = format!("{:>12}", case.label);
        let label = match case.state {
            State::Unknown => paint.doubtful(&label),
            State::Right | State::NotApplicable | State::Known | State::Wrong => paint.bad(&label),
        };
        let finding = paint.strong(&case.finding);
        let again = paint.faint(&format!("{:>12}", "again"));
        format!(
            "{label} [{:>7.3}s] {finding} {}: {}\n{again} {}\n",
            case.seconds, case.name, case.word, case.again
        )
    })
    .collect()
}

/// The last line of `run` and `survey`; `seconds` is the wall time of all runs together.
pub(crate) fn runs_summary<'a>(
    reports: impl IntoIterator<Item = &'a RunReport>,
    seconds: f64,
    paint: Paint,
) -> String {
    let reports: Vec<_> = reports.into_iter().collect();
    let count = |state| reports.iter().filter(|report| State::of_run(report) == state).count();
    let parts = [
        Part { count: count(State::Right), word: "passed", paint: Paint::good },
        Part { count: count(State::Wrong), word: "failed", paint: Paint::bad },
        Part { count: count(State::Unknown), word: "unknown", paint: Paint::doubtful },
    ];
    let parts: Vec<_> = parts.into_iter().chain(rare(count)).collect();
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
    let plural = if all == 1 { "" } else { "s" };
    let label = paint.strong(&format!("{:>12}", "Summary"));
    format!("{label} [{seconds:>7.3}s] {all} {unit}{plural}: {}\n", parts.join(", "))
}
