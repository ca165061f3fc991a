//! Carries out the steps of a scenario in a world; its only output is the history.

mod evidence;
mod runner;
mod settle;

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::Duration;

use futures::FutureExt as _;
use racetrap_history::{Judgement, Record, Scenario, Step, VmMode, What, judge};

use self::evidence::Evidence;
use self::runner::{Runner, StepError};
use crate::clock::Clock;
use crate::daemon::DaemonError;
use crate::recorder::Recorder;
use crate::sys::StopRequests;
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
    let (evidence, recorder) = Evidence::create(&options.evidence, scenario, clock)?;
    let (world, vm) = match make_world(scenario, options, &evidence, &recorder).await {
        Ok(made) => made,
        Err(source) => {
            return Err(RunError::World { source, evidence: evidence.directory().to_owned() });
        }
    };
    let mut runner = Runner::new(world, options.deadline, recorder.clone());
    let carried_out = AssertUnwindSafe(carry_out(scenario, &mut runner)).catch_unwind().await;
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

/// Makes a world in the first VM mode that scenario and daemon both support.
async fn make_world(
    scenario: &Scenario,
    options: &RunOptions,
    evidence: &Evidence,
    recorder: &Recorder,
) -> Result<(World, VmMode), WorldError> {
    let mut modes = vec![VmMode::Api, VmMode::Program];
    modes.retain(|mode| scenario.needs.vm.is_empty() || scenario.needs.vm.contains(mode));
    modes.retain(|mode| options.vm.is_none_or(|wanted| wanted == *mode));
    let mut refused = WorldError::NoVmMode;
    for vm in modes {
        recorder.append(What::Run(evidence.header(scenario, options, vm)));
        let world = WorldOptions {
            daemon: options.daemon.clone(),
            defects: options.defects.clone(),
            vm,
            evidence: evidence.directory().to_owned(),
        };
        match World::start(&world, recorder).await {
            Ok(world) => match world.facts().await {
                Ok(WorldFacts { daemon_version, engine }) => {
                    recorder.append(What::Facts { daemon_version, engine });
                    return Ok((world, vm));
                }
                Err(error) => {
                    world.close().await;
                    return Err(error);
                }
            },
            Err(WorldError::Daemon(error @ DaemonError::VmMode { .. })) => {
                recorder.note(error.to_string());
                refused = WorldError::Daemon(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(refused)
}

/// Does the steps in order, up to the first that fails, the end, or a request to stop.
async fn carry_out(scenario: &Scenario, runner: &mut Runner) {
    let mut stop = StopRequests::listen().expect("a process can listen to its own signals");
    let recorder = runner.recorder().clone();
    for (index, step) in scenario.steps.iter().enumerate() {
        let text = describe(step);
        recorder.append(What::StepBegan { index, text });
        let outcome = tokio::select! {
            // Not resumed after the other has ended: the run ends then.
            outcome = runner.step(step) => outcome,
            // Cancel-safe: a request not told yet stays.
            signal = stop.next() => Err(StepError::stopped(signal)),
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
