//! One run as JUnit, GitHub and the index page show it, whether `run` or `matrix` made it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use racetrap_history::{Verdict, VmMode};

use super::RunReport;
use super::known::lines;
use super::matrix::{column_of, daemon_of, word};
use crate::matrix::Cell;

/// The only column of a table of `run`.
pub(super) const VERDICT: &str = "verdict";

/// How a run compares with what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It is as it must be.
    Right,
    /// The scenario is not for this daemon.
    NotApplicable,
    /// It fails, and only as it is known to.
    Known,
    /// It proves nothing.
    Unknown,
    /// It has a verdict that it must not have.
    Wrong,
}

impl State {
    /// The state of a run.
    pub(crate) fn of_run(report: &RunReport) -> Self {
        if let Some(cell) = report.as_cell() {
            return Self::of_cell(&cell);
        }
        match report.judgement.verdict {
            Verdict::Pass => Self::Right,
            Verdict::NotApplicable => Self::NotApplicable,
            Verdict::Fail if report.known.excuses => Self::Known,
            Verdict::Unknown => Self::Unknown,
            Verdict::Fail => Self::Wrong,
        }
    }

    /// The state of a cell.
    pub(crate) fn of_cell(cell: &Cell) -> Self {
        match cell.verdict {
            Verdict::NotApplicable => Self::NotApplicable,
            Verdict::Fail if cell.known.excuses => Self::Known,
            Verdict::Pass | Verdict::Unknown | Verdict::Fail if cell.right => Self::Right,
            Verdict::Unknown => Self::Unknown,
            Verdict::Pass | Verdict::Fail => Self::Wrong,
        }
    }

    /// Whether the run is as it must be; nothing if that cannot be said of it.
    pub(crate) fn is_right(self) -> Option<bool> {
        match self {
            Self::Right => Some(true),
            Self::NotApplicable | Self::Known => None,
            Self::Unknown | Self::Wrong => Some(false),
        }
    }

    /// Whether somebody has to look at the run.
    pub(crate) fn is_bad(self) -> bool {
        self.is_right() == Some(false)
    }
}

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The finding.
    pub(crate) finding: String,
    /// Its name among the cases of its finding; unique.
    pub(crate) name: String,
    /// Its column in a table of findings.
    pub(crate) column: Cow<'static, str>,
    /// How it compares with what it must be.
    pub(crate) state: State,
    /// The state in one upper-case word.
    pub(crate) label: &'static str,
    /// The verdict in a few words.
    pub(crate) word: String,
    /// Broken promises, and the reasons why the run may not show everything.
    pub(crate) reasons: Vec<String>,
    /// It passed, and its finding is listed as failing.
    pub(crate) repaired: bool,
    /// Wall time, in seconds.
    pub(crate) seconds: f64,
    /// The defects that were switched on.
    pub(crate) defects: Vec<String>,
    /// How the daemon's VM was run.
    pub(crate) vm: Option<VmMode>,
    /// The engine that was run.
    pub(crate) engine: Option<String>,
    /// Directory of the evidence, if it was kept.
    pub(crate) evidence: Option<PathBuf>,
    /// The command that repeats it.
    pub(crate) again: String,
}

impl Case {
    /// The cases of runs, in the same order.
    pub(crate) fn from_runs(reports: &[RunReport]) -> Vec<Self> {
        numbered(reports.iter().map(Self::from_run).collect())
    }

    /// The cases of one revision's runs, in the same order. The revision is their column.
    pub(crate) fn from_column(name: &str, reports: &[RunReport]) -> Vec<Self> {
        let cases = Self::from_runs(reports).into_iter();
        cases.map(|case| Self { column: name.to_owned().into(), ..case }).collect()
    }

    /// The cases of a matrix, in the same order.
    pub(crate) fn from_cells(cells: &[Cell]) -> Vec<Self> {
        numbered(cells.iter().map(Self::from_cell).collect())
    }

    /// The last part of the evidence's path. The archive of the evidence has the same name.
    pub(crate) fn evidence_name(&self) -> Option<String> {
        let name = self.evidence.as_deref()?.file_name()?;
        Some(name.to_string_lossy().into_owned())
    }

    /// A journal in `directory` that cannot be read: it may hide a failure. `again` tries once more.
    pub(crate) fn unread(directory: &Path, why: &str, again: String) -> Self {
        let name = directory.file_name().unwrap_or(directory.as_os_str());
        Self {
            finding: name.to_string_lossy().into_owned(),
            name: "a journal that cannot be read".to_owned(),
            column: VERDICT.into(),
            state: State::Unknown,
            label: "UNREAD",
            word: "cannot be read".to_owned(),
            reasons: vec![why.to_owned()],
            repaired: false,
            seconds: 0.0,
            defects: Vec::new(),
            vm: None,
            engine: None,
            evidence: Some(directory.to_owned()),
            again,
        }
    }

