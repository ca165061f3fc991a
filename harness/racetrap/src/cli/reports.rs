//! JUnit and GitHub output, beside the report on the terminal.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use super::exit::Failure;
use crate::report::{self, Case, DaemonFacts, tell};

/// GitHub sets this variable to `true` in a workflow.
const IN_WORKFLOW: &str = "GITHUB_ACTIONS";

/// GitHub sets this variable to the file that takes the summary of a step.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Reports for other programs.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ReportsArgs {
    /// Also write the result as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write GitHub annotations for what is not right, and the job summary [default: only in a
    /// GitHub workflow]
    #[arg(long)]
    github: bool,
}

/// Where these reports go.
#[derive(Debug)]
pub(super) struct Reports {
    junit: Option<PathBuf>,
    github: bool,
    summary: Option<PathBuf>,
}

impl ReportsArgs {
    /// Checks the destinations before anything runs, so that a mistake is reported at once.
    pub(super) fn open(&self) -> Result<Reports, Failure> {
        if let Some(junit) = &self.junit {
            let place = std::path::absolute(junit).into_diagnostic();
            let place = place.map_err(Failure::usage)?;
            if place.is_dir() || place.file_name().is_none() {
                return Err(Failure::usage(miette!(
                    help = "name a file that may be written",
                    "{} is a directory, and --junit needs a file",
                    junit.display()
                )));
            }
            let directory = place.parent().map_or(Ok(()), fs::create_dir_all);
            directory
                .into_diagnostic()
                .wrap_err_with(|| unwritten(junit))
                .map_err(Failure::machine)?;
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let github = self.github || set(IN_WORKFLOW).is_some_and(|value| value == "true");
        let summary = set(SUMMARY).filter(|_| github).map(PathBuf::from);
        if self.github && summary.is_none() {
            tell(&format!("{SUMMARY} is not set, so there is no summary of the job"));
        }
        Ok(Reports { junit: self.junit.clone(), github, summary })
    }
}

impl Reports {
    /// Writes all reports. An error in one does not keep the others from being written.
    pub(super) fn write(
        &self,
        command: &str,
        daemon: Option<&DaemonFacts>,
        cases: &[Case],
    ) -> Result<(), Failure> {
        let junit = self.junit.as_deref().map(|file| {
            fs::write(file, report::masked(&report::junit(command, daemon, cases)))
                .into_diagnostic()
                .wrap_err_with(|| unwritten(file))
        });
        if self.github {
            // GitHub reads both output streams; standard output is reserved for the report.
            let annotations = report::annotations(cases);
            if !annotations.is_empty() {
                tell(annotations.trim_end());
            }
        }
        let summary = self.summary.as_deref().map(|file| {
            add_summary(file, command, cases).into_diagnostic().wrap_err_with(|| unwritten(file))
        });
        for written in [junit, summary].into_iter().flatten() {
            written.map_err(Failure::machine)?;
        }
        Ok(())
    }
}

/// Appends to the summary that the step has written so far, within GitHub's limit.
fn add_summary(file: &Path, command: &str, cases: &[Case]) -> std::io::Result<()> {
    let mut file = fs::File::options().append(true).create(true).open(file)?;
    let before = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let room = report::SUMMARY_BYTES_MAX.saturating_sub(before);
    let summary = report::job_summary(command, cases, room);
    file.write_all(report::masked(&summary).as_bytes())
}

fn unwritten(file: &Path) -> String {
    format!("the report could not be written to {}", file.display())
}
