//! One run, from its world to its evidence.

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use futures::FutureExt as _;
use racetrap_history::{Blame, Scenario, Verdict, VmMode, What, judge};

use super::error::RunError;
use super::evidence::{Evidence, Judged};
use super::options::RunOptions;
use super::outcome::Outcome;
use super::runner::Runner;
use super::step_error::StepError;
use super::stop::End;
use super::{cause, reuse};
use crate::bundle::{Cause, Trigger, panicked};
use crate::chain::chain;
use crate::clock::Clock;
use crate::daemon::DaemonError;
use crate::recorder::{Recorder, Whole};
use crate::world::{Lease, World, WorldError, WorldOptions};

/// Runs one scenario in a world of its own, and judges the history.
///
/// # Errors
/// No world can be made, or no evidence can be written. Everything that goes wrong after that is in the
/// history.
pub async fn run(scenario: &Scenario, options: &RunOptions) -> Result<Outcome, RunError> {
    let clock = Clock::start();
    let mut modes = vec![VmMode::Api, VmMode::Program];
    modes.retain(|mode| scenario.needs.vm.is_empty() || scenario.needs.vm.contains(mode));
    modes.retain(|mode| options.vm.is_none_or(|wanted| wanted == *mode));
    let mut modes = modes.into_iter().peekable();
    while let Some(vm) = modes.next() {
        match run_in(vm, scenario, options, clock).await {
            // The daemon does not support this mode, so this attempt says nothing of the finding.
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
        // The half-made world is dropped, and its lock with it. The world's watcher waits for that lock,
        // and sweeps what is left.
        why = async {
            let why = end.comes().await;
            recorder.begin_to_end();
            why
        } => {
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
    let mut runner = Runner::new(world, options.deadlines.step(), neighbour);
    let carried_out = carry_out_or_panic(scenario, &mut runner, &end).await;
    let so_far = recorder.as_ended();
    let judgement = judge(&so_far);
    let passes = judgement.verdict == Verdict::Pass;
    let (came, kept) = if passes && lease.keeps() && reuse::can_be_undone(scenario) {
        give_back(runner.into_world(), lease, evidence, options).await?
    } else {
        let cause = cause::cause(&so_far, &judgement, carried_out.is_err(), &options.stop);
        // The capture comes before the close, which ends the processes that it asks.
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

/// Begins the history. A world that is used again keeps its recorder, because its observers write to
/// that.
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

/// Begins a run in a world that is used again. A world in which that fails is closed.
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
    // Records that came between the first judgement and the end of the history are judged too.
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

/// Makes a world, and a neighbour for it if the scenario needs one.
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
            let runner = Runner::new(neighbour, options.deadlines.step(), None);
            Ok((world, Some(Box::new(runner))))
        }
        Err(error) => {
            world.close().await;
            Err(error)
        }
    }
}

/// Does the steps, and returns the panic of the harness, if one of them panicked. The history says then
/// that the step failed.
async fn carry_out_or_panic(
    scenario: &Scenario,
    runner: &mut Runner,
    end: &End,
) -> std::thread::Result<()> {
    let carried_out = AssertUnwindSafe(carry_out(scenario, runner, end)).catch_unwind().await;
    if let Err(panic) = &carried_out {
        let recorder = runner.recorder();
        recorder.append(cause::broken_off(recorder, panicked(panic.as_ref())));
    }
    // The last lines of the log belong to the last step, and are judged with it.
    runner.read_log();
    runner.recorder().begin_to_end();
    carried_out
}

/// Does the steps in order, until one fails or the run must end.
async fn carry_out(scenario: &Scenario, runner: &mut Runner, end: &End) {
    let recorder = runner.recorder().clone();
    for (index, step) in scenario.steps.iter().enumerate() {
        recorder.append(What::StepBegan { index });
        if reuse::starts_app(step)
            && let Err(error) = runner.forget_events().await
        {
            recorder.append(What::StepFailed {
                index,
                blame: Blame::World,
                why: error.to_string(),
            });
            return;
        }
        let outcome = tokio::select! {
            // Dropping a step in the middle is safe: the run ends then, and nobody resumes it.
            outcome = runner.step(step) => outcome,
            // Cancel-safe: a request to stop stays, and so does the deadline. The end is recorded before
            // the step is dropped, which may end clients and commands.
            why = async {
                let why = end.comes().await;
                recorder.begin_to_end();
                why
            } => Err(StepError { blame: Blame::World, why }),
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
