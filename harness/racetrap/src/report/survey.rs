//! The survey: the verdict of each scenario on each revision of a daemon, and what changes from one
//! revision to the next.

use std::fmt::Write as _;

use racetrap_history::Verdict;

use super::RunReport;
use super::case::Case;
use super::json::DaemonFacts;

/// One revision and its runs. All revisions have the same scenarios in the same order.
#[derive(Clone, Debug)]
pub(crate) struct Surveyed {
    /// The name of the revision.
    pub(crate) revision: String,
    /// Its daemon.
    pub(crate) daemon: DaemonFacts,
    /// Its runs.
    pub(crate) reports: Vec<RunReport>,
}

impl Surveyed {
    /// The runs for the index page.
    pub(crate) fn cases(&self) -> Vec<Case> {
        Case::from_revision(&self.revision, &self.reports)
    }

    /// Whether a run shows nothing.
    pub(crate) fn has_unknown(&self) -> bool {
        self.reports.iter().any(|report| report.judgement.verdict == Verdict::Unknown)
    }
}

/// A row for each scenario and a column for each revision, and below that the verdicts that change
/// from one revision to the next.
pub(crate) fn survey(surveyed: &[Surveyed]) -> String {
    let cases: Vec<_> = surveyed.iter().map(Surveyed::cases).collect();
    let Some(findings) = cases.first() else { return String::new() };
    let first = findings.iter().map(|case| case.finding.len()).max().unwrap_or_default();
    let widths: Vec<_> =
        surveyed.iter().zip(&cases).map(|(one, cases)| width(one, cases)).collect();
    let mut text = format!("{:first$}", "");
    for (one, width) in surveyed.iter().zip(&widths) {
        let _ = write!(text, "  {:width$}", one.revision);
    }
    text = text.trim_end().to_owned() + "\n";
    for (row, finding) in findings.iter().enumerate() {
        let mut line = format!("{:first$}", finding.finding);
        for (cases, width) in cases.iter().zip(&widths) {
            let _ = write!(line, "  {:width$}", cases[row].word);
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for (at, pair) in cases.windows(2).enumerate() {
        let [before, after] = pair else { unreachable!("windows have two") };
        let changes = changes(before, after);
        if !changes.is_empty() {
            let _ = writeln!(
                text,
                "\nFrom {} to {}:",
                surveyed[at].revision,
                surveyed[at + 1].revision
            );
            text += &changes;
        }
    }
    text + "\n"
}

/// The width of a revision's column.
fn width(surveyed: &Surveyed, cases: &[Case]) -> usize {
    let words = cases.iter().map(|case| case.word.len());
    words.chain([surveyed.revision.len()]).max().unwrap_or_default()
}

/// A line for each scenario whose verdict, or whose oracles, differ.
fn changes(before: &[Case], after: &[Case]) -> String {
    let pairs = before.iter().zip(after).filter(|(before, after)| before.word != after.word);
    pairs
        .map(|(before, after)| format!("  {}: {} -> {}\n", before.finding, before.word, after.word))
        .collect()
}
