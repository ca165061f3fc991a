//! What a search keeps: its state file, and the page that is made of it.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use miette::{IntoDiagnostic as _, WrapErr as _};
use racetrap_history::Verdict;
use sha2::{Digest as _, Sha256};

use super::exit::Failure;
use super::index::write_search_page;
use super::search::Begun;
use crate::clock::Clock;
use crate::known::{KnownFailures, KnownSignature};
use crate::matrix::not_begun;
use crate::process::command_line;
use crate::report::{Found, tell};
use crate::run::{RunOptions, Stop};
use crate::search::{
    Began, Ended, Entry, KnownNote, Lesson, Met, Past, Planned, Ran, STATE, Seen, Shortened, State,
    StateError, StateWriter, Subject,
};

/// Where a search keeps what it has done.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct StateArgs {
    /// Keep what was done in this file, and go on with what earlier searches have left [default:
    /// search.jsonl in the directory of the evidence]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        let is_machine = matches!(error, StateError::Unwritable { .. });
        let wrapped = if is_machine { Self::machine } else { Self::usage };
        wrapped(error.into())
    }
}

/// Writes what a search does to its state file.
#[derive(Debug)]
pub(super) struct SearchLog {
    path: PathBuf,
    past: Rc<Past>,
    /// Adds lines until one could not be written.
    writer: RefCell<Result<StateWriter, io::Error>>,
    stop: Stop,
    known: KnownFailures,
    /// How many runs it has.
    runs: Cell<usize>,
}

impl SearchLog {
    /// Reads what earlier searches have done, and begins a new one.
    pub(super) fn begin(
        args: &StateArgs,
        begun: &Begun,
        seed: Option<u64>,
        shard: String,
        known: &KnownFailures,
    ) -> Result<Self, Failure> {
        let options = &begun.options;
        let path = args.state.clone().unwrap_or_else(|| options.evidence.join(STATE));
        let path = std::path::absolute(path).into_diagnostic().map_err(Failure::usage)?;
        let subject = subject(options, &begun.daemon.version)?;
        let past = Past::new(&State::read_if_there(&path)?, &subject);
        let clock = Clock::start();
        let (at, command) = (clock.calendar(), command_line());
        let identity = format!("{} {} {command} {shard}", clock.unix_time(), std::process::id());
        let id = hex::encode(&Sha256::digest(identity)[..8]);
        let mut writer = StateWriter::open(&path, id)?;
        let began = Began { subject, at, command, seed, shard };
        let written = writer.add(Entry::Began(Box::new(began)));
        written.map_err(|source| StateError::Unwritable { path: path.clone(), source })?;
        if past.runs() > 0 {
            let state = path.display();
            tell(&format!("{state}: {} plans were run by earlier searches", past.runs()));
        }
        Ok(Self {
            path,
            past: Rc::new(past),
            writer: RefCell::new(Ok(writer)),
            stop: options.stop.clone(),
            known: known.clone(),
            runs: Cell::new(0),
        })
    }

    /// What earlier searches say.
    pub(super) fn past(&self) -> &Rc<Past> {
        &self.past
    }

    /// Adds a line. The first one that cannot be written is told, and ends the writing.
    fn add(&self, entry: Entry) {
        let mut writer = self.writer.borrow_mut();
        let added = writer.as_mut().map_or(Ok(()), |open| open.add(entry));
        if let Err(error) = added {
            tell(&format!("{} could not be written: {error}", self.path.display()));
            *writer = Err(error);
        }
    }

    /// What was learned from a workload, if all of its runs have passed.
    pub(super) fn learned(&self, lesson: &Lesson, runs: usize) {
        if let Some(learned) = lesson.learned.as_ref().filter(|learned| learned.runs == runs) {
            self.add(Entry::Learned(Box::new(learned.clone())));
        }
    }

    /// What is going to be run.
    pub(super) fn planned(&self, planned: Planned) {
        self.add(Entry::Planned(planned));
    }

