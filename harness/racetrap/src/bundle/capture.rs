//! One capture: collects everything into a hidden directory, and then renames that directory in one
//! step.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tokio::time::{Instant, timeout};

use super::collect::{collect, on_thread};
use super::layout::WORLD;
use super::limits::{CAPTURE, ENDING, READING, timed_out};
use super::manifest::{Cause, Entry, FORMAT, Manifest, State};
use super::output::Store;
use super::sources;
use super::target::CaptureTarget;
use crate::clock::Clock;
use crate::mask::Masker;

/// The name of [`WORLD`] until the capture is complete.
const PARTIAL: &str = ".world.partial";

/// Captures a world into the evidence directory of its run, unless that was done before. Calls
/// `before_end` after the collectors that only read, and before those that end the processes which
/// they ask.
///
/// # Errors
/// If not even the manifest can be written.
pub(crate) async fn capture(
    target: &CaptureTarget,
    cause: Cause,
    masker: &Masker,
    before_end: impl FnOnce(),
) -> io::Result<()> {
    let capturing = timeout(CAPTURE, capture_now(target, cause, masker, before_end));
    capturing.await.map_err(|_| timed_out(CAPTURE))?
}

async fn capture_now(
    target: &CaptureTarget,
    cause: Cause,
    masker: &Masker,
    before_end: impl FnOnce(),
) -> io::Result<()> {
    let (clock, began) = (Clock::start(), Instant::now());
    let cause = cause.masked(masker);
    let (evidence, partial) = (target.evidence.clone(), target.evidence.join(PARTIAL));
    let claimed = on_thread(move || claim(&evidence)).await.map_err(io::Error::other)??;
    // Only after the claim: another process may have captured the world while this one waited.
    let cause = match Manifest::read(&target.evidence) {
        Ok(earlier) if earlier.has_capture() => return Ok(()),
        // A manifest without a capture: whoever wrote it was closer to the cause, so its cause
        // stays.
        Ok(Manifest { trigger, reason, .. }) => Cause { trigger, reason },
        Err(_) => cause,
    };
    let prepared = on_thread({
        let partial = partial.clone();
        move || prepare(&partial)
    });
    let entries = match prepared.await.map_err(io::Error::other)? {
        Ok(()) => {
            let store = Store::new(partial.clone(), WORLD, masker.clone());
            collect(sources::reading(target), &store, READING).await;
            before_end();
            collect(sources::ending(target), &store, ENDING).await;
            store.entries()
        }
        Err(error) => vec![nothing_stored(&error)],
    };
    let manifest = Manifest {
        version: FORMAT,
        trigger: cause.trigger,
        reason: cause.reason,
        began: clock.calendar(),
        seconds: began.elapsed().as_secs_f64(),
        deadline: (READING + ENDING).as_secs_f64(),
        entries,
    };
    let evidence = target.evidence.clone();
    let published = on_thread(move || publish(&evidence, &partial, manifest)).await;
    // Only now may another process work on this bundle.
    drop(claimed);
    published.map_err(io::Error::other)?
}

/// Locks an evidence directory and waits until nobody else holds the lock. A harness that abandons
/// a world and the watcher of that world may both work on the bundle at the same time. The lock is
/// released when the file is closed, at the latest when this process ends.
pub(crate) fn claim(evidence: &Path) -> io::Result<File> {
    let directory = File::open(evidence)?;
    directory.lock()?;
    Ok(directory)
}

/// Creates an empty directory; files of an earlier, interrupted capture are useless.
fn prepare(partial: &Path) -> io::Result<()> {
    remove(partial)?;
    fs::create_dir_all(partial)
}

/// Gives the directory its final name, with exactly the files that have entries, and then writes
/// the manifest.
fn publish(evidence: &Path, partial: &Path, mut manifest: Manifest) -> io::Result<()> {
    let rename = || -> io::Result<()> {
        let is_there = |entry: &&Entry| entry.state != State::Missing;
        let kept =
            manifest.entries.iter().filter(is_there).filter_map(|entry| entry.path.as_deref());
        let kept: BTreeSet<_> = kept.map(|path| partial.join(below_world(path))).collect();
        // A collector that was cut off may have left a file without an entry.
        remove_others(partial, &kept)?;
        let world = evidence.join(WORLD);
        remove(&world)?;
        fs::rename(partial, &world)
    };
    if partial.is_dir()
        && let Err(error) = rename()
    {
        manifest.entries = vec![nothing_stored(&error)];
    }
    manifest.write(evidence)?;
    // This manifest has used the reserved space; the seal writes another one. If there is no space
    // left now, that one may still fit.
    let _ = Manifest::reserve(evidence);
    Ok(())
}

/// The path of an entry, relative to [`WORLD`].
fn below_world(path: &str) -> PathBuf {
    Path::new(path).strip_prefix(WORLD).unwrap_or(Path::new(path)).to_owned()
}

/// Removes all files but the `kept` ones, and flushes the directories to disk.
fn remove_others(directory: &Path, kept: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, kept)?;
        } else if !kept.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    File::open(directory)?.sync_all()
}

/// Removes the files of an interrupted capture.
pub(super) fn remove_partial(evidence: &Path) -> io::Result<()> {
    remove(&evidence.join(PARTIAL))
}

/// Removes a directory, if it exists.
fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The only entry of a capture that could store nothing.
fn nothing_stored(error: &io::Error) -> Entry {
    Entry::missing("capture", None, format!("nothing could be stored: {error}"))
}
