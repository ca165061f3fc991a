//! Carries out the steps of a scenario in a world; its only output is the history.

mod cause;
mod commands;
mod docker;
mod evidence;
mod faults;
mod gates;
mod levels;
mod logs;
mod reuse;
mod runner;
mod settle;
mod stop;
mod user;

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::FutureExt as _;
use racetrap_history::{Blame, Judgement, Record, Scenario, Step, Verdict, VmMode, What, judge};

use self::evidence::{Evidence, Judged};
use self::runner::{Runner, StepError};
use self::stop::End;
pub use self::stop::{Stop, StopSender};
use crate::bundle::{Cause, Trigger, panicked};
use crate::chain::chain;
use crate::clock::Clock;
use crate::daemon::DaemonError;
use crate::deadline::Deadlines;
use crate::mask::Masker;
use crate::recorder::{Recorder, Whole};
use crate::world::{EngineChoice, Lease, Pool, World, WorldError, WorldOptions};

/// What a run needs beside its scenario.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The daemon's program.
    pub daemon: PathBuf,
    /// Defects to switch on; only a reference daemon knows any.
    pub defects: Vec<String>,
    /// Directory under which the run makes its own evidence directory.
    pub evidence: PathBuf,
    /// Keep evidence also of a run that passed.
    pub keep: bool,
    /// Use this VM mode instead of the first one that daemon and scenario both support.
    pub vm: Option<VmMode>,
    /// Which engine the daemon mirrors.
    pub engine: EngineChoice,
    /// How long a step and the whole run may take.
    pub deadlines: Deadlines,
    /// The command that repeats the run.
    pub again: String,
    /// Ends the run early, and its world with it.
    pub stop: Stop,
    /// Worlds that may be used again, and where this run's is given back.
    pub pool: Pool,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Verdict and reasons.
    pub judgement: Judgement,
    /// The history.
    pub history: Vec<Record>,
    /// The run's evidence directory; none where the run passed and it was not to be kept.
    pub evidence: Option<PathBuf>,
    /// How the daemon's VM was run.
    pub vm: VmMode,
    /// Wall time of the run, world included.
    pub took: Duration,
}

impl Outcome {
    /// The engine that was run, its version and image store, as soon as it could be asked.
    #[must_use]
    pub fn engine(&self) -> Option<String> {
        engine_of(&self.history)
    }

    /// A line on a run that did not pass in a world that was used before: that may matter.
    #[must_use]
    pub fn used_again(&self) -> Option<String> {
        let head = self.history.first().map(|record| &record.what);
        match head {
            Some(What::Run(head)) if head.reused > 0 && self.judgement.verdict != Verdict::Pass => {
                let run = head.reused + 1;
                Some(format!("this was run {run} in its world; `repro` makes a new one"))
            }
            _ => None,
        }
    }
}

/// The engine of a history, as soon as it could be asked.
pub(crate) fn engine_of(history: &[Record]) -> Option<String> {
    history.iter().find_map(|record| {
        let What::Facts { engine, .. } = &record.what else { return None };
        (!record.neighbour).then(|| engine.clone())
    })
}