    /// A run has ended.
    pub(super) fn seen(&self, seen: &Seen<'_>) {
        // A run that was cut short by a request to stop shows nothing, and the plan is still to be run.
        if seen.verdict == Verdict::Unknown && not_begun(&self.stop).is_some() {
            return;
        }
        self.runs.set(self.runs.get() + 1);
        let plan = seen.plan;
        if let Some((failure, true)) = seen.failure {
            let note =
                |it: &KnownSignature| KnownNote { why: it.why.clone(), since: it.since.clone() };
            self.add(Entry::Met(Box::new(Met {
                signature: failure.signature,
                plan: failure.plan.clone(),
                reasons: failure.reasons.clone(),
                evidence: failure.evidence.first().map(|path| self.below(path)),
                known: failure.known.as_ref().map(note),
            })));
        }
        self.add(Entry::Ran(Box::new(Ran {
            plan: plan.scenario.finding.to_string(),
            policy: plan.policy,
            place: plan.place.clone(),
            disturbance: plan.disturbance.clone(),
            verdict: seen.verdict,
            seconds: seen.after.as_secs_f64(),
            why: seen.why.clone(),
            signature: seen.failure.map(|(failure, _)| failure.signature),
        })));
    }

    /// A failure has its replay file.
    pub(super) fn found(&self, found: &Found) {
        let Found { failure, shrunk, replay, again, .. } = found;
        let scenario = shrunk.as_ref().map_or(&failure.plan.scenario, |shrunk| &shrunk.scenario);
        self.add(Entry::Shortened(Box::new(Shortened {
            signature: failure.signature,
            scenario: scenario.clone(),
            replay: self.below(&replay.path),
            token: replay.token.clone(),
            again: again.clone(),
            steps: failure.plan.scenario.steps.len(),
            repeated: shrunk.as_ref().map(|shrunk| shrunk.repeated),
            shortest: shrunk.as_ref().is_some_and(|shrunk| shrunk.is_shortest),
        })));
    }

    /// The schedule that an earlier search has made of a failure, and its replay file, if that is still
    /// there.
    pub(super) fn shortened(
        &self,
        found: &racetrap_search::Signature,
    ) -> Option<(&Shortened, PathBuf)> {
        let short = self.past.shortened(found)?;
        let replay = self.directory().join(&short.replay);
        (short.repeated.is_some() && replay.exists()).then_some((short, replay))
    }

    /// The search of `planned` plans has ended: writes the page of all searches of the state. Returns the
    /// paths of both.
    pub(super) fn end(
        &self,
        seconds: f64,
        planned: Option<usize>,
    ) -> Result<(PathBuf, PathBuf), Failure> {
        self.add(Entry::Ended(Ended { seconds }));
        if let Err(error) = &*self.writer.borrow() {
            let source = io::Error::new(error.kind(), error.to_string());
            return Err(StateError::Unwritable { path: self.path.clone(), source }.into());
        }
        let state = State::read(&self.path)?;
        let page = write_search_page(&self.path, &state, Some(&self.known))?;
        match planned.map(|planned| planned.saturating_sub(self.runs.get())) {
            Some(0) => {}
            Some(left) => tell(&format!(
                "{left} plans are left; the same command goes on with them, because {} has the others",
                self.path.display()
            )),
            None => tell(&format!(
                "the same command with this seed goes on after these plans, because {} has them",
                self.path.display()
            )),
        }
        Ok((self.path.clone(), page))
    }

    fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// A path as the state has it.
    fn below(&self, path: &Path) -> String {
        path_below(self.directory(), path)
    }
}

/// The path below a directory if it lies there, so that both can be moved together.
pub(super) fn path_below(directory: &Path, path: &Path) -> String {
    // Evidence has the directory's real path.
    let real = std::fs::canonicalize(directory);
    let below = path.strip_prefix(directory).ok();
    let below = below.or_else(|| path.strip_prefix(real.as_ref().ok()?).ok());
    below.unwrap_or(path).to_string_lossy().into_owned()
}

/// What is searched.
fn subject(options: &RunOptions, version: &str) -> Result<Subject, Failure> {
    let digest = || -> io::Result<String> {
        let mut digest = Sha256::new();
        let mut program = BufReader::with_capacity(1 << 20, File::open(&options.daemon)?);
        loop {
            let part = program.fill_buf()?;
            if part.is_empty() {
                return Ok(hex::encode(digest.finalize()));
            }
            digest.update(part);
            let length = part.len();
            program.consume(length);
        }
    };
    let sha256 = digest()
        .into_diagnostic()
        .wrap_err_with(|| format!("{} could not be read", options.daemon.display()))
        .map_err(Failure::usage)?;
    let mut defects = options.defects.clone();
    defects.sort();
    Ok(Subject {
        daemon: version.to_owned(),
        sha256,
        defects,
        engine: options.engine.to_string(),
        vm: options.vm.map(|vm| vm.to_string()),
    })
}
