//! The run's evidence directory: begun before the world, deleted only when a pass is proven.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use racetrap_history::{Judgement, Record, RunHeader, Scenario, Verdict, VmMode, journal};

use super::{RunError, RunOptions};
use crate::clock::Clock;
use crate::derived::{self, JOURNAL};

/// An evidence directory of one run.
pub(super) struct Evidence {
    directory: PathBuf,
    clock: Clock,
}

impl Evidence {
    /// Makes a directory that no other run has.
    pub(super) fn create(base: &Path, scenario: &Scenario, clock: Clock) -> Result<Self, RunError> {
        let make = || -> io::Result<_> {
            fs::create_dir_all(base)?;
            let directory = fresh_directory(&fs::canonicalize(base)?, scenario, clock)?;
            fs::write(directory.join("scenario.yaml"), yaml(scenario)?)?;
            Ok(Self { directory, clock })
        };
        make().map_err(|source| RunError::Evidence { path: base.to_owned(), source })
    }

    /// Opens the journal, which does not exist yet.
    pub(super) fn journal(&self) -> Result<File, RunError> {
        File::create_new(self.directory.join(JOURNAL)).map_err(|source| self.not_written(source))
    }

    /// Something could not be written to it.
    pub(super) fn not_written(&self, source: io::Error) -> RunError {
        RunError::Evidence { path: self.directory.clone(), source }
    }

    /// Where it lies, absolute.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The first record of the history.
    pub(super) fn header(
        &self,
        scenario: &Scenario,
        options: &RunOptions,
        vm: VmMode,
        reused: u32,
    ) -> RunHeader {
        RunHeader {
            format: journal::FORMAT,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            finding: scenario.finding.clone(),
            scenario: serde_json::to_value(scenario).unwrap_or_default(),
            daemon: options.daemon.to_string_lossy().into_owned(),
            defects: options.defects.clone(),
            vm,
            started: self.clock.calendar(),
            reused,
            again: options.again.clone(),
        }
    }

    /// Deletes what a run left that was begun for nothing.
    pub(super) fn discard(directory: &Path) -> Result<(), RunError> {
        let path = directory.to_owned();
        fs::remove_dir_all(directory).map_err(|source| RunError::Evidence { path, source })
    }

    /// Adds what is computed from the history, or deletes all where the run passed; `failure` is
    /// that of the journal.
    pub(super) fn finish(
        self,
        history: &[Record],
        judgement: &Judgement,
        failure: Option<io::Error>,
        keep: bool,
    ) -> Result<Option<PathBuf>, RunError> {
        let path = self.directory.clone();
        let write = || -> io::Result<_> {
            if let Some(error) = failure {
                return Err(error);
            }
            if judgement.verdict == Verdict::Pass && !keep {
                fs::remove_dir_all(&self.directory)?;
                return Ok(None);
            }
            derived::write(&self.directory, history, judgement)?;
            Ok(Some(self.directory))
        };
        write().map_err(|source| RunError::Evidence { path, source })
    }
}

/// `FINDING-TIME`, with a number behind it where another run began in the same second.
fn fresh_directory(base: &Path, scenario: &Scenario, clock: Clock) -> io::Result<PathBuf> {
    let time = clock.calendar().replace([':', '-'], "");
    let mut name = format!("{}-{time}", scenario.finding);
    for number in 2_u32.. {
        let directory = base.join(&name);
        match fs::create_dir(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                name = format!("{}-{time}-{number}", scenario.finding);
            }
            Err(error) => return Err(error),
        }
    }
    unreachable!("one of four billion names is free")
}

fn yaml(scenario: &Scenario) -> io::Result<String> {
    serde_yaml::to_string(scenario).map_err(io::Error::other)
}
