//! The directory and the instance number that a world has for itself.
//!
//! A number is claimed by a file lock, which the kernel gives back when its owner dies. Whoever
//! holds the lock of a number whose directory still exists knows that its world was not closed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::sys::{Identity, SOCKET_PATH_MAX, is_file_at, owner_of_directory, user_id};

/// Instance numbers that worlds may take: two digits keep the paths short, and the daemon derives
/// its preferred ports from them (contract 2.4). 2 is the daemon's default, so users have it.
const NUMBERS: std::ops::RangeInclusive<u32> = 3..=99;

/// The longest path of a socket below a world's directory: the daemon's home, and in it what the
/// daemon makes (contract 2.2), with a random number of up to ten digits.
const DEEPEST_SOCKET: &str = "99/h/.rd99/lima/rd/ha.sock.0123456789";

/// Length in bytes of the longest socket path of a world below the directory `temporary`.
pub(crate) fn longest_socket_path(temporary: &Path) -> usize {
    base(temporary).join(DEEPEST_SOCKET).as_os_str().len()
}

/// A world's place cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroundError {
    /// A socket in it could not be bound.
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
    /// All numbers are taken.
    #[error("all {count} worlds of this machine are in use below {base}", count = NUMBERS.count())]
    Full {
        /// Directory of all worlds.
        base: PathBuf,
    },
    /// It belongs to the user.
    #[error("{path} is not for a world: {reason}")]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        reason: String,
    },
    /// The file system refused.
    #[error("{path} could not be used")]
    Io {
        /// What was touched.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A claimed number and its directory.
#[derive(Debug)]
pub(crate) struct Ground {
    number: u32,
    directory: PathBuf,
    marker: String,
    lock: File,
}

impl Ground {
    /// Claims the first free number below `temporary`; the directory does not exist yet, unless an
    /// earlier world was not closed.
    pub(crate) fn claim(temporary: &Path) -> Result<Self, GroundError> {
        let base = base(temporary);
        let needed = longest_socket_path(temporary);
        if needed > SOCKET_PATH_MAX {
            return Err(GroundError::TooLong { path: temporary.to_owned(), needed });
        }
        let io_error = |path: &Path| {
            let path = path.to_owned();
            move |source| GroundError::Io { path, source }
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
        Err(GroundError::Full { base })
    }

    /// The number, which is the daemon's instance name too.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The world's directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What every process of this world carries in its environment; no other world has it.
    pub(crate) fn marker(&self) -> &str {
        &self.marker
    }

    /// The lock that is held as long as this value lives.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.directory.with_extension("lock")
    }

    /// Gives the number back.
    pub(crate) fn release(self) -> io::Result<()> {
        remove_lock(&self.lock_path())?;
        self.lock.unlock()
    }
}

/// Takes the lock of a number; none where somebody has it.
///
/// A lock counts only while its file is the one at its path: whoever gives it back removes the
/// file first, and who waited for it then holds a lock that nobody else sees.
fn try_lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) if is_file_at(&file, path)? => return Ok(Some(file)),
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Removes the file of a lock that is held.
pub(super) fn remove_lock(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Directory of all worlds of this user.
fn base(temporary: &Path) -> PathBuf {
    temporary.join(format!("rt-{}", user_id()))
}

fn lock_path(base: &Path, number: u32) -> PathBuf {
    base.join(format!("{number}.lock"))
}

fn marker(number: u32) -> String {
    let own = std::process::id();
    let started = Identity::of(own).map_or(0, |identity| identity.started);
    format!("{number}-{own}-{started}")
}

/// Nobody else may have prepared the directory, or could swap what lies in it.
fn refuse_foreign(base: &Path) -> Result<(), GroundError> {
    let owner = owner_of_directory(base)
        .map_err(|source| GroundError::Io { path: base.to_owned(), source })?;
    let reason = match owner {
        None => "it is no directory",
        Some(owner) if owner != user_id() => "it belongs to another user",
        Some(_) => return Ok(()),
    };
    Err(GroundError::NotOurs { path: base.to_owned(), reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Both claims are held at once: a number is one world's, whoever else asks.
    #[test]
    fn two_worlds_have_two_numbers_and_a_released_one_is_free_again() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let first = Ground::claim(place.path()).expect("a free number");
        let second = Ground::claim(place.path()).expect("another free number");
        assert_ne!(first.number(), second.number());
        assert_ne!(first.directory(), second.directory());
        assert_ne!(first.marker(), second.marker());
        let (number, lock) = (first.number(), first.lock_path());
        first.release().expect("a held lock");
        assert!(!lock.exists(), "nothing is left of a released number");
        assert_eq!(Ground::claim(place.path()).expect("a free number").number(), number);
    }

    #[test]
    fn a_place_too_deep_for_sockets_is_refused() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let deep = place.path().join("a".repeat(SOCKET_PATH_MAX));
        let error = Ground::claim(&deep).expect_err("no socket has room there");
        assert!(matches!(error, GroundError::TooLong { needed, .. } if needed > SOCKET_PATH_MAX));
        assert!(!deep.exists(), "nothing is made where nothing can be used");
    }

    #[test]
    fn a_file_in_the_place_of_all_worlds_is_not_taken_over() {
        let place = tempfile::tempdir().expect("a temporary directory");
        fs::write(base(place.path()), "mine").expect("a file of the user's");
        assert!(matches!(Ground::claim(place.path()), Err(GroundError::Io { .. })));
    }
}
