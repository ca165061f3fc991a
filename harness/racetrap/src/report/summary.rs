//! The last lines of a command: the counts, and again each run that is not right.

use std::path::Path;

use racetrap_history::Verdict;

use super::case::{Case, State};
use super::{Paint, RunReport};
use crate::matrix::{Cell, DaemonKind};

/// Each run that is not right with the command that repeats it, once more at the end, where people
/// look first. Empty if there was only one run, because its report is still on the screen.
pub(crate) fn once_more(cases: &[Case], paint: Paint) -> String {
    let bad = cases.iter().filter(|case| case.state != State::Right && cases.len() > 1);
    bad.map(|case| {
        let label = format!("{:>12}", case.label);
        let label = match case.state {
            State::Unknown => paint.doubtful(&label),
            State::Right | State::Wrong => paint.bad(&label),
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

/// The last line of `run`; `seconds` is the wall time of all runs together.
pub(crate) fn runs_summary(reports: &[RunReport], seconds: f64, paint: Paint) -> String {
    let count =
        |verdict| reports.iter().filter(|report| report.judgement.verdict == verdict).count();
    let (passed, failed) = (count(Verdict::Pass), count(Verdict::Fail));
    let parts = [
        Part { count: passed, word: "passed", paint: Paint::good },
        Part { count: failed, word: "failed", paint: Paint::bad },
        Part { count: count(Verdict::Unknown), word: "unknown", paint: Paint::doubtful },
    ];
    line(reports.len(), "run", &parts, seconds, paint)
}

/// The last line of `matrix`; `seconds` is the wall time of all cells together.
pub(crate) fn matrix_summary(cells: &[Cell], seconds: f64, paint: Paint) -> String {
    let right = cells.iter().filter(|cell| cell.right).count();
    let controls = || cells.iter().filter(|cell| cell.daemon == DaemonKind::Control);
    let alarms = controls().filter(|cell| cell.verdict == Verdict::Fail).count();
    let parts = [
        Part { count: right, word: "as they must be", paint: Paint::good },
        Part { count: cells.len() - right, word: "wrong", paint: Paint::bad },
    ];
    let summary = line(cells.len(), "cell", &parts, seconds, paint);
    if controls().next().is_none() {
        return summary;
    }
    let parts = [Part { count: alarms, word: "false alarms", paint: Paint::bad }];
    summary + &line(controls().count(), "control run", &parts, seconds, paint)
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
