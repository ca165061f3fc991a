//! The end of a process's log, for the text of an error.

use std::path::Path;

/// How many lines of a log an error shows.
const LINES: usize = 8;

/// The last 8 lines of a log, or an empty text if the log cannot be read.
pub(crate) fn log_tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
