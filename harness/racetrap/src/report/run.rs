//! The report on one run: one line for a pass; otherwise what was expected, what was seen, and
//! when.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use racetrap_history::{
    DaemonKind, FindingId, Judgement, Replayed, Scenario, Verdict, VmMode, timeline,
};

use super::Paint;
use super::case::State;
use super::known::lines;
use crate::derived::{Rebuilt, TIMELINE};
use crate::known::{KnownFailures, KnownState};
use crate::matrix::{Cell, evidence_of, reasons};
use crate::run::{Outcome, RunError, engine_of};
use crate::timeline::{StoryLine, story};

/// How many lines of the timeline a report shows; the evidence has all of them.
const EXCERPT: usize = 40;

/// How many lines after the last violation the report shows.
const AFTERMATH: usize = 2;

/// The facts of one run that reports show.
#[derive(Clone, Debug)]
pub(crate) struct RunReport {
    /// The finding.
    pub(crate) finding: FindingId,
    /// What goes wrong, in one line.
    pub(crate) title: String,
    /// What a correct daemon does.
    pub(crate) correct: String,
    /// The schedule in a few lines, each with a label.
    pub(crate) story: Vec<StoryLine>,
    /// The defects that were switched on.
    pub(crate) defects: Vec<String>,
    /// The verdict and its reasons.
    pub(crate) judgement: Judgement,
    /// What the list of known failures says of the run.
    pub(crate) known: KnownState,
    /// Wall time, in seconds.
    pub(crate) seconds: f64,
    /// Directory of the evidence, if it was kept.
    pub(crate) evidence: Option<PathBuf>,
    /// How the daemon's VM was run; `None` if no world could be made.
    pub(crate) vm: Option<VmMode>,
    /// Version and image store of the engine; `None` if it could not be asked.
    pub(crate) engine: Option<String>,
    /// The history as text, one line per record.
    pub(crate) timeline: Vec<String>,
    /// A remark if the run did not pass and its world had been used before.
    pub(crate) used_again: Option<String>,
    /// The daemon of the cell, and whether the verdict is the right one for it; only for evidence that
    /// a matrix left.
    pub(crate) cell: Option<(DaemonKind, bool)>,
    /// Whether the run repeated the failure that its scenario was written for, if it was written for one.
    pub(crate) replayed: Option<Replayed>,
    /// The command that repeats the run.
    pub(crate) again: String,
}

impl RunReport {
    /// The report on the result of running `scenario`; `again` is the command that repeats it.
    pub(crate) fn new(
        scenario: &Scenario,
        defects: &[String],
        came: Result<Outcome, RunError>,
        again: String,
    ) -> Self {
        let report = Self::unmade(scenario, defects, again);
        match came {
            Ok(outcome) => Self {
                replayed: scenario
                    .replay
                    .as_ref()
                    .map(|expected| Replayed::new(expected, &outcome.history, &outcome.judgement)),
                used_again: outcome.used_again(),
                engine: outcome.engine(),
                vm: (outcome.judgement.not_applicable.is_none()).then_some(outcome.vm),
                judgement: outcome.judgement,
                seconds: outcome.took.as_secs_f64(),
                evidence: outcome.evidence,
                timeline: timeline::lines(&outcome.history),
                ..report
            },
            Err(error) => {
                let unknowns = vec![error.told().into()];
                Self {
                    evidence: evidence_of(&error),
                    judgement: Judgement { unknowns, ..report.judgement },
                    ..report
                }
            }
        }
    }

    /// The report on a run that did not begin.
    pub(crate) fn not_begun(
        scenario: &Scenario,
        defects: &[String],
        why: String,
        again: String,
    ) -> Self {
        let report = Self::unmade(scenario, defects, again);
        let judgement = Judgement { unknowns: vec![why.into()], ..report.judgement };
        Self { judgement, ..report }
    }

    /// The report on the run whose journal lies in `evidence`.
    pub(crate) fn rebuilt(rebuilt: Rebuilt, evidence: PathBuf) -> Self {
        let Rebuilt { header, history, judgement } = rebuilt;
        let report = Self::unmade(&header.scenario, &header.defects, header.again);
        let about = header.scenario.about.as_ref();
        let cell = header.cell.zip(about);
        Self {
            cell: cell.map(|(daemon, about)| (daemon, daemon.accepts(about, &judgement))),
            finding: header.finding,
            judgement,
            seconds: history.last().map_or(0.0, |last| last.at_us as f64 / 1e6),
            evidence: Some(evidence),
            vm: Some(header.vm),
            engine: engine_of(&history),
            timeline: timeline::lines(&history),
            ..report
        }
    }

