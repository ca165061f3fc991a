//! Runs every scenario on several daemons: the proof that the harness tells right from wrong.
//!
//! Each scenario must pass on the correct daemon, fail under its own defect through the oracle that
//! it names, pass under another finding's defect, and pass without its fault. Each cell runs once;
//! nothing is retried.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use futures::StreamExt as _;
use racetrap_history::{About, FindingId, Judgement, OracleName, Scenario, Verdict, VmMode};
use serde::{Serialize, Serializer};

use crate::known::{KnownFailures, KnownState};
use crate::run::{self, EndAt, Outcome, RunError, RunOptions, Stop};

/// The daemon of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DaemonKind {
    /// No defect is switched on.
    Correct,
    /// The defect of the finding is switched on.
    Own,
    /// The defect of another finding is switched on.
    Unrelated,
    /// No defect is switched on, and the scenario runs without its faults: the control run.
    Control,
}

impl DaemonKind {
    /// The defect that this daemon has for a finding, if any.
    #[must_use]
    pub fn defect(self, about: &About) -> Option<&str> {
        match self {
            Self::Correct | Self::Control => None,
            Self::Own => Some(&about.defect),
            Self::Unrelated => Some(&about.unrelated),
        }
    }

    /// Whether this judgement is the right one for this daemon: a pass, or under the finding's own
    /// defect a failure through the oracle that the finding names.
    #[must_use]
    pub fn accepts(self, about: &About, judgement: &Judgement) -> bool {
        match self {
            Self::Correct | Self::Unrelated | Self::Control => judgement.verdict == Verdict::Pass,
            Self::Own => {
                judgement.verdict == Verdict::Fail && judgement.oracles().contains(&about.oracle)
            }
        }
    }
}

/// One scenario on one daemon, and the result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Cell {
    /// The finding.
    pub finding: FindingId,
    /// The daemon.
    pub daemon: DaemonKind,
    /// The defect that was switched on, if any.
    pub defect: Option<String>,
    /// The verdict of the run.
    pub verdict: Verdict,
    /// The oracles that found violations, in the order of their names.
    pub oracles: Vec<OracleName>,
    /// Whether the verdict is the right one, see [`DaemonKind::accepts`]. The reports show a cell that
    /// is not applicable, or fails as it is known to, as neither right nor wrong.
    #[serde(skip)]
    pub right: bool,
    /// How the daemon's VM was run; `None` if no world could be made.
    pub vm: Option<VmMode>,
    /// Version and image store of the engine; `None` if it could not be asked.
    pub engine: Option<String>,
    /// Wall time, in seconds.
    pub seconds: f64,
    /// Directory of the evidence, if it was kept.
    #[serde(serialize_with = "as_text")]
    pub evidence: Option<PathBuf>,
    /// Broken promises, the reasons why the run may not show everything, or why the scenario is not
    /// applicable.
    pub reasons: Vec<String>,
    /// What the list of known failures says of the run.
    #[serde(skip)]
    pub known: KnownState,
    /// The command that repeats the run.
    pub again: String,
}

/// Writes a path as text; bytes that are not UTF-8 are replaced.
fn as_text<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.to_string_lossy()).serialize(serializer)
}

/// How cells are run.
#[derive(Clone, Debug)]
pub(crate) struct MatrixOptions {
    /// The options of each run. `run_matrix` replaces `defects` and `again`.
    pub run: RunOptions,
    /// How many runs there may be at once.
    pub jobs: NonZeroUsize,
    /// Whether the daemon can switch defects on. If not, only cells of the correct daemon are run.
    pub knows_defects: bool,
    /// Failures that are known. Cells under the finding's own defect must fail and are not compared.
    pub known: KnownFailures,
}

/// A scenario and the name by which the user can run it again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// The scenario.
    pub(crate) scenario: &'a Scenario,
    /// An id, or the path of a file.
    pub(crate) name: &'a str,
}

