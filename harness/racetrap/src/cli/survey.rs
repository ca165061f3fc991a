//! `racetrap survey`: runs scenarios on several revisions of a daemon.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::{fs, io};

use futures::StreamExt as _;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
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
use crate::report::{self, Progress, RunReport, Surveyed, Terminal};
use crate::run::RunOptions;
use crate::sys;

/// File name of a daemon's program in the directory of its revision.
const PROGRAM: &str = "rdd";

/// Arguments of `survey`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// A directory with the programs of all revisions, DIR/REVISION or DIR/REVISION/rdd
    ///
    /// Revisions are compared in the order of their names, so begin these with a number or a date.
    #[arg(value_name = "DIR")]
    programs: PathBuf,
    /// Ids, globs such as `295-*`, or files [default: the whole catalogue]
    #[arg(value_name = "ID|FILE")]
    targets: Vec<String>,
    #[command(flatten)]
    world: WorldArgs,
    #[command(flatten)]
    jobs: JobsArgs,
}

/// Runs each scenario on each revision. Verdicts are the result and not a failure, so only a run that
/// shows nothing changes the exit code.
pub(super) async fn survey(
    args: Args,
    format: Format,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let deadlines = args.world.deadlines()?;
    let revisions = revisions(&args.programs)?;
    let listener = StopListener::begin(deadlines.harness())?;
    let targets = targets(&args.targets)?;
    checks::demand(args.world.engine()).await?;
    let began = Instant::now();
    let progress = &Progress::new(targets.len() * revisions.len(), true);
    let mut surveyed = Vec::new();
    let mut closed = Exit::Success;
    for (name, daemon) in revisions {
        let options = args.world.run_options(&daemon, &[], deadlines, listener.stop())?;
        // Each revision has a pool of its own, because a world has one daemon.
        let options = RunOptions { pool: args.jobs.pool(), ..options };
        let again = Again::new(&args.world, &daemon);
        let of_target = |target: &Target| {
            let again = again.command(&target.name, &[], false);
            RunOptions { again, ..options.clone() }
        };
        let reports = on_revision(&targets, &name, args.jobs.jobs, progress, of_target).await;
        closed = closed.max(worlds::close(&options.pool).await);
        let facts = daemon.facts(&daemon.ask().await);
        surveyed.push(Surveyed { revision: name, daemon: facts, reports });
    }
    progress.finish();
    let cases: Vec<_> = surveyed.iter().flat_map(Surveyed::cases).collect();
    let reports = || surveyed.iter().flat_map(|one| &one.reports);
    let titles = report::titles(reports());
    let place = &args.world.evidence;
    let index = write_index(place, "survey", None, &cases, &titles);
    let made = index.as_deref().ok();
    hand_over(place, &cases, &made.into_iter().collect::<Vec<_>>());
    let told = terminal.write(&match format {
        Format::Human => {
            report::survey(&surveyed)
                + &report::index_line(made, terminal.paint())
                + &args.world.evidence_line(place, terminal.paint())
                + &report::runs_summary(
                    reports(),
                    0,
                    began.elapsed().as_secs_f64(),
                    terminal.paint(),
                )
        }
        Format::Json => report::survey_json(&surveyed),
    });
    tell_if_nothing_shown(&cases);
    let unknown = surveyed.iter().any(Surveyed::has_unknown);
    let exit = closed.max(if unknown { Exit::Unknown } else { Exit::Success });
    conclude(exit, [told.map_err(Failure::from), index.map(drop)])
}

/// Runs each target on one revision, and returns the reports in the order of the targets.
async fn on_revision(
    targets: &[Target],
    revision: &str,
    jobs: NonZeroUsize,
    progress: &Progress,
    options: impl Fn(&Target) -> RunOptions,
) -> Vec<RunReport> {
    let runs = targets.iter().enumerate().map(|(index, target)| {
        let options = options(target);
        let name = format!("{revision} {}", target.name);
        async move {
            progress.began(name.clone());
            let report = run_one(target, &options).await.0;
            progress.ended(&name, None, &report.judgement.verdict.to_string());
            (index, report)
        }
    });
    let runs = futures::stream::iter(runs).buffer_unordered(jobs.get());
    let mut running = std::pin::pin!(runs);
    let mut done = Vec::new();
    while let Some((index, mut report)) = progress.until(running.next()).await {
        report.timeline.clear();
        done.push((index, report));
    }
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, report)| report).collect()
}

/// The programs in `directory` with the names of their revisions, in the order of the names.
fn revisions(directory: &Path) -> Result<Vec<(String, Daemon)>, Failure> {
    let mut found = programs(directory)
        .into_diagnostic()
        .wrap_err_with(|| format!("{} cannot be read", directory.display()))
        .map_err(Failure::usage)?;
    if found.is_empty() {
        return Err(Failure::usage(miette!(
            help = "put the daemon of each revision there as REVISION, or as REVISION/rdd",
            "{} contains no program",
            directory.display()
        )));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

fn programs(directory: &Path) -> io::Result<Vec<(String, Daemon)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // A world's processes have another working directory, so the path must be absolute.
        let path = std::path::absolute(entry.path())?;
        let program = if path.is_dir() { path.join(PROGRAM) } else { path };
        if sys::is_executable(&program) {
            let name = entry.file_name().to_string_lossy().into_owned();
            found.push((name, Daemon { program, is_reference: false }));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Both layouts, beside a file that is no program and a directory without one.
    #[test]
    fn programs_are_found_in_both_layouts_and_in_the_order_of_their_names() {
        let directory = tempfile::tempdir().expect("a directory");
        let make = |name: &str, mode: u32| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(&path, "").expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        };
        make("2-new", 0o755);
        make("1-old/rdd", 0o755);
        make("notes.txt", 0o644);
        make("sources/main.go", 0o644);
        let found = revisions(directory.path()).expect("programs");
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["1-old", "2-new"]);
        assert!(found[0].1.program.ends_with("1-old/rdd"));
    }

    #[test]
    fn a_directory_without_programs_is_refused_with_what_belongs_there() {
        let directory = tempfile::tempdir().expect("a directory");
        let failure = revisions(directory.path()).expect_err("nothing is there");
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.report.to_string().contains("contains no program"), "{}", failure.report);
    }
}
