//! One run, from its world to its evidence.

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use futures::FutureExt as _;
use racetrap_history::{Blame, Scenario, Step, Verdict, VmMode, WaitStep, What, judge};

use super::error::RunError;
use super::evidence::{Evidence, Judged};
use super::first_violation::{self, EndAt};
use super::make::{Made, make};
use super::options::RunOptions;
use super::outcome::Outcome;
use super::runner::Runner;
use super::step_error::StepError;
use super::stop::{End, FAIL_FAST};
use super::{applicable, cause, reuse, turn};
use crate::bundle::{Cause, Trigger, panicked};
use crate::chain::chain;
use crate::clock::Clock;
use crate::daemon::DaemonError;
use crate::recorder::{Recorder, Whole};
use crate::world::{Lease, World, WorldError};

/// Runs one scenario in a world of its own, and judges the history.
///
/// # Errors
/// No world can be made, or no evidence can be written. Everything that goes wrong after that is in the
/// history.
pub async fn run(scenario: &Scenario, options: &RunOptions) -> Result<Outcome, RunError> {
    // Before the clock starts: other runs may take minutes.
    let _turn = turn::take(options).await;
    let clock = Clock::start();
    if let Some(why) = applicable::refused(scenario, options.vm, options.engine) {
        return not_applicable(scenario, options, clock, why).await;
    }
    let mut modes = vec![VmMode::Api, VmMode::Program];
    let guest = options.engine.guest().filter(|_| !options.engine.needs_limactl());
    modes.extend(guest.map(|_| VmMode::Guest));
    modes.retain(|mode| scenario.needs.vm.is_empty() || scenario.needs.vm.contains(mode));
    modes.retain(|mode| options.vm.is_none_or(|wanted| wanted == *mode));
    let (last, others) = modes.split_last().expect("a scenario without a mode was refused");
    for vm in others {
        // A daemon that does not support this mode says nothing of the finding by that.
        let setting = Setting { scenario, options, vm: *vm, clock };
        if let Some(outcome) = run_in(setting, false).await? {
            return Ok(outcome);
        }
    }
    let outcome = run_in(Setting { scenario, options, vm: *last, clock }, true).await?;
    Ok(outcome.expect("in the last mode, every run has an outcome"))
}

/// The outcome of a scenario that is for no daemon here.
async fn not_applicable(
    scenario: &Scenario,
    options: &RunOptions,
    clock: Clock,
    why: String,
) -> Result<Outcome, RunError> {
    let evidence = Evidence::create(&options.evidence, scenario, clock)?;
    let vm = options.vm.unwrap_or(VmMode::Api);
    let recorder = Recorder::new(evidence.journal()?, clock);
    recorder.append(What::Run(evidence.header(scenario, options, vm, 0)));
    recorder.append(What::NotApplicable { why: why.clone() });
    recorder.append(What::Ended);
    let mut came = Judged::from_recorder(&recorder);
    let kept = evidence
        .finish(&recorder, &mut came, Cause::new(Trigger::Unmade, why), options.keep)
        .await?;
    let Judged { history, judgement, .. } = came;
    Ok(Outcome { judgement, history, evidence: kept, vm, took: clock.elapsed() })
}

/// What is run, and how.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) options: &'a RunOptions,
    pub(super) vm: VmMode,
    clock: Clock,
}

/// Runs a scenario in one VM mode, with a history of its own. Returns nothing if the daemon does not
/// support the mode and another one is left to try.
async fn run_in(setting: Setting<'_>, is_last: bool) -> Result<Option<Outcome>, RunError> {
    let Setting { scenario, options, vm, clock } = setting;
    let evidence = Evidence::create(&options.evidence, scenario, clock)?;
    let end = End::new(options, clock);
    let mut lease = reuse::pool(scenario, options).lease(reuse::key(scenario, options, vm)).await;
    let reused = lease.world.as_ref().map_or(0, World::runs);
    let head = What::Run(evidence.header(scenario, options, vm, reused));
    let recorder = begin(&mut lease, evidence.journal()?, clock, head);
    let directory = evidence.directory().to_owned();
    let making = Box::pin(make(lease.world.take(), setting, &directory, &recorder));
    let reason = |why: &str| What::Unmade { why: why.to_owned() };
    // If the run must end, the half-made world is dropped, and its lock with it. The world's watcher
    // waits for that lock, and sweeps what is left.
    let made = match end.or_done(making, &recorder, reason).await {
        Ok(made) => made,
        Err(why) => {
            let cause = Cause::new(Trigger::Stopped, &why);
            evidence.finish(&recorder, &mut Judged::from_recorder(&recorder), cause, true).await?;
            return Err(RunError::Ended { why, evidence: directory });
        }
    };
    match made {
        Ok(made) => Box::pin(carry_out_made(made, lease, evidence, &end, setting)).await.map(Some),
        Err(source) => unmade(source, evidence, &recorder, setting, is_last).await,
    }
}

/// Ends a run whose world could not be made, or whose scenario is not for its daemon.
async fn unmade(
    source: WorldError,
    evidence: Evidence,
    recorder: &Recorder,
    setting: Setting<'_>,
    is_last: bool,
) -> Result<Option<Outcome>, RunError> {
    let Setting { options, vm, clock, .. } = setting;
    recorder.append(What::Ended);
    let cause = Cause::new(Trigger::Unmade, chain(&source));
    let directory = evidence.directory().to_owned();
    let mut came = Judged::from_recorder(recorder);
    let is_settled = came.judgement.verdict.is_settled();
    let lacks_mode = matches!(source, WorldError::Daemon(DaemonError::VmMode { .. }));
    let is_retried = is_settled && lacks_mode && !is_last;
    let kept = evidence.finish(recorder, &mut came, cause, options.keep && !is_retried).await?;
    if is_retried {
        return Ok(None);
    }
    if !is_settled {
        return Err(RunError::World { source, evidence: directory });
    }
    let Judged { history, judgement, .. } = came;
    Ok(Some(Outcome { judgement, history, evidence: kept, vm, took: clock.elapsed() }))
}

