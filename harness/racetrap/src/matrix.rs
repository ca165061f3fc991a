//! Runs every scenario on several daemons: the proof that the harness tells right from wrong.
//!
//! Each scenario must pass on the correct daemon, fail under its own defect through the oracle that
//! it names, pass under another finding's defect, and pass without its fault. Each cell runs once;
//! nothing is retried.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use futures::StreamExt as _;
pub use racetrap_history::DaemonKind;
use racetrap_history::{About, FindingId, Judgement, OracleName, Scenario, Verdict, VmMode};
use serde::{Serialize, Serializer};

use crate::derived::JOURNAL;
use crate::known::{KnownFailures, KnownState};
use crate::run::{self, EndAt, Outcome, RunError, RunOptions, Stop};

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

/// What [`run_matrix`] reports while it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// The run of a cell begins. The cell has no result yet.
    Began(&'a Cell),
    /// A cell has its result.
    Ended {
        /// The name of its subject.
        subject: &'a str,
        /// The result.
        cell: &'a Cell,
    },
}

/// Runs every cell of `subjects`, and returns the cells sorted by subject and daemon.
///
/// `again` returns the command that repeats a subject under some defects, or as a control run.
/// `observe` is called when a cell begins and when it ends. A scenario without `about` has no cells.
pub(crate) async fn run_matrix(
    subjects: &[Subject<'_>],
    options: &MatrixOptions,
    again: impl Fn(&str, &[String], bool) -> String,
    observe: impl Fn(Event<'_>),
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
        let cell_of = Some(planned.daemon);
        let end_at = planned.end_at();
        let options =
            RunOptions { defects, again, keep, end_at, cell: cell_of, ..options.run.clone() };
        if let Some(why) = not_begun(&options.stop) {
            return Cell { reasons: vec![why], ..cell };
        }
        observe(Event::Began(&cell));
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
    carry_out(&planned, options.jobs, run_one, &observe).await
}

/// How many cells [`run_matrix`] will run.
#[must_use]
pub(crate) fn count(subjects: &[Subject<'_>], knows_defects: bool) -> usize {
    plan(subjects, knows_defects).len()
}

/// The daemons that each scenario runs on.
#[must_use]
pub(crate) fn daemons(knows_defects: bool) -> &'static [DaemonKind] {
    if knows_defects {
        &[DaemonKind::Correct, DaemonKind::Own, DaemonKind::Unrelated, DaemonKind::Control]
    } else {
        &[DaemonKind::Correct, DaemonKind::Control]
    }
}

fn plan<'a>(subjects: &[Subject<'a>], knows_defects: bool) -> Vec<Planned<'a>> {
    let daemons = daemons(knows_defects);
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
    observe: &impl Fn(Event<'_>),
) -> Vec<Cell> {
    let run_one = &run_one;
    let runs = in_order(planned)
        .into_iter()
        .map(|index| async move { (index, run_one(planned[index]).await) });
    let mut running = std::pin::pin!(futures::stream::iter(runs).buffer_unordered(jobs.get()));
    let mut cells = Vec::new();
    while let Some((index, cell)) = running.next().await {
        observe(Event::Ended { subject: planned[index].name, cell: &cell });
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
    let unknowns = unknowns.iter().map(|unknown| unknown.text.clone());
    violations.chain(unknowns).chain(not_applicable.clone())
}

/// Why a run did not begin, if the harness was asked to stop before.
pub(crate) fn not_begun(stop: &Stop) -> Option<String> {
    let by = stop.asked_now()?;
    Some(format!("not begun: the harness was told to stop by {by}"))
}

/// The evidence of a run that could not begin, if there is any.
pub(crate) fn evidence_of(error: &RunError) -> Option<PathBuf> {
    match error {
        // The disk was full before or after the journal was begun.
        RunError::Evidence { path, .. } => path.join(JOURNAL).exists().then(|| path.clone()),
        RunError::World { evidence, .. }
        | RunError::Ended { evidence, .. }
        | RunError::Leaked { evidence, .. } => Some(evidence.clone()),
    }
}

#[cfg(test)]
mod tests;