    /// Compares the run with a list of known failures.
    #[must_use]
    pub(crate) fn compared(self, known: &KnownFailures) -> Self {
        if self.cell.is_some_and(|(daemon, _)| daemon == DaemonKind::Own) {
            // It must fail, so no list has to excuse that.
            return self;
        }
        let Judgement { verdict, .. } = self.judgement;
        let known = known.compare(&self.finding, verdict, &self.judgement.oracles());
        Self { known, ..self }
    }

    /// Broken promises, the reasons why the run may not show everything, or why the scenario is not
    /// applicable.
    pub(crate) fn reasons(&self) -> Vec<String> {
        reasons(&self.judgement).chain(self.used_again.clone()).collect()
    }

    /// The run as the cell that it was in a matrix.
    pub(crate) fn as_cell(&self) -> Option<Cell> {
        let (daemon, right) = self.cell?;
        Some(Cell {
            finding: self.finding.clone(),
            daemon,
            defect: self.defects.first().cloned(),
            verdict: self.judgement.verdict,
            oracles: self.judgement.oracles(),
            right,
            vm: self.vm,
            engine: self.engine.clone(),
            seconds: self.seconds,
            evidence: self.evidence.clone(),
            reasons: self.reasons(),
            known: self.known.clone(),
            again: self.again.clone(),
        })
    }

    /// Why the run shows nothing, if it was not even begun: several runs often share that cause.
    pub(crate) fn cause(&self) -> Option<Vec<String>> {
        let is_bare =
            self.judgement.verdict == Verdict::Unknown && self.judgement.violations.is_empty();
        let unknowns = &self.judgement.unknowns;
        (is_bare && !unknowns.is_empty())
            .then(|| self.reasons().iter().map(|it| without_place(it, self)).collect())
    }

    fn unmade(scenario: &Scenario, defects: &[String], again: String) -> Self {
        let about = scenario.about.as_ref();
        Self {
            finding: scenario.finding.clone(),
            title: about.map(|about| about.title.clone()).unwrap_or_default(),
            correct: about.map(|about| about.correct.clone()).unwrap_or_default(),
            story: story(scenario),
            defects: defects.to_vec(),
            judgement: Judgement::unknown(Vec::new()),
            known: KnownState::default(),
            seconds: 0.0,
            evidence: None,
            vm: None,
            engine: None,
            timeline: Vec::new(),
            replayed: None,
            used_again: None,
            cell: None,
            again,
        }
    }
}

/// The titles of the findings of these runs.
pub(crate) fn titles<'a>(
    reports: impl IntoIterator<Item = &'a RunReport>,
) -> BTreeMap<String, String> {
    let titles =
        reports.into_iter().map(|report| (report.finding.to_string(), report.title.clone()));
    titles.collect()
}

/// The report as text. With `whole` it contains the complete timeline, whatever the verdict is.
pub(crate) fn run(report: &RunReport, whole: bool, paint: Paint) -> String {
    let mut text = String::new();
    let RunReport { finding, title, seconds, judgement, .. } = report;
    let state = State::of_run(report);
    let verdict = word(state, judgement.verdict, paint);
    let indent = 12 + " [".len() + format!("{seconds:>7.3}").len() + "s] ".len();
    let title = paint.fold(indent + finding.as_str().len() + 1, title);
    let finding = paint.strong(&finding.to_string());
    let _ = writeln!(text, "{verdict} [{seconds:>7.3}s] {finding} {title}");
    let is_caught = state == State::Right && judgement.verdict == Verdict::Fail;
    if is_caught {
        let oracles: Vec<_> = judgement.oracles().iter().map(ToString::to_string).collect();
        entry(&mut text, "by", &oracles.join(", "), paint);
    } else {
        for (label, what) in &report.story {
            entry(&mut text, label, what, paint);
        }
        told(&mut text, report, paint);
    }
    let is_settled = is_caught || (judgement.verdict.is_settled() && state != State::Wrong);
    if whole || !is_settled {
        for excused in &judgement.excused {
            entry(&mut text, "excused", &excused.to_string(), paint);
        }
        excerpt(&mut text, report, whole, paint);
    }
    if let Some(replayed) = &report.replayed {
        let text_of = match replayed {
            Replayed::Reproduced => "reproduced: the promise was broken again".to_owned(),
            Replayed::NotReproduced => {
                "not reproduced: all happened in the expected order, and the promise was kept"
                    .to_owned()
            }
            Replayed::Diverged { why } => format!("diverged: {why}"),
        };
        entry(&mut text, "replay", &text_of, paint);
    }
    if let Some(evidence) = &report.evidence {
        paste(&mut text, "evidence", &evidence.display().to_string(), paint);
    }
    if !is_settled {
        paste(&mut text, "again", &report.again, paint);
    }
    text
}

