//! What is in a bundle, and what is not: the one file of it that is always there.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::mask::{Masked, Masker};
use crate::sys::take_room;

/// Version of the manifest's format; it changes whenever an old reader could misread a new one.
pub const FORMAT: u32 = 1;

/// Name of the manifest in an evidence directory.
pub const MANIFEST: &str = "manifest.json";

/// The same until it is whole.
const PARTIAL: &str = ".manifest.json.partial";

/// Room that is taken for the manifest when a run begins, in bytes: it is several times what one has.
const ROOM: u64 = 128 << 10;

/// What is in a bundle, and why it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`] of who wrote it.
    pub version: u32,
    /// What made it.
    pub trigger: Trigger,
    /// The same in words: what was awaited, which signal came, what a panic said.
    pub reason: String,
    /// Calendar time at which the capture began, RFC 3339.
    pub began: String,
    /// How long the capture took, in seconds; 0 where nothing could be captured.
    pub seconds: f64,
    /// How long it may have taken, in seconds; 0 where nothing could be captured.
    pub deadline: f64,
    /// Everything that was looked for, in the order of the paths.
    pub entries: Vec<Entry>,
}

impl Manifest {
    /// One of a bundle for which nothing was captured.
    pub(super) fn empty(cause: &Cause) -> Self {
        Self {
            version: FORMAT,
            trigger: cause.trigger,
            reason: cause.reason.clone(),
            began: Clock::start().calendar(),
            seconds: 0.0,
            deadline: 0.0,
            entries: Vec::new(),
        }
    }

    /// Whether its world was captured.
    pub(super) fn has_capture(&self) -> bool {
        self.deadline > 0.0
    }

    /// Puts this in the place of every word that was found somewhere.
    pub(super) fn leave_out_words(&mut self, why: &str) {
        why.clone_into(&mut self.reason);
        for entry in &mut self.entries {
            entry.masked.iter_mut().for_each(|masked| masked.places.clear());
            entry.why = entry.why.is_some().then(|| why.to_owned());
        }
    }

    /// Reads that of an evidence directory which this harness has written.
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(directory.join(MANIFEST))?)?)
    }

    /// Takes room for one in an evidence directory, so that a disk that gets full does not take it.
    ///
    /// # Errors
    /// Where there is no such room now.
    pub(crate) fn reserve(directory: &Path) -> io::Result<()> {
        take_room(&File::create(directory.join(PARTIAL))?, ROOM)
    }

    /// Writes it, so that there is always a whole one or none.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let partial = directory.join(PARTIAL);
        let mut file = File::options().create(true).truncate(false).write(true).open(&partial)?;
        file.write_all(&text)?;
        file.set_len(text.len() as u64)?;
        file.sync_all()?;
        fs::rename(partial, directory.join(MANIFEST))?;
        File::open(directory)?.sync_all()
    }
}

impl Entry {
    /// One of something that is not there.
    pub(super) fn missing(name: &str, path: Option<String>, why: String) -> Self {
        Self {
            name: name.to_owned(),
            path,
            state: State::Missing,
            why: Some(why),
            bytes: 0,
            seconds: 0.0,
            masked: Vec::new(),
        }
    }
}

/// What made a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// A step could not be done; one that was not done by its deadline, above all.
    Step,
    /// All steps were done, and the history is no pass.
    Verdict,
    /// The harness panicked.
    Panic,
    /// The harness was told to stop.
    Stopped,
    /// The harness ended without closing its world; the world's watcher made the bundle.
    Killed,
    /// The world could not be made whole.
    Unmade,
    /// Something of the world would not go when it was closed.
    Leak,
    /// The evidence of a pass was to be kept: nothing was captured.
    Kept,
    /// One that a later version knows.
    #[serde(other)]
    Other,
}

/// Why a bundle is made.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    /// What made it.
    pub(crate) trigger: Trigger,
    /// The same in words.
    pub(crate) reason: String,
}

impl Cause {
    /// A cause in words.
    pub(crate) fn new(trigger: Trigger, reason: impl Into<String>) -> Self {
        Self { trigger, reason: reason.into() }
    }

    /// The same for a manifest: what went wrong may quote what a program has said.
    pub(super) fn masked(&self, masker: &Masker) -> Self {
        Self { trigger: self.trigger, reason: masker.words(&self.reason) }
    }
}

/// One file of a bundle, or what is there instead of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The collector that looked for it, such as `processes`.
    pub name: String,
    /// Its path below the evidence directory, with `/` between the parts; none where a collector
    /// ended before it could name it.
    pub path: Option<String>,
    /// What became of it.
    pub state: State,
    /// Why it is missing or truncated.
    pub why: Option<String>,
    /// Its length in bytes; 0 where it is missing.
    pub bytes: u64,
    /// How long the collector had been at work when it was done, in seconds.
    pub seconds: f64,
    /// What was masked, by the rules that found it.
    pub masked: Vec<Masked>,
}

/// What became of something that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there, whole, and nothing in it was masked.
    There,
    /// It is there, whole but for what was masked.
    Masked,
    /// It is there in part, and what was to be masked in that is masked.
    Truncated,
    /// It is not there.
    Missing,
}
