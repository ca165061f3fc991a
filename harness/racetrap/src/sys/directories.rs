//! What happens in directories, as the kernel tells it (inotify).

use std::collections::BTreeMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Directories that are watched. Nothing is missed that happens in them between two looks, as long as
/// the kernel's queue holds it (16,384 events by default).
pub(crate) struct Directories {
    queue: OwnedFd,
    paths: BTreeMap<i32, PathBuf>,
}

/// One thing that happened to a file of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happened {
    pub(crate) directory: PathBuf,
    pub(crate) name: String,
    pub(crate) to: Happening,
}

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// It was made.
    Made,
    /// Its content was changed, or cut off, in its place.
    Written,
    /// It came from elsewhere, in the place of whatever had its name.
    MovedHere,
    /// It is gone.
    Gone,
}

impl Directories {
    /// Watches nothing yet; `None` where this user's programs have as many queues as one user may. An
    /// engine has one for each log that somebody follows.
    pub(crate) fn new() -> io::Result<Option<Self>> {
        match inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC) {
            Ok(queue) => Ok(Some(Self { queue, paths: BTreeMap::new() })),
            Err(Errno::MFILE) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Watches a directory; one that is watched already stays so.
    pub(crate) fn watch(&mut self, path: &Path) -> io::Result<()> {
        let happenings = WatchFlags::CREATE
            | WatchFlags::MODIFY
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        let watch = inotify::add_watch(&self.queue, path, happenings)?;
        self.paths.insert(watch, path.to_owned());
        Ok(())
    }

    /// A handle that is readable when something has happened.
    pub(crate) fn handle(&self) -> io::Result<AsyncFd<OwnedFd>> {
        let queue = self.queue.try_clone()?;
        #[expect(deprecated, reason = "an OwnedFd stays open for as long as the AsyncFd owns it")]
        AsyncFd::with_interest(queue, Interest::READABLE)
    }

    /// What has happened since the last look, in its order.
    ///
    /// # Errors
    /// Where the kernel had no room for all of it.
    pub(crate) fn take(&mut self) -> io::Result<Vec<Happened>> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.queue, &mut buffer);
        let mut happened = Vec::new();
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::WOULDBLOCK) => return Ok(happened),
                Err(error) => return Err(error.into()),
            };
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                return Err(io::Error::other("more happened than the kernel can tell at once"));
            }
            let to = match event.events() {
                flags if flags.contains(ReadFlags::CREATE) => Happening::Made,
                flags if flags.contains(ReadFlags::MODIFY) => Happening::Written,
                flags if flags.contains(ReadFlags::MOVED_TO) => Happening::MovedHere,
                flags if flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) => {
                    Happening::Gone
                }
                // A watch that ended with its directory.
                _ => continue,
            };
            let (Some(directory), Some(name)) = (self.paths.get(&event.wd()), event.file_name())
            else {
                continue;
            };
            let name = name.to_string_lossy().into_owned();
            happened.push(Happened { directory: directory.clone(), name, to });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Directories, Happening};

    // A file that is written in its place, and one that is replaced, look the same afterwards; the
    // order of what happened tells them apart.
    #[test]
    fn a_write_in_place_is_told_from_a_replacement() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let mut directories = Directories::new().expect("a queue").expect("one more");
        directories.watch(place.path()).expect("a watch");
        let at = |name: &str| place.path().join(name);
        fs::write(at("a"), "1").expect("a file");
        fs::write(at("a"), "2").expect("a file");
        fs::write(at("b"), "3").expect("a file");
        fs::rename(at("b"), at("a")).expect("a rename");
        fs::remove_file(at("a")).expect("a file to remove");
        let happened = directories.take().expect("all of it");
        let told: Vec<_> = happened.iter().map(|it| (it.name.as_str(), it.to)).collect();
        let written = |name| (name, Happening::Written);
        let expected = [
            ("a", Happening::Made),
            // Written, emptied and written again: the kernel tells what repeats itself once.
            written("a"),
            ("b", Happening::Made),
            written("b"),
            ("b", Happening::Gone),
            ("a", Happening::MovedHere),
            ("a", Happening::Gone),
        ];
        assert_eq!(told, expected);
        assert!(directories.take().expect("nothing more").is_empty());
    }
}
