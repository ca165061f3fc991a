//! `racetrap matrix`.

use racetrap_history::Verdict;
use tokio::time::Instant;

use super::again::Again;
use super::daemon::Daemon;
use super::exit::{Exit, Failure};
use super::format::Format;
use super::index::write_index;
use super::options::{DaemonArgs, JobsArgs, KnownArgs, WorldArgs};
use super::reports::ReportsArgs;
use super::run::{tell_if_nothing_shown, worst};
use super::stop::StopListener;
use super::targets::{Target, targets};
use super::{checks, worlds};
use crate::matrix::{Cell, MatrixOptions, count, run_matrix};
use crate::report::{self, Case, Progress, State, Terminal, tell};
use crate::run::RunOptions;

/// Arguments of `matrix`.
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
    jobs: JobsArgs,
    #[command(flatten)]
    known: KnownArgs,
    #[command(flatten)]
    reports: ReportsArgs,
}

/// Runs every cell once.
pub(super) async fn matrix(
    args: Args,
    format: Format,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let deadlines = args.world.deadlines()?;
    let to_write = args.reports.open()?;
    let listener = StopListener::begin(deadlines.harness())?;
    let targets = targets(&args.targets)?;
    let known = args.known.read(targets.iter().map(|target| &target.scenario))?;
    let daemon = Daemon::find(&args.daemon)?;
    checks::demand(args.world.engine).await?;
    let answers = daemon.ask().await;
    let run = args.world.run_options(&daemon, &[], deadlines, listener.stop())?;
    let options = MatrixOptions {
        run: RunOptions { pool: args.jobs.pool(), ..run },
        jobs: args.jobs.jobs,
        knows_defects: answers.defects.is_some(),
        known,
    };
    if !options.knows_defects {
        tell(&format!(
            "{} knows no defects, so only the cells of the correct daemon are run; that a scenario \
             can fail is proved on the reference daemon",
            daemon.program.display()
        ));
    }
    let subjects: Vec<_> = targets.iter().map(Target::subject).collect();
    let began = Instant::now();
    let progress = Progress::new(count(&subjects, options.knows_defects));
    let again = Again::new(&args.world, &daemon);
    let again = |name: &str, defects: &[String], control| again.command(name, defects, control);
    let cells = run_matrix(&subjects, &options, again, |cell| {
        progress.done(format!("{} {}", cell.finding, cell.verdict));
    })
    .await;
    drop(progress);
    let closed = worlds::close(&options.run.pool).await;
    let paint = terminal.paint();
    let facts = daemon.facts(&answers);
    let cases = Case::from_cells(&cells);
    let titles = targets.iter().filter_map(|target| {
        let about = target.scenario.about.as_ref()?;
        Some((target.scenario.finding.to_string(), about.title.clone()))
    });
    let index = write_index(&options.run.evidence, "matrix", &cases, &titles.collect());
    let told = terminal.write(&match format {
        Format::Human => {
            let scenarios: Vec<_> = targets.iter().map(|target| &target.scenario).collect();
            let seconds = began.elapsed().as_secs_f64();
            let table = report::matrix(&scenarios, &cells, paint);
            let summary = report::matrix_summary(&cells, seconds, paint);
            let index = report::index_line(index.as_deref().ok(), paint);
            let repairs = options.known.repairs(cells.iter().map(|cell| &cell.known));
            let repairs = report::repairs(&repairs, args.known.known.as_deref(), paint);
            table + &index + &summary + &repairs + &report::once_more(&cases, paint)
        }
        Format::Json => report::matrix_json(&facts, &cells),
    });
    tell_if_nothing_shown(&cases);
    to_write.write("matrix", Some(&facts), &cases)?;
    told?;
    index?;
    Ok(worst([exit_of(&cells), closed].into_iter()))
}

/// If all wrong cells are unknown, the exit code is `Unknown`; one cell with a wrong verdict makes
/// it `Broken`.
fn exit_of(cells: &[Cell]) -> Exit {
    let mut wrong = cells.iter().filter(|cell| State::of_cell(cell).is_bad()).peekable();
    if wrong.peek().is_none() {
        Exit::Success
    } else if wrong.all(|cell| cell.verdict == Verdict::Unknown) {
        Exit::Unknown
    } else {
        Exit::Broken
    }
}
