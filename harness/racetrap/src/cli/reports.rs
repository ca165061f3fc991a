//! JUnit and GitHub output, beside the report on the terminal.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use super::exit::Failure;
use crate::clock::Clock;
use crate::report::{self, Case, DaemonFacts, TrendEntry, tell};

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
    /// Add the result to FILE, and show the last ones and what has changed in the job summary
    #[arg(long, value_name = "FILE")]
    trend: Option<PathBuf>,
}

/// Where these reports go.
#[derive(Debug)]
pub(super) struct Reports {
    junit: Option<PathBuf>,
    github: bool,
    summary: Option<PathBuf>,
    trend: Option<PathBuf>,
}

impl ReportsArgs {
    /// Checks the destinations before anything runs, so that a mistake is reported at once.
    pub(super) fn open(&self) -> Result<Reports, Failure> {
        for (file, option) in [(&self.junit, "--junit"), (&self.trend, "--trend")] {
            if let Some(file) = file {
                check_destination(file, option)?;
            }
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let github = self.github || set(IN_WORKFLOW).is_some_and(|value| value == "true");
        let summary = set(SUMMARY).filter(|_| github).map(PathBuf::from);
        if self.github && summary.is_none() {
            tell(&format!("{SUMMARY} is not set, so there is no summary of the job"));
        }
        let (junit, trend) = (self.junit.clone(), self.trend.clone());
        Ok(Reports { junit, github, summary, trend })
    }
}

impl Reports {
    /// The JUnit file, if one is written.
    pub(super) fn junit(&self) -> Option<&Path> {
        self.junit.as_deref()
    }

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
        let (trend, kept) = match self.trend.as_deref() {
            Some(file) => {
                let version = daemon.map(|daemon| daemon.version.as_str()).unwrap_or_default();
                let (text, kept) = add_trend(file, command, version, cases);
                (text, Some(kept.into_diagnostic().wrap_err_with(|| unwritten(file))))
            }
            None => (String::new(), None),
        };
        let summary = self.summary.as_deref().map(|file| {
            add_summary(file, command, cases, &trend)
                .into_diagnostic()
                .wrap_err_with(|| unwritten(file))
        });
        for written in [junit, kept, summary].into_iter().flatten() {
            written.map_err(Failure::machine)?;
        }
        Ok(())
    }
}

/// Fails if the file of an option cannot be written later. Creates its directory.
fn check_destination(file: &Path, option: &str) -> Result<(), Failure> {
    let place = std::path::absolute(file).into_diagnostic();
    let place = place.map_err(Failure::usage)?;
    if place.is_dir() || place.file_name().is_none() {
        return Err(Failure::usage(miette!(
            help = "name a file that may be written",
            "{} is a directory, and {option} needs a file",
            file.display()
        )));
    }
    let directory = place.parent().map_or(Ok(()), fs::create_dir_all);
    directory.into_diagnostic().wrap_err_with(|| unwritten(file)).map_err(Failure::machine)
}

/// Adds an entry to a file of a trend. Returns the trend as text, also if the file could not be written.
fn add_trend(
    file: &Path,
    command: &str,
    daemon: &str,
    cases: &[Case],
) -> (String, std::io::Result<()>) {
    let before = fs::read_to_string(file).unwrap_or_default();
    let mut entries = report::trend_entries(&before);
    entries.push(TrendEntry::new(Clock::start().calendar(), command, daemon, cases));
    let text = report::trend_text(&entries);
    (report::trend(&entries), fs::write(file, report::masked(&text)))
}

/// Appends to the summary that the step has written so far, within GitHub's limit.
fn add_summary(file: &Path, command: &str, cases: &[Case], trend: &str) -> std::io::Result<()> {
    let mut file = fs::File::options().append(true).create(true).open(file)?;
    let before = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let room = report::SUMMARY_BYTES_MAX.saturating_sub(before);
    let summary = report::job_summary(command, cases, trend, room);
    file.write_all(report::masked(&summary).as_bytes())
}

fn unwritten(file: &Path) -> String {
    format!("the report could not be written to {}", file.display())
}