    fn from_run(report: &RunReport) -> Self {
        if let Some(cell) = report.as_cell() {
            return Self::from_cell(&cell);
        }
        let RunReport { finding, title, defects, judgement, .. } = report;
        let state = State::of_run(report);
        let label = match state {
            State::Right => "PASS",
            State::NotApplicable => "INAPPLICABLE",
            State::Known => "KNOWN",
            State::Unknown => "UNKNOWN",
            State::Wrong => "FAIL",
        };
        let oracles: Vec<_> = judgement.oracles().iter().map(ToString::to_string).collect();
        let word = match state {
            State::Known => format!("known: {}", oracles.join(", ")),
            State::Wrong => format!("fail: {}", oracles.join(", ")),
            State::Right if !report.known.repaired.is_empty() => "pass: repaired".to_owned(),
            State::Right | State::NotApplicable | State::Unknown => judgement.verdict.to_string(),
        };
        let under = defects.iter().map(|defect| format!(", defect {defect}"));
        Self {
            finding: finding.to_string(),
            name: format!("{title}{}", under.collect::<String>()),
            column: VERDICT.into(),
            state,
            label,
            word,
            reasons: lines(&report.known).into_iter().chain(report.reasons()).collect(),
            repaired: !report.known.repaired.is_empty(),
            seconds: report.seconds,
            defects: defects.clone(),
            vm: report.vm,
            engine: report.engine.clone(),
            evidence: report.evidence.clone(),
            again: report.again.clone(),
        }
    }

    fn from_cell(cell: &Cell) -> Self {
        let state = State::of_cell(cell);
        let known = lines(&cell.known).into_iter();
        let reasons = if state == State::Right { &[][..] } else { &cell.reasons };
        Self {
            finding: cell.finding.to_string(),
            name: daemon_of(cell),
            column: column_of(cell).into(),
            state,
            label: match state {
                State::Right => "OK",
                State::NotApplicable => "INAPPLICABLE",
                State::Known => "KNOWN",
                State::Unknown | State::Wrong => "WRONG",
            },
            word: word(cell),
            reasons: known.chain(reasons.iter().cloned()).collect(),
            repaired: !cell.known.repaired.is_empty(),
            seconds: cell.seconds,
            defects: cell.defect.iter().cloned().collect(),
            vm: cell.vm,
            engine: cell.engine.clone(),
            evidence: cell.evidence.clone(),
            again: cell.again.clone(),
        }
    }
}

/// Appends the round's number to names that occur several times.
fn numbered(mut cases: Vec<Case>) -> Vec<Case> {
    let mut rounds: BTreeMap<(String, String), usize> = BTreeMap::new();
    for case in &mut cases {
        let round = rounds.entry((case.finding.clone(), case.name.clone())).or_default();
        *round += 1;
        if *round > 1 {
            case.name = format!("{}, round {round}", case.name);
        }
    }
    cases
}

/// An example of a case in this state.
#[cfg(test)]
pub(super) fn example(state: State) -> Case {
    let (label, word, reasons) = match state {
        State::Right => ("PASS", "pass", Vec::new()),
        State::NotApplicable => {
            ("INAPPLICABLE", "not applicable", vec!["it needs another protocol".to_owned()])
        }
        State::Known => {
            let known = "convergence: it is slow (since June)".to_owned();
            ("KNOWN", "known: convergence", vec![known, "convergence: no mirror".to_owned()])
        }
        State::Unknown => ("UNKNOWN", "unknown", vec!["the engine died".to_owned()]),
        State::Wrong => ("FAIL", "fail: convergence", vec!["convergence: no mirror".to_owned()]),
    };
    Case {
        finding: "1-A".to_owned(),
        name: format!("changes are never seen, defect 1-A, {word}"),
        column: "verdict".into(),
        state,
        label,
        word: word.to_owned(),
        reasons,
        repaired: false,
        seconds: 2.5,
        defects: vec!["1-A".to_owned()],
        vm: Some(VmMode::Api),
        engine: Some("dockerd 28.5".to_owned()),
        evidence: Some("/evidence/1-A-1".into()),
        again: "racetrap repro 1-A --defect 1-A".to_owned(),
    }
}
