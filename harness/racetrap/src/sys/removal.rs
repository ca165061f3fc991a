//! Removes files that may or may not exist.

use std::path::Path;
use std::{fs, io};

/// Removes a file, a link, or a directory with everything in it. Does nothing if the path does not
/// exist.
///
/// # Errors
/// If the path exists and cannot be removed.
pub(crate) fn remove_if_exists(path: &Path) -> io::Result<()> {
    // Without following a link: a link to a directory is removed, and the directory stays.
    let is_directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
