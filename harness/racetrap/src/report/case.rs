//! One run as JUnit, GitHub and the index page show it, whether `run` or `matrix` made it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use racetrap_history::{Verdict, VmMode};

use super::RunReport;
use super::matrix::{column_of, daemon_of, word};
use crate::matrix::Cell;

/// The only column of a table of `run`.
pub(super) const VERDICT: &str = "verdict";

/// How a run compares with what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It is as it must be.
    Right,
    /// It proves nothing.
    Unknown,
    /// It has a verdict that it must not have.
    Wrong,
}

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The finding.
    pub(crate) finding: String,
    /// Its name among the cases of its finding; unique.
    pub(crate) name: String,
    /// Its column in a table of findings.
    pub(crate) column: &'static str,
    /// How it compares with what it must be.
    pub(crate) state: State,
    /// The state in one upper-case word.
    pub(crate) label: &'static str,
    /// The verdict in a few words.
    pub(crate) word: String,
    /// Broken promises, and the reasons why the run may not show everything.
    pub(crate) reasons: Vec<String>,
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

    /// The cases of a matrix, in the same order.
    pub(crate) fn from_cells(cells: &[Cell]) -> Vec<Self> {
        numbered(cells.iter().map(Self::from_cell).collect())
    }

    /// The last part of the evidence's path. The archive of the evidence has the same name.
    pub(crate) fn evidence_name(&self) -> Option<String> {
        let name = self.evidence.as_deref()?.file_name()?;
        Some(name.to_string_lossy().into_owned())
    }

    fn from_run(report: &RunReport) -> Self {
        let RunReport { finding, title, defects, judgement, .. } = report;
        let (state, label) = match judgement.verdict {
            Verdict::Pass => (State::Right, "PASS"),
            Verdict::Unknown => (State::Unknown, "UNKNOWN"),
            Verdict::Fail => (State::Wrong, "FAIL"),
        };
        let oracles: Vec<_> = judgement.oracles().iter().map(ToString::to_string).collect();
        let word = match judgement.verdict {
            Verdict::Fail => format!("fail: {}", oracles.join(", ")),
            verdict @ (Verdict::Pass | Verdict::Unknown) => verdict.to_string(),
        };
        let under = defects.iter().map(|defect| format!(", defect {defect}"));
        Self {
            finding: finding.to_string(),
            name: format!("{title}{}", under.collect::<String>()),
            column: VERDICT,
            state,
            label,
            word,
            reasons: report.reasons(),
            seconds: report.seconds,
            defects: defects.clone(),
            vm: report.vm,
            engine: report.engine.clone(),
            evidence: report.evidence.clone(),
            again: report.again.clone(),
        }
    }

    fn from_cell(cell: &Cell) -> Self {
        let state = match (cell.right, cell.verdict) {
            (true, _) => State::Right,
            (false, Verdict::Unknown) => State::Unknown,
            (false, Verdict::Pass | Verdict::Fail) => State::Wrong,
        };
        Self {
            finding: cell.finding.to_string(),
            name: daemon_of(cell),
            column: column_of(cell),
            state,
            label: if cell.right { "OK" } else { "WRONG" },
            word: word(cell),
            reasons: if cell.right { Vec::new() } else { cell.reasons.clone() },
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
        State::Unknown => ("UNKNOWN", "unknown", vec!["the engine died".to_owned()]),
        State::Wrong => ("FAIL", "fail: convergence", vec!["convergence: no mirror".to_owned()]),
    };
    Case {
        finding: "1-A".to_owned(),
        name: format!("changes are never seen, defect 1-A, {word}"),
        column: "verdict",
        state,
        label,
        word: word.to_owned(),
        reasons,
        seconds: 2.5,
        defects: vec!["1-A".to_owned()],
        vm: Some(VmMode::Api),
        engine: Some("dockerd 28.5".to_owned()),
        evidence: Some("/evidence/1-A-1".into()),
        again: "racetrap repro 1-A --defect 1-A".to_owned(),
    }
}
