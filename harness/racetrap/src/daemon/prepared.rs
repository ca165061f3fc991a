//! The database of a daemon after its first start, for later worlds of the same daemon.
//!
//! In VM mode `api`, a daemon that does not define the kind LimaVM is started twice: it needs the kind before
//! its controllers begin (contract 7.6 B), and each definition takes seconds to be established
//! (contract 3.4.1). The first world keeps the database between the two starts; a later world gets a copy,
//! and its daemon starts once.
//!
//! Only the database is copied (contract 2.3.4), and only if it has no secret in it. Each world's daemon
//! makes its own keys, certificates and tokens, and writes what depends on them or on its ports at every
//! start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use std::{fs, io};

use regex::bytes::Regex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// What a database must not contain to be copied: a Secret, or a private key as text or in base64.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("/registry/secrets/|PRIVATE KEY|LS0tLS1CRUdJTiB(SU0EgUFJ|FQyBQUkl|QUklWQVR)")
        .expect("a pattern that the test below uses")
});

/// Which databases are alike: those of one program with the same controllers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) program: PathBuf,
    pub(super) controllers: String,
}

/// Databases of first starts, shared by the worlds of one command. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prepared(Arc<Mutex<BTreeMap<Key, Arc<AsyncMutex<FirstStart>>>>>);

/// Names and contents of the files of a database.
type Files = Vec<(PathBuf, Vec<u8>)>;

/// What is known of a daemon's first start.
#[derive(Debug, Default)]
pub(super) enum FirstStart {
    /// Nothing; no world has started such a daemon yet.
    #[default]
    Unknown,
    /// It needs no second start, or its database must not be copied.
    Plain,
    /// The files of its database, and how long both starts took.
    Kept { files: Arc<Files>, took: Duration },
}

impl Prepared {
    /// What is known of the first start of such a daemon. Waits while another world finds out. While the
    /// caller keeps the result, other worlds wait for it.
    pub(super) async fn first_start(&self, key: Key) -> OwnedMutexGuard<FirstStart> {
        let slot = {
            let mut slots = self.0.lock().expect("nothing panics while it holds the map");
            slots.entry(key).or_default().clone()
        };
        slot.lock_owned().await
    }
}

impl FirstStart {
    /// Keeps the files of a database, unless a secret is in them. Both starts of its daemon took `took`.
    pub(super) fn keep(&mut self, files: Files, took: Duration) {
        let has_secret = files.iter().any(|(_, bytes)| SECRET.is_match(bytes));
        *self = if has_secret { Self::Plain } else { Self::Kept { files: Arc::new(files), took } };
    }

    /// The daemon needs no second start.
    pub(super) fn needs_nothing(&mut self) {
        *self = Self::Plain;
    }

    /// The next world finds out again.
    pub(super) fn forget(&mut self) {
        *self = Self::Unknown;
    }

    /// Whether another world need not wait until this one has started.
    pub(super) fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// Writes the files of the database to `directory`. Returns how long both starts took without them;
    /// `None` if there are no files.
    pub(super) fn put(&self, directory: &Path) -> io::Result<Option<Duration>> {
        let Self::Kept { files, took } = self else { return Ok(None) };
        fs::create_dir_all(directory)?;
        for (name, bytes) in files.iter() {
            fs::write(directory.join(name), bytes)?;
        }
        Ok(Some(*took))
    }
}

/// Reads the files of the database in `directory`, whose daemon has ended.
pub(super) fn read(directory: &Path) -> io::Result<Files> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push((PathBuf::from(entry.file_name()), fs::read(entry.path())?));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The directory of the second world does not exist yet. Nothing else than the files of the first may
    // be in it afterwards.
    #[tokio::test]
    async fn a_database_without_secrets_is_copied_and_another_is_not() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let (one, two) = (place.path().join("one"), place.path().join("two"));
        fs::create_dir(&one).expect("a directory");
        fs::write(one.join("state.db"), "definitions").expect("a file");
        let key = Key { program: "/rdd".into(), controllers: "*".to_owned() };
        let prepared = Prepared::default();
        let took = Duration::from_secs(9);
        {
            let mut first = prepared.first_start(key.clone()).await;
            assert_eq!(first.put(&two).expect("nothing is written"), None);
            assert!(!two.exists());
            first.keep(read(&one).expect("files that can be read"), took);
        }
        let first = prepared.clone().first_start(key.clone()).await;
        assert_eq!(first.put(&two).expect("files that can be written"), Some(took));
        assert_eq!(fs::read_to_string(two.join("state.db")).expect("a copy"), "definitions");
        let other = Key { controllers: "*,-lima".to_owned(), ..key };
        let mut other = prepared.first_start(other).await;
        fs::write(one.join("state.db"), "x /registry/secrets/default/token").expect("a file");
        other.keep(read(&one).expect("files that can be read"), took);
        assert!(matches!(*other, FirstStart::Plain));
    }
}