/// Carries out the scenario, judges the history, and closes the world or gives it back.
async fn carry_out_made(
    made: Made,
    lease: Lease,
    evidence: Evidence,
    end: &End,
    setting: Setting<'_>,
) -> Result<Outcome, RunError> {
    let Setting { scenario, options, vm, clock } = setting;
    let Made { world, neighbour, lacking } = made;
    let mut runner = Runner::new(world, options.deadlines.step(), neighbour);
    let recorder = runner.recorder().clone();
    let carried_out = match lacking {
        None => carry_out_or_panic(scenario, &mut runner, end, options.end_at).await,
        Some(why) => {
            recorder.append(What::NotApplicable { why });
            Ok(())
        }
    };
    let so_far = recorder.as_ended();
    let judgement = judge(&so_far);
    let is_settled = judgement.verdict.is_settled();
    let (came, kept) = if is_settled && lease.keeps() && reuse::can_be_undone(scenario) {
        give_back(runner.into_world(), lease, evidence, options).await?
    } else {
        let cause = cause::cause(&so_far, &judgement, carried_out.is_err(), &options.stop);
        // The capture comes before the close, which ends the processes that it asks. A run that was
        // stopped because another one has failed shows nothing that anybody would look at.
        let is_for_nothing =
            judgement.verdict != Verdict::Fail && options.stop.asked_now() == Some(FAIL_FAST);
        if !is_settled && !is_for_nothing {
            runner.capture(&cause).await;
        }
        runner.close().await;
        recorder.append(What::Ended);
        let mut came = Judged::from_recorder(&recorder);
        let kept = evidence.finish(&recorder, &mut came, cause, options.keep).await;
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
    let mut came = Judged::new(records, failure);
    let is_settled = came.judgement.verdict.is_settled();
    let cause = cause::cause(&came.history, &came.judgement, false, &options.stop);
    if !is_settled {
        world.capture(cause.clone()).await;
    }
    let is_kept = !is_settled || options.keep;
    let logs = if is_kept { world.keep_logs(evidence.directory()) } else { Ok(()) };
    let idle = logs.and_then(|()| world.declare_idle());
    came.written = std::mem::replace(&mut came.written, Ok(())).and(idle);
    let kept = evidence.finish(world.recorder(), &mut came, cause, options.keep).await;
    if is_settled && kept.is_ok() {
        lease.give_back(world).await;
    } else {
        lease.close(world).await;
    }
    Ok((came, kept?))
}

/// Does the steps, and returns the panic of the harness, if one of them panicked. The history says then
/// that the step failed.
async fn carry_out_or_panic(
    scenario: &Scenario,
    runner: &mut Runner,
    end: &End,
    end_at: EndAt,
) -> std::thread::Result<()> {
    let carrying_out = AssertUnwindSafe(carry_out(scenario, runner, end, end_at));
    let carried_out = carrying_out.catch_unwind().await;
    if let Err(panic) = &carried_out {
        let recorder = runner.recorder();
        recorder.append(cause::broken_off(recorder, panicked(panic.as_ref())));
    }
    // The last lines of the log belong to the last step, and are judged with it.
    runner.read_log();
    runner.recorder().begin_to_end();
    carried_out
}

/// Does what the harness must do before a step, or says why it could not.
async fn prepare(scenario: &Scenario, index: usize, runner: &mut Runner) -> Result<(), String> {
    if index == 0 && scenario.needs.reviews {
        runner.review_writes().await.map_err(|error| chain(&error))?;
    }
    if reuse::starts_app(&scenario.steps[index]) {
        runner.forget_events().await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Does the steps in order, until one fails or the run must end.
async fn carry_out(scenario: &Scenario, runner: &mut Runner, end: &End, end_at: EndAt) {
    let recorder = runner.recorder().clone();
    for (index, step) in scenario.steps.iter().enumerate() {
        recorder.append(What::StepBegan { index });
        if let Err(why) = prepare(scenario, index, runner).await {
            recorder.append(What::StepFailed { index, blame: Blame::World, why });
            return;
        }
        // Boxed, because the steps of all parts together would fill the stack of a test's thread.
        // Dropping a step in the middle is safe: the run ends then, and nobody resumes it.
        let doing = Box::pin(async {
            tokio::select! {
                biased;
                () = end_at.comes(&recorder) => None,
                done = runner.step(step) => Some(done),
            }
        });
        let failed =
            |why: &str| What::StepFailed { index, blame: Blame::World, why: why.to_owned() };
        match end.or_done(doing, &recorder, failed).await {
            Ok(Some(Ok(()))) => recorder.append(What::StepDone { index }),
            Ok(Some(Err(StepError { blame, why }))) => {
                recorder.append(What::StepFailed { index, blame, why });
                return;
            }
            Ok(None) | Err(_) => return,
        }
        if matches!(step, Step::Wait(WaitStep::Settle)) && end_at.is_reached(&recorder) {
            return first_violation::end(&recorder);
        }
    }
}
