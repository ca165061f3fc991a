//! The manifest of a bundle: which files are there, which are missing and why, and what was masked.
//! Every bundle has one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::mask::{Hits, Masked, Masker};
use crate::sys::take_room;

/// Version of the manifest's format. It changes whenever an old reader could misread a new
/// manifest.
pub const FORMAT: u32 = 1;

/// Name of the manifest in an evidence directory.
pub const MANIFEST: &str = "manifest.json";

/// The name of [`MANIFEST`] until it is complete. When a run begins, this file is created to
/// reserve space.
const PARTIAL: &str = ".manifest.json.partial";

/// The space that is reserved for the manifest when a run begins, in bytes: several times its usual
/// length.
const RESERVED: u64 = 128 << 10;

/// What is in a bundle, and why it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The [`FORMAT`] of the harness that wrote it.
    pub version: u32,
    /// The event for which the bundle was made.
    pub trigger: Trigger,
    /// Details of the trigger: the condition that a step waited for, the signal, the message of a
    /// panic.
    pub reason: String,
    /// Calendar time at which the capture began, RFC 3339.
    pub began: String,
    /// How long the capture took, in seconds; 0 if there was none.
    pub seconds: f64,
    /// How long the capture was allowed to take, in seconds; 0 if there was none.
    pub deadline: f64,
    /// One entry for each file of the bundle and for each file that is missing, sorted by path.
    pub entries: Vec<Entry>,
}

impl Manifest {
    /// The manifest of a bundle without a capture and, so far, without files.
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

    /// Whether the world was captured.
    pub(super) fn has_capture(&self) -> bool {
        self.deadline > 0.0
    }

    /// Replaces every text that may quote the world by `why`, for a manifest in which masking has
    /// failed.
    pub(super) fn replace_texts(&mut self, why: &str) {
        why.clone_into(&mut self.reason);
        for entry in &mut self.entries {
            // Locations contain names of fields, which may be secret, too.
            entry.masked.iter_mut().for_each(|masked| masked.places.clear());
            entry.why = entry.why.is_some().then(|| why.to_owned());
        }
    }

    /// Reads the manifest of an evidence directory that this harness has written, so without
    /// limits.
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(directory.join(MANIFEST))?)?)
    }

    /// Reserves space for a manifest in an evidence directory, so that it can be written even if
    /// the disk is full by then.
    ///
    /// # Errors
    /// If the disk has too little space now.
    pub(crate) fn reserve(directory: &Path) -> io::Result<()> {
        take_room(&File::create(directory.join(PARTIAL))?, RESERVED)
    }

    /// Writes the manifest. A reader sees the old manifest or the new one, and never a part of one.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let partial = directory.join(PARTIAL);
        // Not truncated: that would give the reserved space back.
        let mut file = File::options().create(true).truncate(false).write(true).open(&partial)?;
        file.write_all(&text)?;
        file.set_len(text.len() as u64)?;
        file.sync_all()?;
        fs::rename(partial, directory.join(MANIFEST))?;
        File::open(directory)?.sync_all()
    }
}

/// Sorts entries by path, and entries without a path by collector.
pub(super) fn sort(entries: &mut [Entry]) {
    entries.sort_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
}

impl Entry {
    /// An entry for a file that is not there.
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

/// The event for which a bundle is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// A step failed, usually because it was not done by its deadline.
    Step,
    /// All steps were done, and the verdict is not pass.
    Verdict,
    /// The harness panicked.
    Panic,
    /// The harness received a request to stop, such as SIGINT.
    Stopped,
    /// The harness ended without closing its world; the world's watcher made the bundle.
    Killed,
    /// The world did not start completely.
    Unmade,
    /// Something of the world was still there after it was closed.
    Leak,
    /// The run passed and its evidence was to be kept. Nothing was captured.
    Kept,
    /// A trigger of a later version.
    #[serde(other)]
    Other,
}

/// Why a bundle is made.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    /// The event.
    pub(crate) trigger: Trigger,
    /// Details of the event, for [`Manifest::reason`].
    pub(crate) reason: String,
}

impl Cause {
    pub(crate) fn new(trigger: Trigger, reason: impl Into<String>) -> Self {
        Self { trigger, reason: reason.into() }
    }

    /// The same cause with its secrets masked: the reason may quote the output of a program.
    pub(super) fn masked(&self, masker: &Masker) -> Self {
        Self { trigger: self.trigger, reason: masker.message(&self.reason) }
    }
}

/// One file of a bundle, or the reason why it is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The collector that looked for it, such as `processes`.
    pub name: String,
    /// Its path relative to the evidence directory, with `/` between the parts; `None` if the entry
    /// is about the collector itself, such as one that was cut off.
    pub path: Option<String>,
    /// Whether the file is there.
    pub state: State,
    /// Why it is missing or truncated.
    pub why: Option<String>,
    /// Its length in bytes; 0 if it is missing.
    pub bytes: u64,
    /// How long the collector had run when it stored the file, in seconds.
    pub seconds: f64,
    /// What was masked in the file, by rule.
    pub masked: Vec<Masked>,
}

/// Whether a file is there, and whether it is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there and complete, and nothing in it was masked.
    There,
    /// It is there and complete, with masks.
    Masked,
    /// A part of it is there, with or without masks.
    Truncated,
    /// It is not there.
    Missing,
}

impl State {
    /// The state of a file that is there.
    pub(super) fn of_file(is_truncated: bool, masked: &Hits) -> Self {
        match (is_truncated, masked.is_empty()) {
            (true, _) => Self::Truncated,
            (false, false) => Self::Masked,
            (false, true) => Self::There,
        }
    }
}
