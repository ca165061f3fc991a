//! How much evidence there is, and what was removed of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use serde::Serialize;

use super::Paint;
use super::summary::count;
use crate::process::{called, quoted};

/// Version of the JSON object. docs/formats.md says what a version promises.
const VERSION: u32 = 1;

/// The result of `clean`.
#[derive(Clone, Debug)]
pub(crate) struct Cleaned {
    /// Evidence directories that were removed, and their sizes in bytes.
    pub(crate) removed: Vec<(PathBuf, u64)>,
    /// Those that were kept.
    pub(crate) kept: Vec<(PathBuf, u64)>,
    /// Whether nothing was removed, because the user only wanted to know.
    pub(crate) only_said: bool,
}

/// One line for each directory that was removed, and the sums.
pub(crate) fn cleaned(cleaned: &Cleaned, paint: Paint) -> String {
    let Cleaned { removed, kept, only_said } = cleaned;
    let mut text = String::new();
    for (path, bytes) in removed {
        let _ = writeln!(text, "{:>10}  {}", size(*bytes), path.display());
    }
    let verb = if *only_said { "would be removed" } else { "removed" };
    let line = format!("{verb}: {}; kept: {}", sum(removed), sum(kept));
    let _ = writeln!(text, "{}", paint.strong(&line));
    text
}

fn sum(all: &[(PathBuf, u64)]) -> String {
    let bytes = all.iter().map(|(_, bytes)| bytes).sum();
    format!("{}, {}", count(all.len(), "run"), size(bytes))
}

fn size(bytes: u64) -> String {
    ByteSize::b(bytes).display().iec().to_string()
}

/// The same as one object.
pub(crate) fn cleaned_json(cleaned: &Cleaned) -> String {
    #[derive(Serialize)]
    struct One {
        evidence: String,
        bytes: u64,
    }
    #[derive(Serialize)]
    struct Object {
        version: u32,
        dry_run: bool,
        removed: Vec<One>,
        kept: Vec<One>,
    }
    let all = |all: &[(PathBuf, u64)]| {
        let one = |(path, bytes): &(PathBuf, u64)| One {
            evidence: path.display().to_string(),
            bytes: *bytes,
        };
        all.iter().map(one).collect()
    };
    let Cleaned { removed, kept, only_said } = cleaned;
    let object =
        Object { version: VERSION, dry_run: *only_said, removed: all(removed), kept: all(kept) };
    serde_json::to_string_pretty(&object).expect("texts and numbers are JSON") + "\n"
}

/// The line that says how much evidence there is, and how to remove it. Empty if there is none.
pub(crate) fn evidence_line(
    place: &Path,
    is_default: bool,
    sizes: impl ExactSizeIterator<Item = u64>,
    paint: Paint,
) -> String {
    let runs = sizes.len();
    if runs == 0 {
        return String::new();
    }
    let bytes = size(sizes.sum());
    let label = paint.strong(&format!("{:>12}", "Evidence"));
    let named =
        if is_default { String::new() } else { format!(" {}", quoted(&place.to_string_lossy())) };
    format!(
        "{label} {}, {bytes}; to remove what is old: {} clean{named} --older-than 7d\n",
        count(runs, "run"),
        called()
    )
}
