//! The end of a process's log, for the text of an error.

use std::path::Path;

/// How many lines an error shows.
const LINES: usize = 8;

/// The last lines of a log; nothing where there is no log.
pub(crate) fn log_tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
