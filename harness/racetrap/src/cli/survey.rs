//! `racetrap survey`: runs scenarios on several revisions of a daemon.

use std::path::{Path, PathBuf};
use std::{fs, io};

use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use super::columns::{Column, Table, compare};
use super::daemon::Daemon;
use super::exit::{Exit, Failure};
use super::format::Format;
use super::options::{JobsArgs, WorldArgs};
use crate::report::{self, Terminal};
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

/// Runs each scenario on each revision.
pub(super) async fn survey(
    args: Args,
    format: Format,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let revisions = revisions(&args.programs)?;
    let column = |(name, daemon)| Column { name, daemon, world: args.world.clone() };
    let columns = revisions.into_iter().map(column).collect();
    let table = Table { command: "survey", text: report::survey, json: report::survey_json };
    compare(columns, &args.targets, &args.jobs, &table, (format, terminal)).await
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
