//! `racetrap run`.

use std::num::NonZeroUsize;

use futures::StreamExt as _;
use racetrap_history::{FindingId, Verdict};
use tokio::time::Instant;

use super::again::Again;
use super::daemon::Daemon;
use super::evidence::hand_over;
use super::exit::{Exit, Failure, conclude, exit_of};
use super::format::Format;
use super::index::write_index;
use super::options::{
    ControlArgs, DaemonArgs, DefectArgs, JobsArgs, KnownArgs, WorldArgs, at_least_one,
};
use super::reports::ReportsArgs;
use super::stop::StopListener;
use super::targets::{Target, targets};
use super::{checks, worlds};
use crate::known::KnownFailures;
use crate::matrix::not_begun;
use crate::report::{self, Case, NotWritten, Progress, RunReport, State, Terminal};
use crate::run::{self as runner, EndAt, FAIL_FAST, RunOptions};

/// Arguments of `run`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Ids, globs such as `295-*`, or files [default: the whole catalogue]
    #[arg(value_name = "ID|FILE")]
    targets: Vec<String>,
    #[command(flatten)]
    daemon: DaemonArgs,
    #[command(flatten)]
    world: WorldArgs,
    #[command(flatten)]
    defects: DefectArgs,
    #[command(flatten)]
    control: ControlArgs,
    /// How many times each scenario runs
    #[arg(long, value_name = "N", default_value = "1", value_parser = at_least_one)]
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
    let deadlines = args.world.deadlines()?;
    let to_write = args.reports.open()?;
    let listener = StopListener::begin(deadlines.harness())?;
    let targets = args.control.apply(targets(&args.targets)?);
    let known = &args.known.read(targets.iter().map(|target| &target.scenario))?;
    let daemon = Daemon::find(&args.daemon)?;
    let answers = daemon.ask().await;
    let defects = &args.defects.defects;
    answers.check_defects(defects)?;
    checks::demand(args.world.engine()).await?;
    let options = args.world.run_options(&daemon, defects, deadlines, listener.stop())?;
    // Nobody looks for a second violation where the first one stops all runs.
    let end_at = if args.fail_fast { EndAt::AnyViolation } else { EndAt::LastStep };
    let options = RunOptions { end_at, pool: args.jobs.pool(), ..options };
    let again = Again::new(&args.world, &daemon);

    let began = Instant::now();
    let plan = Plan { args: &args, targets: &targets, known, options: &options, format };
    let mut printer = Printer::new((format == Format::Human).then_some(terminal));
    let mut done = plan.carry_out(&again, &listener, &mut printer).await;
    let closed = worlds::close(&options.pool).await;
    done.sort_by_key(|(index, ..)| *index);
    let exit = worst(done.iter().map(|(_, _, exit)| *exit).chain([closed]));
    let reports: Vec<_> = done.into_iter().map(|(_, report, _)| report).collect();
    let facts = daemon.facts(&answers);
    let cases = Case::from_runs(&reports);
    let titles = report::titles(&reports);
    let repairs = known.repairs(reports.iter().map(|report| &report.known));
    let place = &options.evidence;
    let index = write_index(place, "run", Some(&facts), &cases, &titles);
    let made = index.as_deref().ok();
    let paint = terminal.paint();
    let last = match format {
        Format::Human => {
            let seconds = began.elapsed().as_secs_f64();
            report::index_line(made, paint)
                + &args.world.evidence_line(place, paint)
                + &report::runs_summary(&reports, 0, seconds, paint)
                + &report::repairs(&repairs, args.known.known.as_deref(), paint)
                + &report::once_more(&cases, paint)
        }
        Format::Json => report::runs_json(&facts, &reports),
    };
    let told = printer.written.and_then(|()| terminal.write(&last)).map_err(Failure::from);
    tell_if_nothing_shown(&cases);
    let reported = to_write.write("run", Some(&facts), &cases);
    hand_over(place, &cases, &made.into_iter().chain(to_write.files()).collect::<Vec<_>>());
    conclude(exit, [told, reported, index.map(drop)])
}

/// What is run, and how.
struct Plan<'a> {
    args: &'a Args,
    targets: &'a [Target],
    known: &'a KnownFailures,
    options: &'a RunOptions,
    format: Format,
}

impl Plan<'_> {
    /// Carries out all runs, and prints each result as soon as it is known. Returns the results with
    /// their places in the plan.
    async fn carry_out(
        &self,
        again: &Again,
        listener: &StopListener,
        printer: &mut Printer,
    ) -> Vec<(usize, RunReport, Exit)> {
        let Args { rounds, defects, control, jobs, .. } = self.args;
        let rounds = rounds.get();
        let progress = &Progress::new(self.targets.len() * rounds, self.format == Format::Json);
        let repeated = self.targets.iter().flat_map(|it| std::iter::repeat_n(it, rounds));
        let runs = repeated.enumerate().map(|(index, target)| {
            let again = again.command(&target.name, &defects.defects, control.control);
            let options = RunOptions { again, ..self.options.clone() };
            async move {
                progress.began(target.name.clone());
                let (report, exit) = compared(run_one(target, &options).await, self.known);
                let state = State::of_run(&report);
                let word = report.judgement.verdict.to_string();
                progress.ended(&target.name, state.is_right(), &word);
                (index, report, exit)
            }
        });
        let runs = futures::stream::iter(runs).buffer_unordered(jobs.jobs.get());
        let mut running = std::pin::pin!(runs);
        let mut done = Vec::new();
        while let Some((index, mut report, exit)) = progress.until(running.next()).await {
            if self.args.fail_fast && exit == Exit::Broken {
                listener.ask(FAIL_FAST);
            }
            progress.aside(|| printer.print(&report));
            // The timeline is not needed any more: it was printed, or lies in the evidence. Many rounds
            // would otherwise use too much memory.
            report.timeline.clear();
            done.push((index, report, exit));
        }
        done
    }
}

/// Prints the reports of runs as they end. A cause that several runs share is printed with the first of
/// them.
struct Printer {
    terminal: Option<Terminal>,
    causes: Vec<(Vec<String>, FindingId)>,
    /// An error of the output must not abandon running worlds, so it is kept until the end.
    written: Result<(), NotWritten>,
}

impl Printer {
    /// Prints to `terminal`, or nothing.
    fn new(terminal: Option<Terminal>) -> Self {
        Self { terminal, causes: Vec::new(), written: Ok(()) }
    }

    fn print(&mut self, report: &RunReport) {
        let (Some(terminal), Ok(())) = (self.terminal, &self.written) else { return };
        let cause = report.cause();
        let told = cause.as_ref().and_then(|cause| self.causes.iter().find(|(it, _)| it == cause));
        let text = match told {
            Some((_, first)) => report::same_cause(report, first, terminal.paint()),
            None => report::run(report, false, terminal.paint()),
        };
        if told.is_none() {
            self.causes.extend(cause.map(|cause| (cause, report.finding.clone())));
        }
        self.written = terminal.write(&text);
    }
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
