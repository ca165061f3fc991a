//! The matrix: each finding, and the result on each daemon.

use std::fmt::Write as _;

use racetrap_history::{Scenario, Verdict};

use super::Paint;
use super::case::State;
use super::known::lines;
use crate::derived::TIMELINE;
use crate::matrix::{Cell, DaemonKind};
use crate::timeline::story;

/// Name of the control runs' column.
pub(super) const CONTROL: &str = "without its fault";

/// A scenario and its cells: one line if all are right, or else the schedule and a line for each cell.
/// With `whole` it is the latter in any case.
pub(crate) fn matrix(scenario: &Scenario, cells: &[Cell], whole: bool, paint: Paint) -> String {
    let mut text = String::new();
    let Some(about) = &scenario.about else { return text };
    let finding = paint.strong(&scenario.finding.to_string());
    let is_right = cells
        .iter()
        .all(|cell| State::of_cell(cell) == State::Right && cell.known.repaired.is_empty());
    if is_right && !whole {
        let seconds: f64 = cells.iter().map(|cell| cell.seconds).sum();
        let caught = cells.iter().find(|cell| cell.daemon == DaemonKind::Own).map(word);
        let caught = caught.map(|word| format!("; {word}")).unwrap_or_default();
        let indent = "ok  ".len() + scenario.finding.as_str().len() + 2;
        let what = format!("{}{caught} ({} cells, {seconds:.1} s)", about.title, cells.len());
        let what = paint.fold(indent, &what);
        let _ = writeln!(text, "{}  {finding}  {what}", paint.good("ok"));
        return text;
    }
    let width = cells.iter().map(|cell| word(cell).len()).max().unwrap_or_default();
    let title = paint.fold(scenario.finding.as_str().len() + 2, &about.title);
    let _ = writeln!(text, "{finding}  {title}");
    for (label, what) in story(scenario) {
        let what = paint.fold(13, &what);
        let _ = writeln!(text, "  {}  {what}", paint.faint(&format!("{label:<9}")));
    }
    for cell in cells {
        row(&mut text, cell, width, paint);
    }
    text.push('\n');
    text
}

/// One cell. `width` is the length of the longest verdict of the finding.
fn row(text: &mut String, cell: &Cell, width: usize, paint: Paint) {
    let daemon = daemon_of(cell);
    let state = State::of_cell(cell);
    let mark = match state {
        State::Right => paint.good("ok   "),
        State::NotApplicable => paint.faint("-    "),
        State::Known => paint.doubtful("known"),
        State::Unknown | State::Wrong => paint.bad("WRONG"),
    };
    let word = word(cell);
    let _ = write!(text, "  {daemon:<18}  {mark}  {word:width$}  {:>7.3}s", cell.seconds);
    if let Some(evidence) = &cell.evidence {
        let _ = write!(text, "  {}", paint.faint(&evidence.display().to_string()));
    }
    text.push('\n');
    for line in lines(&cell.known) {
        let _ = writeln!(text, "    {} {line}", paint.faint("known"));
    }
    if state == State::NotApplicable {
        for reason in &cell.reasons {
            let _ = writeln!(text, "    {}", paint.fold(4, reason));
        }
    }
    if state.is_bad() {
        for reason in &cell.reasons {
            let _ = writeln!(text, "    {}", paint.fold(4, reason.trim_end()));
        }
        if let Some(evidence) = &cell.evidence {
            let timeline = evidence.join(TIMELINE);
            let _ = writeln!(text, "    {} {}", paint.faint("timeline"), timeline.display());
        }
        let _ = writeln!(text, "    {} {}", paint.faint("   again"), cell.again);
    }
}

/// The daemon of a cell, with its defect.
pub(crate) fn daemon_of(cell: &Cell) -> String {
    match (&cell.defect, cell.daemon) {
        (_, DaemonKind::Control) => CONTROL.to_owned(),
        (None, _) | (_, DaemonKind::Correct) => "correct daemon".to_owned(),
        (Some(defect), DaemonKind::Own) => format!("defect {defect}"),
        (Some(defect), DaemonKind::Unrelated) => format!("unrelated {defect}"),
    }
}

/// The daemon of a cell without its defect; the same for all findings.
pub(super) fn column_of(cell: &Cell) -> &'static str {
    match cell.daemon {
        DaemonKind::Correct => "correct daemon",
        DaemonKind::Own => "its defect",
        DaemonKind::Unrelated => "unrelated defect",
        DaemonKind::Control => CONTROL,
    }
}

/// The verdict of a cell in a few words.
pub(crate) fn word(cell: &Cell) -> String {
    let oracles: Vec<_> = cell.oracles.iter().map(ToString::to_string).collect();
    match (cell.verdict, cell.daemon) {
        (Verdict::Pass, DaemonKind::Own) => "pass: the defect was not seen".to_owned(),
        (Verdict::Pass, DaemonKind::Control) => "no alarm".to_owned(),
        (Verdict::Pass, DaemonKind::Correct | DaemonKind::Unrelated) => "pass".to_owned(),
        (Verdict::NotApplicable, _) => "not applicable".to_owned(),
        (Verdict::Unknown, _) => "unknown".to_owned(),
        (Verdict::Fail, _) if cell.known.excuses => format!("known: {}", oracles.join(", ")),
        (Verdict::Fail, DaemonKind::Own) if cell.right => {
            format!("caught by {}", oracles.join(", "))
        }
        (Verdict::Fail, DaemonKind::Control) => format!("FALSE ALARM: {}", oracles.join(", ")),
        (Verdict::Fail, _) => format!("fail: {}", oracles.join(", ")),
    }
}