/// A run that could not even begin, or whose evidence could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The world could not be made.
    #[error("the world could not be made; what is known lies in {evidence}")]
    World {
        /// Why.
        #[source]
        source: WorldError,
        /// The run's evidence directory.
        evidence: PathBuf,
    },
    /// The run was ended before the world was made.
    #[error("{why}, before the world was made; what is known lies in {evidence}")]
    Ended {
        /// By what.
        why: String,
        /// The run's evidence directory.
        evidence: PathBuf,
    },
    /// A secret that was planted in the world was left in the evidence: masking has failed.
    #[error("masking has failed in {}, which are left out of {evidence}", files.join(", "))]
    Leaked {
        /// The files that had it.
        files: Vec<String>,
        /// The run's evidence directory.
        evidence: PathBuf,
    },
    /// The evidence directory could not be written.
    #[error("no evidence could be written to {path}")]
    Evidence {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl RunError {
    /// The error and its causes, masked as records are: it may quote what a daemon said, and no record
    /// that was masked holds it.
    #[must_use]
    pub fn told(&self) -> String {
        Masker::default().message(&chain(self))
    }
}

/// Runs one scenario in a world of its own, and judges the history.
///
/// # Errors
/// Where no world can be made or no evidence be written; everything after that is in the history.
pub async fn run(scenario: &Scenario, options: &RunOptions) -> Result<Outcome, RunError> {
    let clock = Clock::start();
    let mut modes = vec![VmMode::Api, VmMode::Program];
    modes.retain(|mode| scenario.needs.vm.is_empty() || scenario.needs.vm.contains(mode));
    modes.retain(|mode| options.vm.is_none_or(|wanted| wanted == *mode));
    let mut modes = modes.into_iter().peekable();
    while let Some(vm) = modes.next() {
        match run_in(vm, scenario, options, clock).await {
            // The daemon does not support this mode; what was tried says nothing of the finding.
            Err(RunError::World { source: WorldError::Daemon(error), evidence })
                if matches!(error, DaemonError::VmMode { .. }) && modes.peek().is_some() =>
            {
                Evidence::discard(&evidence)?;
            }
            ended => return ended,
        }
    }
    let evidence = options.evidence.clone();
    Err(RunError::World { source: WorldError::NoVmMode, evidence })
}

/// Runs a scenario in one VM mode, with a history of its own.
async fn run_in(
    vm: VmMode,
    scenario: &Scenario,
    options: &RunOptions,
    clock: Clock,
) -> Result<Outcome, RunError> {
    let evidence = Evidence::create(&options.evidence, scenario, clock)?;
    let end = End::of(options, clock);
    let mut lease = reuse::pool(scenario, options).lease(reuse::key(scenario, options, vm)).await;
    let reused = lease.world.as_ref().map_or(0, World::runs);
    let head = What::Run(evidence.header(scenario, options, vm, reused));
    let recorder = begin(&mut lease, evidence.journal()?, clock, head);
    let directory = evidence.directory().to_owned();
    let making = async {
        match lease.world.take() {
            Some(world) => Ok((begin_again(world, &directory).await?, None)),
            None => make_worlds(vm, scenario, options, &directory, &recorder).await,
        }
    };
    let made = tokio::select! {
        made = making => made,
        // What was begun is dropped, its lock with it, and the world's watcher sweeps it.
        why = end.comes() => {
            recorder.note(&why);
            let cause = Cause::new(Trigger::Stopped, &why);
            evidence.finish(&recorder, &Judged::of(&recorder), cause, true).await?;
            return Err(RunError::Ended { why, evidence: directory });
        }
    };
    let (world, neighbour) = match made {
        Ok(worlds) => worlds,
        Err(source) => {
            recorder.note(chain(&source));
            recorder.append(What::Ended);
            let cause = Cause::new(Trigger::Unmade, chain(&source));
            evidence.finish(&recorder, &Judged::of(&recorder), cause, true).await?;
            return Err(RunError::World { source, evidence: directory });
        }
    };
    let mut runner = Runner::new(world, options.deadlines.step(), recorder.clone());
    runner.neighbour = neighbour;
    let steps = carry_out(scenario, &mut runner, &end);
    let carried_out = AssertUnwindSafe(steps).catch_unwind().await;
    if let Err(panic) = &carried_out {
        recorder.append(cause::broken_off(&recorder, panicked(panic.as_ref())));
    }
    runner.world.daemon.read_log();
    let so_far = recorder.as_ended();
    let judgement = judge(&so_far);
    let passes = judgement.verdict == Verdict::Pass;
    let (came, kept) = if passes && lease.keeps() && reuse::can_be_undone(scenario) {
        give_back(runner.into_world(), lease, evidence, options).await?
    } else {
        let cause = cause::cause(&so_far, &judgement, carried_out.is_err(), &options.stop);
        if !passes {
            runner.capture(&cause).await;
        }
        runner.close().await;
        recorder.append(What::Ended);
        let came = Judged::of(&recorder);
        let kept = evidence.finish(&recorder, &came, cause, options.keep).await;
        if let Err(panic) = carried_out {
            std::panic::resume_unwind(panic);
        }
        (came, kept?)
    };
    let Judged { history, judgement, .. } = came;
    Ok(Outcome { judgement, history, evidence: kept, vm, took: clock.elapsed() })
}

/// Begins the history: in the world that is used again, if one is.
fn begin(lease: &mut Lease, journal: File, clock: Clock, head: What) -> Recorder {
    let recorder = match &mut lease.world {
        Some(world) => {
            world.begin_history(journal, clock, head);
            world.recorder().clone()
        }
        None => {
            let recorder = Recorder::new(journal, clock);
            recorder.append(head);
            recorder
        }
    };
    for note in lease.notes.drain(..) {
        recorder.note(note);
    }
    recorder
}

/// Begins a run in a world that is used again.
async fn begin_again(mut world: World, evidence: &Path) -> Result<World, WorldError> {
    match world.begin(evidence).await {
        Ok(()) => Ok(world),
        Err(error) => {
            world.close().await;
            Err(error)
        }
    }
}

/// Ends the history of a run that passed, and gives its world back.
async fn give_back(
    mut world: World,
    lease: Lease,
    evidence: Evidence,
    options: &RunOptions,
) -> Result<(Judged, Option<PathBuf>), RunError> {
    let Whole { records, failure } = match world.end_history(Clock::start()) {
        Ok(whole) => whole,
        Err(source) => {
            lease.close(world).await;
            return Err(evidence.not_written(source));
        }
    };
    // What came after the first judgement, and before the end, is judged too.
    let came = Judged::new(records, failure);
    let passed = came.judgement.verdict == Verdict::Pass;
    let cause = cause::cause(&came.history, &came.judgement, false, &options.stop);
    if !passed {
        world.capture(cause.clone()).await;
    }
    let is_kept = !passed || options.keep;
    let logs = if is_kept { world.keep_logs(evidence.directory()) } else { Ok(()) };
    let idle = logs.and_then(|()| world.declare_idle());
    let kept = match idle.map_err(|source| evidence.not_written(source)) {
        Ok(()) => evidence.finish(world.recorder(), &came, cause, options.keep).await,
        Err(error) => Err(error),
    };
    if passed && kept.is_ok() {
        lease.give_back(world).await;
    } else {
        lease.close(world).await;
    }
    Ok((came, kept?))
}

/// Makes a world, and a neighbour for it where the scenario needs one.
async fn make_worlds(
    vm: VmMode,
    scenario: &Scenario,
    options: &RunOptions,
    evidence: &Path,
    recorder: &Recorder,
) -> Result<(World, Option<Box<Runner>>), WorldError> {
    let mut asked = WorldOptions {
        daemon: options.daemon.clone(),
        defects: options.defects.clone(),
        vm,
        engine: options.engine,
        evidence: evidence.to_owned(),
        needs: scenario.needs.clone(),
        home: None,
    };
    let world = World::start(&asked, recorder).await?;
    if !scenario.needs.neighbour {
        return Ok((world, None));
    }
    asked.home = Some(world.home().to_owned());
    asked.evidence = evidence.join("neighbour");
    let recorder = recorder.neighbour();
    match World::start(&asked, &recorder).await {
        Ok(neighbour) => {
            let runner = Runner::new(neighbour, options.deadlines.step(), recorder);
            Ok((world, Some(Box::new(runner))))
        }
        Err(error) => {
            world.close().await;
            Err(error)
        }
    }
}

/// Does the steps in order, up to the first that fails, or what ends the run before.
async fn carry_out(scenario: &Scenario, runner: &mut Runner, end: &End) {
    let recorder = runner.recorder().clone();
    for (index, step) in scenario.steps.iter().enumerate() {
        let text = describe(step);
        recorder.append(What::StepBegan { index, text });
        if reuse::starts_app(step)
            && let Err(error) = runner.world.forget_events().await
        {
            recorder.append(What::StepFailed {
                index,
                blame: Blame::World,
                why: error.to_string(),
            });
            return;
        }
        let outcome = tokio::select! {
            // Not resumed after the other has ended: the run ends then.
            outcome = runner.step(step) => outcome,
            // Cancel-safe: a request not told yet stays, and so does the deadline.
            why = end.comes() => Err(StepError { blame: Blame::World, why }),
        };
        match outcome {
            Ok(()) => recorder.append(What::StepDone { index }),
            Err(StepError { blame, why }) => {
                recorder.append(What::StepFailed { index, blame, why });
                return;
            }
        }
    }
}

/// A step as one line, in the words of its YAML form.
fn describe(step: &Step) -> String {
    let text = serde_json::to_string(step).unwrap_or_default();
    let text = text.replace("\":", ": ").replace(',', ", ").replace('"', "");
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inner.unwrap_or(&text).to_owned()
}
