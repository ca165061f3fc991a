//! Carries out the steps of a scenario in a world; its only output is the history.

mod evidence;
mod runner;
mod settle;
mod stop;

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::FutureExt as _;
use racetrap_history::{Judgement, Record, Scenario, Step, VmMode, What, judge};

use self::evidence::Evidence;
use self::runner::{Runner, StepError};
pub use self::stop::{Stop, StopSender};
use crate::chain::chain;
use crate::clock::Clock;
use crate::daemon::DaemonError;
use crate::recorder::Recorder;
use crate::world::{World, WorldError, WorldFacts, WorldOptions};

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
    /// How long any one step may take.
    pub deadline: Duration,
    /// Ends the run early, and its world with it.
    pub stop: Stop,
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
    /// The harness was told to stop before the world was made.
    #[error("the harness was told to stop by {by} before the world was made")]
    Stopped {
        /// What told it.
        by: &'static str,
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
    let (evidence, recorder) = Evidence::create(&options.evidence, scenario, clock)?;
    recorder.append(What::Run(evidence.header(scenario, options, vm)));
    let directory = evidence.directory().to_owned();
    let making = make_world(vm, options, &directory, &recorder);
    let made = tokio::select! {
        made = making => made,
        // What was begun is dropped, its lock with it, and the world's watcher sweeps it.
        by = options.stop.asked() => return Err(RunError::Stopped { by }),
    };
    let world = match made {
        Ok(world) => world,
        Err(source) => {
            recorder.note(chain(&source));
            recorder.append(What::Ended);
            let history = recorder.history();
            evidence.finish(&history, &judge(&history), &recorder, true)?;
            return Err(RunError::World { source, evidence: directory });
        }
    };
    let mut runner = Runner::new(world, options.deadline, recorder.clone());
    let steps = carry_out(scenario, &mut runner, &options.stop);
    let carried_out = AssertUnwindSafe(steps).catch_unwind().await;
    runner.close().await;
    recorder.append(What::Ended);
    if let Err(panic) = carried_out {
        std::panic::resume_unwind(panic);
    }
    let history = recorder.history();
    let judgement = judge(&history);
    let kept = evidence.finish(&history, &judgement, &recorder, options.keep)?;
    Ok(Outcome { judgement, history, evidence: kept, vm, took: clock.elapsed() })
}

/// Makes a world, and records what it is made of.
async fn make_world(
    vm: VmMode,
    options: &RunOptions,
    evidence: &Path,
    recorder: &Recorder,
) -> Result<World, WorldError> {
    let world = WorldOptions {
        daemon: options.daemon.clone(),
        defects: options.defects.clone(),
        vm,
        evidence: evidence.to_owned(),
    };
    let world = World::start(&world, recorder).await?;
    match world.facts().await {
        Ok(WorldFacts { daemon_version, engine }) => {
            recorder.append(What::Facts { daemon_version, engine });
            Ok(world)
        }
        Err(error) => {
            world.close().await;
            Err(error)
        }
    }
}

/// Does the steps in order, up to the first that fails, the end, or a request to stop.
async fn carry_out(scenario: &Scenario, runner: &mut Runner, stop: &Stop) {
    let recorder = runner.recorder().clone();
    for (index, step) in scenario.steps.iter().enumerate() {
        let text = describe(step);
        recorder.append(What::StepBegan { index, text });
        let outcome = tokio::select! {
            // Not resumed after the other has ended: the run ends then.
            outcome = runner.step(step) => outcome,
            // Cancel-safe: a request not told yet stays.
            by = stop.asked() => Err(StepError::stopped(by)),
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