/// A cell that is going to be run.
#[derive(Clone, Copy, Debug)]
struct Planned<'a> {
    scenario: &'a Scenario,
    name: &'a str,
    about: &'a About,
    daemon: DaemonKind,
}

/// Runs every cell of `subjects`, and returns the cells sorted by subject and daemon.
///
/// `again` returns the command that repeats a subject under some defects, or as a control run.
/// `progress` is called for each cell as soon as it is done. A scenario without `about` has no
/// cells.
pub(crate) async fn run_matrix(
    subjects: &[Subject<'_>],
    options: &MatrixOptions,
    again: impl Fn(&str, &[String], bool) -> String,
    progress: impl FnMut(&Cell),
) -> Vec<Cell> {
    let planned = plan(subjects, options.knows_defects);
    let known = &options.known;
    let run_one = async |planned: Planned<'_>| {
        let is_control = planned.daemon == DaemonKind::Control;
        let defects = planned.defects();
        let again = again(planned.name, &defects, is_control);
        let cell = planned.unmade(again.clone());
        // If the defect is not found, only the history shows why, so its evidence is kept even
        // after a pass.
        let keep = options.run.keep || planned.daemon == DaemonKind::Own;
        let end_at = planned.end_at();
        let options = RunOptions { defects, again, keep, end_at, ..options.run.clone() };
        if let Some(why) = not_begun(&options.stop) {
            return Cell { reasons: vec![why], ..cell };
        }
        let came = if is_control {
            run::run(&planned.scenario.control(), &options).await
        } else {
            run::run(planned.scenario, &options).await
        };
        let cell = planned.judged(cell, came);
        if cell.daemon == DaemonKind::Own {
            return cell;
        }
        let known = known.compare(&cell.finding, cell.verdict, &cell.oracles);
        Cell { known, ..cell }
    };
    carry_out(&planned, options.jobs, run_one, progress).await
}

/// How many cells [`run_matrix`] will run.
#[must_use]
pub(crate) fn count(subjects: &[Subject<'_>], knows_defects: bool) -> usize {
    plan(subjects, knows_defects).len()
}

fn plan<'a>(subjects: &[Subject<'a>], knows_defects: bool) -> Vec<Planned<'a>> {
    let daemons: &[_] = if knows_defects {
        &[DaemonKind::Correct, DaemonKind::Own, DaemonKind::Unrelated, DaemonKind::Control]
    } else {
        &[DaemonKind::Correct, DaemonKind::Control]
    };
    let described =
        subjects.iter().filter_map(|subject| Some((*subject, subject.scenario.about.as_ref()?)));
    described
        .flat_map(|(Subject { scenario, name }, about)| {
            daemons.iter().map(move |daemon| Planned { scenario, name, about, daemon: *daemon })
        })
        .collect()
}

/// The order in which cells are begun, as indices into `planned`.
///
/// Cells with the same daemon run one after the other, so that they can reuse worlds. Daemons under which
/// a finding fails by `liveness` come early, spread over the first half: such a cell waits for what does
/// not come, needs little of the machine meanwhile, and must not be what all others have waited for.
fn in_order(planned: &[Planned<'_>]) -> Vec<usize> {
    let mut by_defect: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, planned) in planned.iter().enumerate() {
        by_defect.entry(planned.daemon.defect(planned.about)).or_default().push(index);
    }
    let waits = |index: &usize| {
        planned[*index].daemon == DaemonKind::Own
            && planned[*index].about.oracle == OracleName::Liveness
    };
    let (waiting, others): (Vec<_>, Vec<_>) =
        by_defect.into_values().partition(|group| group.iter().any(waits));
    let others = others.into_iter().flatten();
    let apart = planned.len() / (2 * (waiting.len() + 1)) + 1;
    let mut waiting = waiting.into_iter();
    let mut order = Vec::with_capacity(planned.len());
    for (number, index) in others.enumerate() {
        if number % apart == 0 {
            order.extend(waiting.next().unwrap_or_default());
        }
        order.push(index);
    }
    order.extend(waiting.flatten());
    order
}

