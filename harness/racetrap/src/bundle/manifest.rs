//! What is in a bundle, and what is not: the one file of it that is always there.

use serde::{Deserialize, Serialize};

/// Version of the manifest's format; it changes whenever an old reader could misread a new one.
pub const FORMAT: u32 = 1;

/// Name of the manifest in an evidence directory.
pub const MANIFEST: &str = "manifest.json";

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
    /// How long it may have taken, in seconds.
    pub deadline: f64,
    /// Everything that was looked for, in the order of the paths.
    pub entries: Vec<Entry>,
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

/// What one rule found in a file: places, never what stood there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masked {
    /// The rule, such as `variable`.
    pub rule: String,
    /// How many values it masked.
    pub count: u64,
    /// Where the first of them stand: JSON pointers, lines, or arguments.
    pub places: Vec<String>,
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
