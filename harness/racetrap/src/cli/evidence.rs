//! What lies in an evidence directory: how much it is, how old it is, and whose it is.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use crate::bundle::archive_of;
use crate::clock::file_age;
use crate::derived::{JOURNAL, VERDICT};
use crate::report::{Case, tell};
use crate::sys;

/// After how long without a record a run that has no verdict does not run any more. Its harness and its
/// watcher were killed.
const SILENCE: Duration = Duration::from_secs(3600);

/// sudo sets these variables to the user and the group that called it.
const CALLER: [&str; 2] = ["SUDO_UID", "SUDO_GID"];

/// The evidence of one run: its directory, and the archive beside it.
#[derive(Clone, Debug)]
pub(super) struct RunEvidence {
    pub(super) directory: PathBuf,
    /// Size of all files.
    pub(super) bytes: u64,
    /// Time since the last change of the journal.
    pub(super) age: Duration,
    /// Whether the run has ended, so that nothing writes to the directory any more.
    pub(super) has_ended: bool,
}

/// The evidence directly below `place`, the oldest first. There is none if `place` does not exist.
pub(super) fn evidence_in(place: &Path) -> io::Result<Vec<RunEvidence>> {
    let entries = match fs::read_dir(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let directory = entry.path();
        // A link is not followed: it may lead anywhere.
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let Ok(journal) = fs::symlink_metadata(directory.join(JOURNAL)) else { continue };
        let age = file_age(journal.modified()?).unwrap_or_default();
        let archive = fs::symlink_metadata(archive_of(&directory)).map_or(0, |file| file.len());
        let has_ended = directory.join(VERDICT).exists() || age > SILENCE;
        found.push(RunEvidence {
            bytes: size_of(&directory)? + archive,
            directory,
            age,
            has_ended,
        });
    }
    found.sort_by(|one, other| other.age.cmp(&one.age).then(one.directory.cmp(&other.directory)));
    Ok(found)
}

/// Size of all files below a directory. Follows no link.
fn size_of(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for path in paths_below(directory)? {
        let metadata = fs::symlink_metadata(path)?;
        bytes += if metadata.is_file() { metadata.len() } else { 0 };
    }
    Ok(bytes)
}

/// A directory and everything below it. Follows no link.
fn paths_below(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = vec![directory.to_owned()];
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        next += 1;
        if fs::symlink_metadata(&path)?.is_dir() {
            for entry in fs::read_dir(&path)? {
                paths.push(entry?.path());
            }
        }
    }
    Ok(paths)
}

/// Gives the evidence of a command's runs to the user who called it by sudo, so that no root is needed
/// to read or remove it. `place` is the directory that contains it; `more` are other files and directories
/// that the command has written. Says what could not be given.
pub(super) fn hand_over(place: &Path, cases: &[Case], more: &[&Path]) {
    let id = |name| std::env::var(name).ok()?.parse().ok();
    let [Some(user), Some(group)] = CALLER.map(id) else { return };
    if !sys::is_root() {
        return;
    }
    let give_all = || -> io::Result<()> {
        for directory in cases.iter().filter_map(|case| case.evidence.as_deref()) {
            if !directory.starts_with(place) {
                continue;
            }
            for path in paths_below(directory)?.iter().chain([&archive_of(directory)]) {
                give(path, user, group)?;
            }
        }
        for path in more.iter().filter(|path| path.exists()) {
            for path in paths_below(path)? {
                give(&path, user, group)?;
            }
        }
        let above = place.parent().filter(|above| above.ends_with(".racetrap"));
        for path in [place].into_iter().chain(above) {
            give(path, user, group)?;
        }
        Ok(())
    };
    if let Err(error) = give_all() {
        tell(&format!("the evidence in {} belongs to root: {error}", place.display()));
    }
}

/// Gives one file, if it exists and root has it.
fn give(path: &Path, user: u32, group: u32) -> io::Result<()> {
    match sys::owner_of(path) {
        Ok(0) => sys::give(path, user, group),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives everything that a search has written to the user who called it by sudo: the evidence of all runs,
/// those of its lessons included, and `more`.
pub(super) fn hand_over_all(place: &Path, more: impl IntoIterator<Item = PathBuf>) {
    let evidence = evidence_in(place).unwrap_or_default().into_iter();
    let directories = evidence.flat_map(|one| [archive_of(&one.directory), one.directory]);
    let all: Vec<_> = directories.chain(more).collect();
    hand_over(place, &[], &all.iter().map(PathBuf::as_path).collect::<Vec<_>>());
}
