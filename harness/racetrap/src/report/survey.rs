//! The same scenarios in several columns: on each revision of a daemon, with what changes from one to
//! the next; and on each engine, with what differs from the first.

use std::fmt::Write as _;

use racetrap_history::Verdict;

use super::RunReport;
use super::case::{Case, State};
use super::json::DaemonFacts;

/// One column and its runs. All columns have the same scenarios in the same order.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    /// The name of the revision or of the engine.
    pub(crate) name: String,
    /// Its daemon.
    pub(crate) daemon: DaemonFacts,
    /// Its runs.
    pub(crate) reports: Vec<RunReport>,
}

impl Compared {
    /// The runs for the index page.
    pub(crate) fn cases(&self) -> Vec<Case> {
        Case::from_column(&self.name, &self.reports)
    }

    /// Whether a run shows nothing.
    pub(crate) fn has_unknown(&self) -> bool {
        self.reports.iter().any(|report| report.judgement.verdict == Verdict::Unknown)
    }
}

/// A row for each scenario and a column for each revision, and below that the verdicts that change
/// from one revision to the next.
pub(crate) fn survey(revisions: &[Compared]) -> String {
    let columns: Vec<_> = revisions.iter().map(Column::of_verdicts).collect();
    let changes = columns.windows(2).map(|pair| {
        let title = format!("From {} to {}", pair[0].name, pair[1].name);
        changes(&title, &pair[0].cases, &pair[1].cases)
    });
    grid(&columns) + &changes.collect::<String>() + "\n"
}

/// A row for each scenario and a column for each engine, with the time of each run; and below that the
/// verdicts that differ from those on the first engine, and how long each engine took.
pub(crate) fn lanes(engines: &[Compared]) -> String {
    let columns: Vec<_> = engines.iter().map(Column::of_times).collect();
    let Some((first, others)) = columns.split_first() else { return String::new() };
    let differences = others.iter().map(|column| {
        let title = format!("On {} and not on {}", column.name, first.name);
        changes(&title, &first.cases, &column.cases)
    });
    let mut text = grid(&columns) + &differences.collect::<String>() + "\n";
    for Column { name, cases, .. } in &columns {
        let seconds: f64 = cases.iter().map(|case| case.seconds).sum();
        let passed = cases.iter().filter(|case| case.state == State::Right).count();
        let _ =
            writeln!(text, "{name}: {passed} of {} passed, {seconds:.0} s of runs", cases.len());
    }
    text + "\n"
}

/// A column as text.
struct Column<'a> {
    name: &'a str,
    cases: Vec<Case>,
    cells: Vec<String>,
}

impl<'a> Column<'a> {
    fn of_verdicts(compared: &'a Compared) -> Self {
        let cases = compared.cases();
        let cells = cases.iter().map(|case| case.word.clone()).collect();
        Self { name: &compared.name, cases, cells }
    }

    fn of_times(compared: &'a Compared) -> Self {
        let cases = compared.cases();
        let cells = cases.iter().map(|case| format!("{} {:.1} s", case.word, case.seconds));
        Self { name: &compared.name, cells: cells.collect(), cases }
    }

    fn width(&self) -> usize {
        self.cells.iter().map(String::len).chain([self.name.len()]).max().unwrap_or_default()
    }
}

fn grid(columns: &[Column<'_>]) -> String {
    let Some(first) = columns.first() else { return String::new() };
    let width = first.cases.iter().map(|case| case.finding.len()).max().unwrap_or_default();
    let row = |title: &str, cell: &dyn Fn(&Column<'_>) -> String| {
        let mut line = format!("{title:width$}");
        for column in columns {
            let _ = write!(line, "  {:1$}", cell(column), column.width());
        }
        line.trim_end().to_owned() + "\n"
    };
    let mut text = row("", &|column| column.name.to_owned());
    for (index, case) in first.cases.iter().enumerate() {
        text += &row(&case.finding, &|column| column.cells[index].clone());
    }
    text
}

/// A line for each scenario whose verdict, or whose oracles, differ, below a title.
fn changes(title: &str, before: &[Case], after: &[Case]) -> String {
    let pairs = before.iter().zip(after).filter(|(before, after)| before.word != after.word);
    let lines: String = pairs
        .map(|(before, after)| format!("  {}: {} -> {}\n", before.finding, before.word, after.word))
        .collect();
    if lines.is_empty() { lines } else { format!("\n{title}:\n{lines}") }
}
