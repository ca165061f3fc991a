//! Changes of the files in directories, as the kernel reports them (inotify(7)).

use std::collections::BTreeMap;
use std::io;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use racetrap_history::FileChange;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::JoinSet;

use crate::wait::polled;

/// How long to wait for a queue while other programs of this user have all that one user may have. Longer than
/// a run in which a daemon keeps a thousand logs open (323-I1k), each by a queue of the engine.
const OPEN_LIMIT: Duration = Duration::from_secs(60);

/// Watches directories. The kernel queues every event between two calls of [`take`](Self::take), up
/// to the length of its queue (16,384 events by default).
pub(crate) struct DirectoryWatch {
    queue: OwnedFd,
    paths: BTreeMap<i32, PathBuf>,
}

/// One change of a file in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileEvent {
    pub(crate) directory: PathBuf,
    pub(crate) name: String,
    /// Never one that a kernel does not report: `Found`, `Unlinked` or `Changed`.
    pub(crate) kind: FileChange,
}

impl DirectoryWatch {
    /// Opens a queue, which watches no directory yet. Waits while the programs of this user have as many queues
    /// as the kernel allows.
    pub(crate) async fn open() -> io::Result<Self> {
        let opened =
            polled("an inotify instance", OPEN_LIMIT, async || match Self::new().transpose() {
                Some(result) => ControlFlow::Break(result),
                None => {
                    let why = "other programs of this user have as many as one user may have";
                    ControlFlow::Continue(why.to_owned())
                }
            });
        opened.await.map_err(io::Error::other)?
    }

    /// Calls `changed` in a task of `tasks` whenever the queue has events.
    pub(crate) fn observe(
        &self,
        tasks: &mut JoinSet<()>,
        changed: impl Fn() + Send + 'static,
    ) -> io::Result<()> {
        let handle = self.handle()?;
        tasks.spawn(async move {
            while let Ok(mut ready) = handle.readable().await {
                // Before the queue is read: a change that comes during the read wakes the task again.
                ready.clear_ready();
                changed();
            }
        });
        Ok(())
    }

    /// Opens a queue. Returns `None` if the programs of this user have as many queues as the kernel
    /// allows. An engine opens one for each log that a client follows.
    fn new() -> io::Result<Option<Self>> {
        match inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC) {
            Ok(queue) => Ok(Some(Self { queue, paths: BTreeMap::new() })),
            Err(Errno::MFILE) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Watches a directory. Does nothing if it is watched already.
    pub(crate) fn watch(&mut self, path: &Path) -> io::Result<()> {
        let events = WatchFlags::CREATE
            | WatchFlags::MODIFY
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        let watch = inotify::add_watch(&self.queue, path, events)?;
        self.paths.insert(watch, path.to_owned());
        Ok(())
    }

    /// A handle that is readable when the queue has an event.
    fn handle(&self) -> io::Result<AsyncFd<OwnedFd>> {
        let queue = self.queue.try_clone()?;
        #[expect(deprecated, reason = "an OwnedFd stays open for as long as the AsyncFd owns it")]
        AsyncFd::with_interest(queue, Interest::READABLE)
    }

    /// Takes all events from the queue, in their order. Does not wait.
    ///
    /// # Errors
    /// If the queue has overflowed, so that events are lost.
    pub(crate) fn take(&mut self) -> io::Result<Vec<FileEvent>> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.queue, &mut buffer);
        let mut events = Vec::new();
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::WOULDBLOCK) => return Ok(events),
                Err(error) => return Err(error.into()),
            };
            // What happened to a file since the last call is not known any more.
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                return Err(io::Error::other(
                    "the kernel's queue has overflowed, and events are lost",
                ));
            }
            let kind = match event.events() {
                flags if flags.contains(ReadFlags::CREATE) => FileChange::Made,
                flags if flags.contains(ReadFlags::MODIFY) => FileChange::Written,
                flags if flags.contains(ReadFlags::MOVED_TO) => FileChange::Replaced,
                flags if flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) => {
                    FileChange::Removed
                }
                // The directory itself was removed.
                _ => continue,
            };
            let (Some(directory), Some(name)) = (self.paths.get(&event.wd()), event.file_name())
            else {
                continue;
            };
            let name = name.to_string_lossy().into_owned();
            events.push(FileEvent { directory: directory.clone(), name, kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{DirectoryWatch, FileChange};

    // A file that was written in place and one that was replaced look the same afterwards; the
    // events tell them apart.
    #[test]
    fn a_write_in_place_and_a_replacement_are_different_events() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let mut directories = DirectoryWatch::new().expect("a queue").expect("one more");
        directories.watch(place.path()).expect("a watch");
        let at = |name: &str| place.path().join(name);
        fs::write(at("a"), "1").expect("a file");
        fs::write(at("a"), "2").expect("a file");
        fs::write(at("b"), "3").expect("a file");
        fs::rename(at("b"), at("a")).expect("a rename");
        fs::remove_file(at("a")).expect("a file to remove");
        let events = directories.take().expect("all events");
        let seen: Vec<_> = events.iter().map(|event| (event.name.as_str(), event.kind)).collect();
        let written = |name| (name, FileChange::Written);
        let expected = [
            ("a", FileChange::Made),
            // Written, truncated and written again: the kernel merges equal events that follow each
            // other.
            written("a"),
            ("b", FileChange::Made),
            written("b"),
            ("b", FileChange::Removed),
            ("a", FileChange::Replaced),
            ("a", FileChange::Removed),
        ];
        assert_eq!(seen, expected);
        assert!(directories.take().expect("an empty queue").is_empty());
    }
}