async fn carry_out<'a>(
    planned: &[Planned<'a>],
    jobs: NonZeroUsize,
    run_one: impl AsyncFn(Planned<'a>) -> Cell,
    mut progress: impl FnMut(&Cell),
) -> Vec<Cell> {
    let run_one = &run_one;
    let runs = in_order(planned)
        .into_iter()
        .map(|index| async move { (index, run_one(planned[index]).await) });
    let mut running = std::pin::pin!(futures::stream::iter(runs).buffer_unordered(jobs.get()));
    let mut cells = Vec::new();
    while let Some((index, cell)) = running.next().await {
        progress(&cell);
        cells.push((index, cell));
    }
    cells.sort_by_key(|(index, _)| *index);
    cells.into_iter().map(|(_, cell)| cell).collect()
}

impl Planned<'_> {
    /// The defects to switch on.
    fn defects(self) -> Vec<String> {
        self.daemon.defect(self.about).map(str::to_owned).into_iter().collect()
    }

    /// When the run may end: that of the finding's own defect as soon as the named oracle has caught it.
    fn end_at(self) -> EndAt {
        match self.daemon {
            DaemonKind::Own => EndAt::ViolationOf(self.about.oracle),
            DaemonKind::Correct | DaemonKind::Unrelated | DaemonKind::Control => EndAt::LastStep,
        }
    }

    /// The cell before its run: unknown.
    fn unmade(self, again: String) -> Cell {
        Cell {
            finding: self.scenario.finding.clone(),
            daemon: self.daemon,
            defect: self.daemon.defect(self.about).map(str::to_owned),
            verdict: Verdict::Unknown,
            oracles: Vec::new(),
            right: false,
            vm: None,
            engine: None,
            seconds: 0.0,
            evidence: None,
            reasons: Vec::new(),
            known: KnownState::default(),
            again,
        }
    }

    /// The cell after its run.
    fn judged(self, cell: Cell, came: Result<Outcome, RunError>) -> Cell {
        match came {
            Ok(outcome) => {
                let (again, engine) = (outcome.used_again(), outcome.engine());
                let Outcome { judgement, evidence, vm, took, .. } = outcome;
                Cell {
                    verdict: judgement.verdict,
                    right: self.daemon.accepts(self.about, &judgement),
                    reasons: reasons(&judgement).chain(again).collect(),
                    vm: Some(vm),
                    engine,
                    oracles: judgement.oracles(),
                    seconds: took.as_secs_f64(),
                    evidence,
                    ..cell
                }
            }
            Err(error) => {
                Cell { evidence: evidence_of(&error), reasons: vec![error.told()], ..cell }
            }
        }
    }
}

/// Broken promises, the reasons why the run may not show everything, or why the scenario is not
/// applicable.
pub(crate) fn reasons(judgement: &Judgement) -> impl Iterator<Item = String> {
    let Judgement { violations, unknowns, not_applicable, .. } = judgement;
    let violations = violations.iter().map(|found| format!("{}: {}", found.oracle, found.text));
    violations.chain(unknowns.iter().cloned()).chain(not_applicable.clone())
}

/// Why a run did not begin, if the harness was asked to stop before.
pub(crate) fn not_begun(stop: &Stop) -> Option<String> {
    let by = stop.asked_now()?;
    Some(format!("not begun: the harness was told to stop by {by}"))
}

/// The evidence of a run that could not begin, if there is any.
pub(crate) fn evidence_of(error: &RunError) -> Option<PathBuf> {
    match error {
        RunError::Evidence { .. } => None,
        RunError::World { evidence, .. }
        | RunError::Ended { evidence, .. }
        | RunError::Leaked { evidence, .. } => Some(evidence.clone()),
    }
}

#[cfg(test)]
mod tests;