/// The report on a run that shows nothing for the same cause as the run of another finding.
pub(crate) fn same_cause(report: &RunReport, other: &FindingId, paint: Paint) -> String {
    let RunReport { finding, title, seconds, .. } = report;
    let verdict = word(State::Unknown, Verdict::Unknown, paint);
    let finding = paint.strong(&finding.to_string());
    let mut text = format!("{verdict} [{seconds:>7.3}s] {finding} {title}\n");
    entry(&mut text, "unknown", &format!("for the same cause as {other}, above"), paint);
    text
}

/// A reason without the name of the run's own directory, which no other run has.
fn without_place(reason: &str, report: &RunReport) -> String {
    let place = report.evidence.as_ref().map(|evidence| evidence.display().to_string());
    place.map_or_else(|| reason.to_owned(), |place| reason.replace(&place, ""))
}

/// The verdict, right-aligned in its own column. A failure that is known has a word of its own.
fn word(state: State, verdict: Verdict, paint: Paint) -> String {
    let word = match (state, verdict) {
        (State::Known, _) => "KNOWN".to_owned(),
        (State::Right, Verdict::Fail) => "CAUGHT".to_owned(),
        (State::Wrong, Verdict::Pass) => "MISSED".to_owned(),
        // As wide as the column.
        (_, Verdict::NotApplicable) => "INAPPLICABLE".to_owned(),
        (_, Verdict::Pass | Verdict::Unknown | Verdict::Fail) => verdict.to_string().to_uppercase(),
    };
    let word = format!("{word:>12}");
    match state {
        State::Right => paint.good(&word),
        State::NotApplicable => paint.faint(&word),
        State::Known | State::Unknown => paint.doubtful(&word),
        State::Wrong => paint.bad(&word),
    }
}

/// A label and its text, right of the verdict's column.
pub(super) fn entry(text: &mut String, label: &str, what: &str, paint: Paint) {
    let label = paint.faint(&format!("{label:>12}"));
    let what = paint.fold(13, what.trim_end());
    let _ = writeln!(text, "{label} {what}");
}

/// A label and a path or a command, which is not folded so that it can be pasted.
pub(super) fn paste(text: &mut String, label: &str, what: &str, paint: Paint) {
    let label = paint.faint(&format!("{label:>12}"));
    let what = what.trim_end().replace('\n', "\n             ");
    let _ = writeln!(text, "{label} {what}");
}

fn told(text: &mut String, report: &RunReport, paint: Paint) {
    let Judgement { violations, unknowns, not_applicable, .. } = &report.judgement;
    if let Some(why) = not_applicable {
        entry(text, "because", why, paint);
    }
    for line in lines(&report.known) {
        entry(text, "known", &line, paint);
    }
    if !violations.is_empty() {
        entry(text, "expected", &report.correct, paint);
    }
    for violation in violations {
        let by = violation.oracle.to_string();
        let mut line = String::new();
        let seen = format!("{by}: {} (record {})", violation.text, violation.seq);
        entry(&mut line, "seen", &seen, paint);
        // The oracle is painted after the text was folded, because a colour has no width.
        text.push_str(&line.replacen(&by, &paint.bad(&by), 1));
    }
    if report.cell == Some((DaemonKind::Own, false)) {
        entry(text, "seen", "not the failure that this defect must cause", paint);
    }
    for unknown in unknowns {
        entry(text, "unknown", &unknown.text, paint);
    }
    if let Some(used_again) = &report.used_again {
        entry(text, "note", used_again, paint);
    }
}

fn excerpt(text: &mut String, report: &RunReport, whole: bool, paint: Paint) {
    let lines = &report.timeline;
    let shown = if whole { 0..lines.len() } else { around(report) };
    if shown.is_empty() {
        return;
    }
    let part = if shown.len() == lines.len() {
        format!("all {} lines", lines.len())
    } else {
        format!("lines {} to {} of {}", shown.start + 1, shown.end, lines.len())
    };
    let path = report.evidence.as_ref().map(|evidence| evidence.join(TIMELINE));
    let whole_file = path.map(|path| format!(" of {}", path.display())).unwrap_or_default();
    paste(text, "timeline", &format!("{part}{whole_file}"), paint);
    for line in lines.get(shown).into_iter().flatten() {
        // A record's text of several lines must not look like several records.
        let _ = writeln!(text, "  {}", line.replace('\n', "\n             "));
    }
}

/// The lines of the timeline that lead to the last violation, or its last lines if there is no
/// violation.
fn around(report: &RunReport) -> std::ops::Range<usize> {
    let lines = &report.timeline;
    let last = report.judgement.violations.iter().map(|violation| violation.seq).max();
    let found = last.and_then(|last| lines.iter().rposition(|line| number(line) <= Some(last)));
    let end = found.map_or(lines.len(), |index| (index + 1 + AFTERMATH).min(lines.len()));
    end.saturating_sub(EXCERPT)..end
}

/// The record's number: the second word of its line.
fn number(line: &str) -> Option<u64> {
    line.split_whitespace().nth(1)?.parse().ok()
}
