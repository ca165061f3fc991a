//! The run's evidence directory: begun before the world, deleted only when a pass is proven.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use racetrap_history::{Judgement, Record, RunHeader, Scenario, Verdict, VmMode, journal, judge};

use super::error::RunError;
use super::options::RunOptions;
use crate::bundle::{Cause, Manifest, Trigger, seal};
use crate::clock::Clock;
use crate::derived::{self, JOURNAL};
use crate::recorder::Recorder;
use crate::scenario_file::to_yaml;
use crate::sys;

/// An evidence directory of one run.
pub(super) struct Evidence {
    directory: PathBuf,
    clock: Clock,
}

impl Evidence {
    /// Creates a directory that no other run has.
    pub(super) fn create(base: &Path, scenario: &Scenario, clock: Clock) -> Result<Self, RunError> {
        let make = || -> io::Result<_> {
            fs::create_dir_all(base)?;
            let directory = fresh_directory(&fs::canonicalize(base)?, scenario, clock)?;
            fs::write(directory.join("scenario.yaml"), to_yaml(scenario)?)?;
            Manifest::reserve(&directory)?;
            Ok(Self { directory, clock })
        };
        make().map_err(|source| RunError::Evidence { path: base.to_owned(), source })
    }

    /// Opens the journal, which does not exist yet.
    pub(super) fn journal(&self) -> Result<File, RunError> {
        File::create_new(self.directory.join(JOURNAL)).map_err(|source| self.not_written(source))
    }

    /// The error of a write to the directory.
    pub(super) fn not_written(&self, source: io::Error) -> RunError {
        RunError::Evidence { path: self.directory.clone(), source }
    }

    /// Its absolute path.
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
            scenario: Box::new(scenario.clone()),
            daemon: options.daemon.to_string_lossy().into_owned(),
            defects: options.defects.clone(),
            vm,
            started: self.clock.started(),
            reused,
            again: options.again.clone(),
            low_limit: sys::low_limit(),
            cell: options.cell,
        }
    }

    /// Adds the files that are computed from the history and completes the bundle; or deletes the
    /// directory, if the run is settled and nobody asked to keep it. `cause` goes into the manifest if no
    /// capture has written one.
    pub(super) async fn finish(
        self,
        recorder: &Recorder,
        came: &mut Judged,
        cause: Cause,
        keep: bool,
    ) -> Result<Option<PathBuf>, RunError> {
        let is_settled = came.judgement.verdict.is_settled();
        if is_settled && !keep && came.written.is_ok() {
            let removed = fs::remove_dir_all(&self.directory);
            return removed.map(|()| None).map_err(|source| self.not_written(source));
        }
        let cause = match came.judgement.verdict {
            Verdict::Pass => Cause::new(Trigger::Kept, "the run passed"),
            Verdict::NotApplicable => Cause::new(Trigger::Kept, "the scenario is not applicable"),
            Verdict::Unknown | Verdict::Fail => cause,
        };
        let concluded = derived::write(&self.directory, &came.history, &came.judgement);
        // The bundle is completed also if a file of it could not be written.
        let sealed = seal(&self.directory, cause, &recorder.masker()).await;
        let written =
            came.written.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()));
        match written.and(concluded).and(sealed) {
            Ok(leaked) if leaked.is_empty() => Ok(Some(self.directory)),
            Ok(files) => Err(RunError::Leaked { files, evidence: self.directory }),
            // The history is complete in memory, so what failed has failed. Nothing else is proved by a run
            // that left only a part of its evidence.
            Err(source) if came.judgement.verdict == Verdict::Fail => {
                let place = self.directory.display();
                let text = format!("the evidence in {place} is not complete: {source}");
                came.judgement.unknowns.push(text.into());
                Ok(Some(self.directory))
            }
            Err(source) => Err(self.not_written(source)),
        }
    }
}

/// A history that has ended, and its judgement.
pub(super) struct Judged {
    pub(super) history: Vec<Record>,
    pub(super) judgement: Judgement,
    /// Whether every record could be written to the journal.
    pub(super) written: io::Result<()>,
}

impl Judged {
    /// Judges a history. `failure` is the error of the first record that could not be written.
    pub(super) fn new(history: Vec<Record>, failure: Option<io::Error>) -> Self {
        let judgement = judge(&history);
        Self { history, judgement, written: failure.map_or(Ok(()), Err) }
    }

    /// Judges the records of a recorder so far.
    pub(super) fn from_recorder(recorder: &Recorder) -> Self {
        Self::new(recorder.history(), recorder.take_failure())
    }
}

/// `FINDING-TIME`, with a number if another run began in the same second.
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
