//! `racetrap matrix`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use racetrap_history::{Scenario, Verdict};
use tokio::time::Instant;

use super::again::Again;
use super::daemon::{Answers, Daemon};
use super::evidence::hand_over;
use super::exit::{Exit, Failure, conclude};
use super::format::Format;
use super::index::write_index;
use super::options::{DaemonArgs, JobsArgs, KnownArgs, WorldArgs};
use super::reports::ReportsArgs;
use super::run::{tell_if_nothing_shown, worst};
use super::stop::StopListener;
use super::targets::{Target, targets};
use super::{checks, worlds};
use crate::matrix::{Cell, Event, MatrixOptions, count, daemons, run_matrix};
use crate::report::{self, Case, NotWritten, Progress, State, Terminal, tell};
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
    /// Print the schedule and every cell also of findings that are right
    #[arg(long, short)]
    verbose: bool,
}

/// Runs every cell once, and prints each finding as soon as its cells have ended.
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
    checks::demand(args.world.engine()).await?;
    let answers = daemon.ask().await;
    let run = args.world.run_options(&daemon, &[], deadlines, listener.stop())?;
    let options = MatrixOptions {
        run: RunOptions { pool: args.jobs.pool(), ..run },
        jobs: args.jobs.jobs,
        knows_defects: answers.defects.is_some(),
        known,
    };
    tell_if_no_defects(&daemon, &answers);
    let began = Instant::now();
    let shown = (format == Format::Human).then_some((terminal, args.verbose));
    let (cells, printed) =
        observed(&targets, &options, &Again::new(&args.world, &daemon), shown).await;
    let closed = worlds::close(&options.run.pool).await;
    let paint = terminal.paint();
    let facts = daemon.facts(&answers);
    let cases = Case::from_cells(&cells);
    let place = &options.run.evidence;
    let index = write_index(place, "matrix", Some(&facts), &cases, &titles(&targets));
    let made = index.as_deref().ok();
    let told = terminal.write(&match format {
        Format::Human => {
            let seconds = began.elapsed().as_secs_f64();
            let repairs = options.known.repairs(cells.iter().map(|cell| &cell.known));
            let repairs = report::repairs(&repairs, args.known.known.as_deref(), paint);
            let end = report::index_line(made, paint)
                + &args.world.evidence_line(place, paint)
                + &report::matrix_summary(&cells, seconds, paint);
            end + &repairs + &report::once_more(&cases, paint)
        }
        Format::Json => report::matrix_json(&facts, &cells),
    });
    tell_if_nothing_shown(&cases);
    let reported = to_write.write("matrix", Some(&facts), &cases);
    hand_over(place, &cases, &made.into_iter().chain(to_write.files()).collect::<Vec<_>>());
    let written = [printed.and(told).map_err(Failure::from), reported, index.map(drop)];
    conclude(worst([exit_of(&cells), closed].into_iter()), written)
}

fn tell_if_no_defects(daemon: &Daemon, answers: &Answers) {
    if answers.defects.is_none() {
        tell(&format!(
            "{} knows no defects, so only the cells of the correct daemon are run; that a scenario \
             can fail is proved on the reference daemon",
            daemon.program.display()
        ));
    }
}

/// Runs all cells. Says on standard error when each ends, and with `shown` prints each finding as soon as
/// all of its cells have ended; the flag says whether schedules are printed in any case.
async fn observed(
    targets: &[Target],
    options: &MatrixOptions,
    again: &Again,
    shown: Option<(Terminal, bool)>,
) -> (Vec<Cell>, Result<(), NotWritten>) {
    let subjects: Vec<_> = targets.iter().map(Target::subject).collect();
    let progress = Progress::new(count(&subjects, options.knows_defects), true);
    let name = |cell: &Cell| format!("{} {}", cell.finding, report::daemon_of(cell));
    let scenarios: BTreeMap<&str, &Scenario> =
        subjects.iter().map(|subject| (subject.name, subject.scenario)).collect();
    let cells_max = daemons(options.knows_defects).len();
    let ended: RefCell<BTreeMap<String, Vec<Cell>>> = RefCell::default();
    // An error of the output must not abandon running worlds, so it is reported at the end.
    let printed = RefCell::new(Ok(()));
    let cells = run_matrix(
        &subjects,
        options,
        |name: &str, defects: &[String], control| again.command(name, defects, control),
        |event| match event {
            Event::Began(cell) => progress.began(name(cell)),
            Event::Ended { subject, cell } => {
                let is_right = State::of_cell(cell).is_right();
                progress.ended(&name(cell), is_right, &report::word(cell));
                let mut ended = ended.borrow_mut();
                let cells = ended.entry(subject.to_owned()).or_default();
                cells.push(cell.clone());
                if let Some((terminal, is_whole)) = shown
                    && cells.len() == cells_max
                    && printed.borrow().is_ok()
                {
                    cells.sort_by_key(|cell| cell.daemon);
                    let text =
                        report::matrix(scenarios[subject], cells, is_whole, terminal.paint());
                    *printed.borrow_mut() = progress.aside(|| terminal.write(&text));
                }
            }
        },
    );
    let cells = progress.until(cells).await;
    (cells, printed.into_inner())
}

fn titles(targets: &[Target]) -> BTreeMap<String, String> {
    let titles = targets.iter().filter_map(|target| {
        let about = target.scenario.about.as_ref()?;
        Some((target.scenario.finding.to_string(), about.title.clone()))
    });
    titles.collect()
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
