//! Finds programs on PATH.

use std::path::PathBuf;

/// The first file called `name` in the directories of PATH, or `None` if no directory has one.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}
