//! `racetrap run`.

use std::num::NonZeroUsize;

use futures::StreamExt as _;
use racetrap_history::Verdict;
use tokio::time::Instant;

use super::again::Again;
use super::daemon::Daemon;
use super::exit::{Exit, Failure, exit_of};
use super::format::Format;
use super::index::write_index;
use super::options::{ControlArgs, DefectArgs, JobsArgs, KnownArgs, WorldArgs};
use super::reports::ReportsArgs;
use super::stop::StopListener;
use super::targets::{Target, targets};
use super::{checks, worlds};
use crate::known::KnownFailures;
use crate::matrix::not_begun;
use crate::report::{self, Case, Progress, RunReport, Terminal};
use crate::run::{self as runner, EndAt, FAIL_FAST, RunOptions};

/// Arguments of `run`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Ids, globs such as `295-*`, or files [default: the whole catalogue]
    #[arg(value_name = "ID|FILE")]
    targets: Vec<String>,
    #[command(flatten)]
    world: WorldArgs,
    #[command(flatten)]
    defects: DefectArgs,
    #[command(flatten)]
    control: ControlArgs,
    /// How many times each scenario runs
    #[arg(long, value_name = "N", default_value = "1")]
    rounds: NonZeroUsize,
    /// Stop all runs as soon as one has failed
    #[arg(long)]
    fail_fast: bool,
    #[command(flatten)]
    jobs: JobsArgs,
    #[command(flatten)]
    known: KnownArgs,
    #[command(flatten)]
    reports: ReportsArgs,
}

/// Runs each scenario and prints each result as soon as it is known.
pub(super) async fn run(args: Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let deadlines = args.world.deadlines.checked()?;
    let to_write = args.reports.open()?;
    let listener = StopListener::begin(deadlines.harness())?;
    let targets = args.control.apply(targets(&args.targets)?);
    let known = &args.known.read(targets.iter().map(|target| &target.scenario))?;
    let daemon = Daemon::find(&args.world.daemon)?;
    let answers = daemon.ask().await;
    let defects = &args.defects.defects;
    answers.check_defects(defects)?;
    checks::demand(args.world.engine).await?;
    let options = args.world.run_options(&daemon, defects, deadlines, listener.stop())?;
    // Nobody looks for a second violation where the first one stops all runs.
    let end_at = if args.fail_fast { EndAt::AnyViolation } else { EndAt::LastStep };
    let options = RunOptions { end_at, pool: args.jobs.pool(), ..options };
    let again = Again::new(&args.world, &daemon);

    let began = Instant::now();
    let rounds = args.rounds.get();
    let progress = Progress::new(targets.len() * rounds);
    let repeated = targets.iter().flat_map(|target| std::iter::repeat_n(target, rounds));
    let runs = repeated.enumerate().map(|(index, target)| {
        let again = again.command(&target.name, defects, args.control.control);
        let options = RunOptions { again, ..options.clone() };
        async move { (index, compared(run_one(target, &options).await, known)) }
    });
    let jobs = args.jobs.jobs.get();
    let mut running = std::pin::pin!(futures::stream::iter(runs).buffer_unordered(jobs));
    let mut done = Vec::new();
    let mut written = Ok(());
    while let Some((index, (mut report, exit))) = running.next().await {
        progress.done(report.finding.to_string());
        if args.fail_fast && exit == Exit::Broken {
            listener.ask(FAIL_FAST);
        }
        if format == Format::Human {
            let text = report::run(&report, false, terminal.paint());
            // An error of the output must not abandon running worlds, so it is reported at the end.
            written = written.and(progress.aside(|| terminal.write(&text)));
        }
        // The timeline is not needed any more: it was printed, or lies in the evidence. Many rounds
        // would otherwise use too much memory.
        report.timeline.clear();
        done.push((index, report, exit));
    }
    drop(progress);
    let closed = worlds::close(&options.pool).await;
    done.sort_by_key(|(index, ..)| *index);
    let exit = worst(done.iter().map(|(_, _, exit)| *exit).chain([closed]));
    let reports: Vec<_> = done.into_iter().map(|(_, report, _)| report).collect();
    let facts = daemon.facts(&answers);
    let cases = Case::from_runs(&reports);
    let titles = report::titles(&reports);
    let repairs = known.repairs(reports.iter().map(|report| &report.known));
    let index = write_index(&options.evidence, "run", &cases, &titles);
    let last = match format {
        Format::Human => {
            let seconds = began.elapsed().as_secs_f64();
            report::index_line(index.as_deref().ok(), terminal.paint())
                + &report::runs_summary(&reports, seconds, terminal.paint())
                + &report::repairs(&repairs, args.known.known.as_deref(), terminal.paint())
                + &report::once_more(&cases, terminal.paint())
        }
        Format::Json => report::runs_json(&facts, &reports),
    };
    let told = written.and_then(|()| terminal.write(&last));
    tell_if_nothing_shown(&cases);
    to_write.write("run", Some(&facts), &cases)?;
    told?;
    index?;
    Ok(exit)
}

/// Runs one scenario, unless the harness was asked to stop before. Returns the report and the exit
/// code.
pub(super) async fn run_one(target: &Target, options: &RunOptions) -> (RunReport, Exit) {
    let again = options.again.clone();
    if let Some(why) = not_begun(&options.stop) {
        let report = RunReport::not_begun(&target.scenario, &options.defects, why, again);
        return (report, Exit::Unknown);
    }
    let came = runner::run(&target.scenario, options).await;
    let exit = match &came {
        Ok(outcome) => Exit::from(outcome.judgement.verdict),
        Err(error) => exit_of(error),
    };
    (RunReport::new(&target.scenario, &options.defects, came, again), exit)
}

/// A run and its exit code, compared with a list of known failures.
fn compared((report, exit): (RunReport, Exit), known: &KnownFailures) -> (RunReport, Exit) {
    let report = report.compared(known);
    let exit = if report.known.excuses { Exit::Success } else { exit };
    (report, exit)
}

/// Says on standard error that no run has shown anything, whatever the format of the report is.
pub(super) fn tell_if_nothing_shown(cases: &[Case]) {
    if let Some(nothing) = report::nothing_shown(cases) {
        report::tell(&nothing);
    }
}

/// The most important exit code: a broken promise, then a problem of the machine, then an unknown
/// result.
pub(super) fn worst(exits: impl Iterator<Item = Exit>) -> Exit {
    let mut worst = Exit::from(Verdict::Pass);
    for exit in exits {
        worst = match (worst, exit) {
            (Exit::Broken, _) | (_, Exit::Broken) => Exit::Broken,
            (one, other) => one.max(other),
        };
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries every pair in both orders, so that the order of runs cannot decide.
    #[test]
    fn a_broken_promise_outweighs_everything_and_a_lacking_machine_what_is_unknown() {
        let table = [
            (Exit::Success, Exit::Success, Exit::Success),
            (Exit::Success, Exit::Unknown, Exit::Unknown),
            (Exit::Unknown, Exit::Machine, Exit::Machine),
            (Exit::Broken, Exit::Unknown, Exit::Broken),
            (Exit::Broken, Exit::Machine, Exit::Broken),
            (Exit::Broken, Exit::Success, Exit::Broken),
        ];
        for (one, other, expected) in table {
            assert_eq!(worst([one, other].into_iter()), expected, "{one:?}, {other:?}");
            assert_eq!(worst([other, one].into_iter()), expected, "{other:?}, {one:?}");
        }
    }
}
