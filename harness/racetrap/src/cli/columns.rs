//! Runs the same scenarios in several columns, each with another daemon or another engine, and prints
//! one table.

use futures::StreamExt as _;
use tokio::time::Instant;

use super::again::Again;
use super::daemon::Daemon;
use super::evidence::hand_over;
use super::exit::{Exit, Failure, conclude};
use super::format::Format;
use super::index::write_index;
use super::options::{JobsArgs, WorldArgs};
use super::run::{run_one, tell_if_nothing_shown};
use super::stop::StopListener;
use super::targets::{Target, targets};
use super::{checks, worlds};
use crate::deadline::Deadlines;
use crate::report::{self, Compared, Progress, RunReport, Terminal};
use crate::run::RunOptions;

/// What a column has instead of the others'.
pub(super) struct Column {
    /// Its title.
    pub(super) name: String,
    /// The daemon of its runs.
    pub(super) daemon: Daemon,
    /// The worlds of its runs. All columns put their evidence into the same directory.
    pub(super) world: WorldArgs,
}

/// How a command prints its columns.
pub(super) struct Table {
    /// The name of the command.
    pub(super) command: &'static str,
    /// The table for people.
    pub(super) text: fn(&[Compared]) -> String,
    /// The table for programs.
    pub(super) json: fn(&[Compared]) -> String,
}

/// Runs each scenario in each column, one column after the other. Verdicts are the result and not a
/// failure, so only a run that shows nothing changes the exit code. There is at least one column.
pub(super) async fn compare(
    columns: Vec<Column>,
    names: &[String],
    jobs: &JobsArgs,
    table: &Table,
    (format, terminal): (Format, Terminal),
) -> Result<Exit, Failure> {
    let world = columns[0].world.clone();
    let mut limited = Vec::new();
    for column in columns {
        limited.push((column.world.deadlines()?, column));
    }
    let longest = limited.iter().map(|(deadlines, _)| deadlines.harness()).max();
    let listener = StopListener::begin(longest.unwrap_or_default())?;
    let targets = targets(names)?;
    for (_, column) in &limited {
        checks::demand(column.world.engine()).await?;
    }
    let began = Instant::now();
    let progress = Progress::new(targets.len() * limited.len(), true);
    let shared = Shared { targets: &targets, jobs, progress: &progress, listener: &listener };
    let mut compared = Vec::new();
    let mut closed = Exit::Success;
    for (deadlines, column) in &limited {
        let (of_column, ended) = shared.run_column(column, *deadlines).await?;
        closed = closed.max(ended);
        compared.push(of_column);
    }
    progress.finish();
    let cases: Vec<_> = compared.iter().flat_map(Compared::cases).collect();
    let reports = || compared.iter().flat_map(|one| &one.reports);
    let titles = report::titles(reports());
    let place = &world.evidence;
    let index = write_index(place, table.command, None, &cases, &titles);
    let made = index.as_deref().ok();
    hand_over(place, &cases, &made.into_iter().collect::<Vec<_>>());
    let seconds = began.elapsed().as_secs_f64();
    let paint = terminal.paint();
    let told = terminal.write(&match format {
        Format::Human => {
            (table.text)(&compared)
                + &report::index_line(made, paint)
                + &world.evidence_line(place, paint)
                + &report::runs_summary(reports(), 0, seconds, paint)
        }
        Format::Json => (table.json)(&compared),
    });
    tell_if_nothing_shown(&cases);
    let unknown = compared.iter().any(Compared::has_unknown);
    let exit = closed.max(if unknown { Exit::Unknown } else { Exit::Success });
    conclude(exit, [told.map_err(Failure::from), index.map(drop)])
}

/// What all columns have in common.
struct Shared<'a> {
    targets: &'a [Target],
    jobs: &'a JobsArgs,
    progress: &'a Progress,
    listener: &'a StopListener,
}

impl Shared<'_> {
    /// Runs all targets in one column. It has a pool of its own, because a world has one daemon and one
    /// engine. Also returns how the worlds closed.
    async fn run_column(
        &self,
        column: &Column,
        deadlines: Deadlines,
    ) -> Result<(Compared, Exit), Failure> {
        let Column { name, daemon, world } = column;
        let options = world.run_options(daemon, &[], deadlines, self.listener.stop())?;
        let options = RunOptions { pool: self.jobs.pool(), ..options };
        let again = Again::new(world, daemon);
        let of_target = |target: &Target| {
            let again = again.command(&target.name, &[], false);
            RunOptions { again, ..options.clone() }
        };
        let reports = self.run_targets(name, of_target).await;
        let closed = worlds::close(&options.pool).await;
        let daemon = daemon.facts(&daemon.ask().await);
        Ok((Compared { name: name.clone(), daemon, reports }, closed))
    }

    /// Runs each target, and returns the reports in the order of the targets.
    async fn run_targets(
        &self,
        column: &str,
        options: impl Fn(&Target) -> RunOptions,
    ) -> Vec<RunReport> {
        let progress = self.progress;
        let runs = self.targets.iter().enumerate().map(|(index, target)| {
            let options = options(target);
            let name = format!("{column} {}", target.name);
            async move {
                progress.began(name.clone());
                let report = run_one(target, &options).await.0;
                progress.ended(&name, None, &report.judgement.verdict.to_string());
                (index, report)
            }
        });
        let runs = futures::stream::iter(runs).buffer_unordered(self.jobs.jobs.get());
        let mut running = std::pin::pin!(runs);
        let mut done = Vec::new();
        while let Some((index, mut report)) = progress.until(running.next()).await {
            report.timeline.clear();
            done.push((index, report));
        }
        done.sort_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, report)| report).collect()
    }
}
