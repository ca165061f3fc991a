//! The slot of a world: an instance number, and a directory named after it.
//!
//! A process claims a number by a file lock, which the kernel releases when the process dies. A
//! process that holds the lock of a number whose directory still exists knows that the world before
//! it was not closed.

use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::sys::{Identity, SOCKET_PATH_MAX, is_file_at, owner_of_directory, user_id};
use crate::world_directory::home;

/// Instance numbers that worlds may take. Two digits keep paths short, and the daemon derives its
/// preferred ports from the number (contract 2.4). 2 is the daemon's default, which users have.
const NUMBERS: RangeInclusive<u32> = 3..=99;

/// The deepest socket below a home: the daemon creates it (contract 2.2) and adds a random number
/// of up to ten digits to its name.
const DEEPEST_SOCKET: &str = ".rd99/lima/rd/ha.sock.0123456789";

/// Length in bytes of the longest path of a socket that a world below the directory `temporary`
/// has.
pub(crate) fn longest_socket_path(temporary: &Path) -> usize {
    let world = worlds_directory(temporary).join(NUMBERS.end().to_string());
    home(&world).join(DEEPEST_SOCKET).as_os_str().len()
}

/// A slot could not be claimed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// A socket in the world's directory could not be bound.
    #[error(
        "{path} is too long: sockets below it would have {needed} bytes, and a unix socket's path \
         holds {SOCKET_PATH_MAX}"
    )]
    TooLong {
        /// The directory for temporary files.
        path: PathBuf,
        /// Length of the longest socket path, in bytes.
        needed: usize,
    },
    /// Other worlds have all numbers.
    #[error("all {count} worlds of this machine are in use below {base}", count = NUMBERS.count())]
    Full {
        /// Directory of all worlds.
        base: PathBuf,
    },
    /// Another user owns the directory of all worlds, or it is a file.
    #[error("{path} cannot hold worlds: {reason}")]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file system refused.
    #[error("{path} could not be used")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

/// A claimed instance number, with its directory.
#[derive(Debug)]
pub(crate) struct Slot {
    number: u32,
    directory: PathBuf,
    marker: String,
    lock: File,
}

impl Slot {
    /// Claims the first free number below `temporary`. Its directory does not exist yet, unless an
    /// earlier world in it was not closed.
    pub(crate) fn claim(temporary: &Path) -> Result<Self, SlotError> {
        let base = worlds_directory(temporary);
        // Checked before anything is created: sockets fail much later, with an error that nobody
        // understands.
        let needed = longest_socket_path(temporary);
        if needed > SOCKET_PATH_MAX {
            return Err(SlotError::TooLong { path: temporary.to_owned(), needed });
        }
        let io_error = |path: &Path| {
            let path = path.to_owned();
            move |source| SlotError::Io { path, source }
        };
        fs::create_dir_all(&base).map_err(io_error(&base))?;
        refuse_foreign(&base)?;
        for number in NUMBERS {
            let path = lock_path(&base, number);
            if let Some(lock) = try_lock(&path).map_err(io_error(&path))? {
                let directory = base.join(number.to_string());
                return Ok(Self { number, directory, marker: marker(number), lock });
            }
        }
        Err(SlotError::Full { base })
    }

    /// The number, which is the daemon's instance number too.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The world's directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The marker that every process of this world carries in its environment. No other world has
    /// it.
    pub(crate) fn marker(&self) -> &str {
        &self.marker
    }

    /// The file whose lock this value holds.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.directory.with_extension("lock")
    }

    /// Gives the number back.
    pub(crate) fn release(self) -> io::Result<()> {
        // In this order: see `try_lock`.
        remove_lock(&self.lock_path())?;
        self.lock.unlock()
    }
}

/// Takes the lock of a number, or returns `None` if another process holds it.
///
/// A lock counts only while its file is the one at its path. A process that gives a number back
/// removes the file first; a process that waited for that lock then holds one that no other process
/// finds, and must try again with the new file.
fn try_lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) if is_file_at(&file, path)? => return Ok(Some(file)),
            // The file was removed between `open` and `try_lock`.
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Removes the file of a lock that this process holds.
pub(super) fn remove_lock(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The directory of all worlds of this user.
fn worlds_directory(temporary: &Path) -> PathBuf {
    temporary.join(format!("rt-{}", user_id()))
}

fn lock_path(base: &Path, number: u32) -> PathBuf {
    base.join(format!("{number}.lock"))
}

/// Number, process ID and start time of the process: two worlds never have the same marker, because
/// a process that has the ID of an earlier one has another start time.
fn marker(number: u32) -> String {
    let own = std::process::id();
    let started = Identity::from_pid(own).map_or(0, |identity| identity.started);
    format!("{number}-{own}-{started}")
}

/// Refuses a directory of another user, who could replace what is in it: `temporary` is writable
/// for everybody.
fn refuse_foreign(base: &Path) -> Result<(), SlotError> {
    let owner = owner_of_directory(base)
        .map_err(|source| SlotError::Io { path: base.to_owned(), source })?;
    let reason = match owner {
        None => "it is not a directory",
        Some(owner) if owner != user_id() => "it belongs to another user",
        Some(_) => return Ok(()),
    };
    Err(SlotError::NotOurs { path: base.to_owned(), reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    // The first slot is still held when the second is claimed.
    #[test]
    fn two_worlds_have_two_numbers_and_a_released_one_is_free_again() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let first = Slot::claim(place.path()).expect("a free number");
        let second = Slot::claim(place.path()).expect("another free number");
        assert_ne!(first.number(), second.number());
        assert_ne!(first.directory(), second.directory());
        assert_ne!(first.marker(), second.marker());
        let (number, lock) = (first.number(), first.lock_path());
        first.release().expect("a held lock");
        assert!(!lock.exists(), "nothing is left of a released number");
        assert_eq!(Slot::claim(place.path()).expect("a free number").number(), number);
    }

    #[test]
    fn a_directory_too_deep_for_sockets_is_refused() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let deep = place.path().join("a".repeat(SOCKET_PATH_MAX));
        let error = Slot::claim(&deep).expect_err("the path is too long");
        assert!(matches!(error, SlotError::TooLong { needed, .. } if needed > SOCKET_PATH_MAX));
        assert!(!deep.exists(), "nothing is created in a directory that is refused");
    }

    #[test]
    fn a_file_at_the_path_of_the_worlds_directory_is_not_replaced() {
        let place = tempfile::tempdir().expect("a temporary directory");
        fs::write(worlds_directory(place.path()), "mine").expect("a file of the user's");
        assert!(matches!(Slot::claim(place.path()), Err(SlotError::Io { .. })));
    }
}
