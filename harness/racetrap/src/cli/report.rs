//! `racetrap report`.

use std::path::{Path, PathBuf};

use miette::{Report, miette};
use racetrap_history::{Scenario, Verdict};

use super::exit::{Exit, Failure, conclude};
use super::format::Format;
use super::index::{write_index, write_search_page};
use super::options::KnownArgs;
use super::reports::ReportsArgs;
use super::run::{tell_if_nothing_shown, worst};
use crate::chain::chain;
use crate::derived::{self, JOURNAL};
use crate::process::{called, quoted};
use crate::report::{self, Case, RunReport, State as CaseState, Terminal, tell};
use crate::search::{STATE, State};

/// How many levels below the directory are searched for journals. A CI artefact contains the
/// evidence of several commands, each in its own directory.
const DEPTH_MAX: usize = 8;

/// Arguments of `report`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Evidence of a run, or any directory above it
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    known: KnownArgs,
    #[command(flatten)]
    reports: ReportsArgs,
}

/// Judges every journal below a directory with the current oracles, and rewrites the files that are
/// made from each journal.
pub(super) fn report(args: &Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let reports = args.reports.open()?;
    let directories = evidence_below(&args.directory)?;
    let searched = search_page(args)?;
    if directories.is_empty() && searched.is_none() {
        return Err(Failure::usage(miette!(
            help =
                "name the evidence of a run, or a directory above it, such as .racetrap/evidence",
            "there is no {JOURNAL} in {} or below it, and no {STATE} in it",
            args.directory.display()
        )));
    }
    let (runs, unread) = rebuild_all(directories);
    if let (true, Some((path, why))) = (runs.is_empty(), unread.first()) {
        return Err(Failure::usage(miette!(
            help = "a journal that was changed, or cut anywhere but at its end, cannot be judged",
            "no journal below {} can be used; {}: {why}",
            args.directory.display(),
            path.display()
        )));
    }
    let known = args.known.read(runs.iter().map(|(scenario, _)| scenario))?;
    let runs: Vec<_> = runs.into_iter().map(|(_, run)| run.compared(&known)).collect();
    for (path, why) in &unread {
        tell(&format!("left out {}: {why}", path.display()));
    }
    let mut cases = Case::from_runs(&runs);
    cases.extend(unread.iter().map(|(path, why)| {
        let directory = path.parent().unwrap_or(path);
        let again = format!("{} report {}", called(), quoted(&directory.to_string_lossy()));
        Case::unread(directory, why, again)
    }));
    // The evidence of a single run has its own page, so it needs no index.
    let needs_none = cases.is_empty() || args.directory.join(JOURNAL).exists();
    let index = (!needs_none)
        .then(|| write_index(&args.directory, "report", None, &cases, &report::titles(&runs)))
        .transpose();
    let repairs = known.repairs(runs.iter().map(|run| &run.known));
    tell_if_nothing_shown(&cases);
    let reported = reports.write("report", None, &cases);
    let told = terminal.write(&match format {
        Format::Human => {
            let paint = terminal.paint();
            let told: String = runs.iter().map(|run| report::run(run, false, paint)).collect();
            let seconds = runs.iter().map(|run| run.seconds).sum();
            let index = index.as_ref().ok().and_then(Option::as_deref);
            told + &report::index_line(index, paint)
                + &report::runs_summary(&runs, unread.len(), seconds, paint)
                + &report::repairs(&repairs, args.known.known.as_deref(), paint)
                + &report::once_more(&cases, paint)
        }
        Format::Json => report::rebuilt_json(&runs, &unread),
    });
    let exits = runs.iter().map(|run| match CaseState::of_run(run) {
        CaseState::Right | CaseState::NotApplicable | CaseState::Known => Exit::Success,
        CaseState::Unknown => Exit::Unknown,
        CaseState::Wrong => Exit::Broken,
    });
    // A journal that cannot be read may hide a failure.
    let unread = unread.iter().map(|_| Exit::from(Verdict::Unknown));
    let exit = worst(exits.chain(unread).chain(searched));
    conclude(exit, [reported, told.map_err(Failure::from), index.map(drop)])
}

/// Runs with their scenarios, and journals that cannot be used, each with the reason.
type RebuiltAll = (Vec<(Scenario, RunReport)>, Vec<(PathBuf, String)>);

/// Judges the journal in each directory.
fn rebuild_all(directories: Vec<PathBuf>) -> RebuiltAll {
    let mut runs = Vec::new();
    let mut unread = Vec::new();
    for directory in directories {
        match derived::rebuild(&directory) {
            Ok(rebuilt) => {
                let scenario = (*rebuilt.header.scenario).clone();
                runs.push((scenario, RunReport::rebuilt(rebuilt, directory)));
            }
            Err(error) => unread.push((directory.join(JOURNAL), chain(&error))),
        }
    }
    (runs, unread)
}

/// Writes the page of the searches again whose state is in the directory, if there is one. The exit code
/// says whether one of them has found something that is not known.
fn search_page(args: &Args) -> Result<Option<Exit>, Failure> {
    let path = args.directory.join(STATE);
    if !path.exists() {
        return Ok(None);
    }
    let state = State::read(&path)?;
    let known = args.known.read_for_searches()?;
    let listed = args.known.known.is_some().then_some(&known);
    let page = write_search_page(&path, &state, listed)?;
    tell(&format!("page of the searches: {}", page.display()));
    let tallies = state.tallies();
    let has_failed = tallies.first().is_some_and(|tally| tally.has_failed(listed));
    Ok(Some(if has_failed { Exit::Broken } else { Exit::Success }))
}

/// The directories that contain a journal, sorted by path. Does not follow links.
fn evidence_below(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    look(directory, DEPTH_MAX, &mut found).map_err(|error| {
        let context = format!("{} could not be read", directory.display());
        Failure::usage(Report::from_err(error).wrap_err(context))
    })?;
    found.sort();
    Ok(found)
}

fn look(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_file() && entry.file_name() == JOURNAL {
            found.push(directory.to_owned());
        } else if kind.is_dir() && depth > 0 {
            look(&entry.path(), depth - 1, found)?;
        }
    }
    Ok(())
}
