//! One capture: everything is collected under a temporary name, and then shown at once.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tokio::time::{Instant, timeout};

use super::collect::{collect, on_thread};
use super::limits::{CAPTURE, ENDING, LOOKING};
use super::manifest::{Cause, Entry, FORMAT, Manifest, State};
use super::patient::Patient;
use super::shelf::Store;
use super::sources;
use crate::clock::Clock;
use crate::mask::Masker;

/// What is captured of a world, in its evidence directory.
const WORLD: &str = "world";

/// The same until it is whole.
const PARTIAL: &str = ".world.partial";

/// Captures a world whose run has evidence, unless it was captured before. `before_end` is called before
/// anything is ended for the sake of what it says.
///
/// # Errors
/// Where not even the manifest can be written.
pub(crate) async fn capture(
    patient: &Patient,
    cause: Cause,
    masker: &Masker,
    before_end: impl FnOnce(),
) -> io::Result<()> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("not done in {CAPTURE:?}"));
    timeout(CAPTURE, capture_now(patient, cause, masker, before_end)).await.map_err(late)?
}

async fn capture_now(
    patient: &Patient,
    cause: Cause,
    masker: &Masker,
    before_end: impl FnOnce(),
) -> io::Result<()> {
    let (clock, began) = (Clock::start(), Instant::now());
    let cause = cause.masked(masker);
    let (evidence, partial) = (patient.evidence.clone(), patient.evidence.join(PARTIAL));
    let claimed = on_thread(move || claim(&evidence)).await.map_err(io::Error::other)??;
    let cause = match Manifest::read(&patient.evidence) {
        Ok(earlier) if earlier.has_capture() => return Ok(()),
        // Whoever has said before why there is a bundle knew better.
        Ok(Manifest { trigger, reason, .. }) => Cause { trigger, reason },
        Err(_) => cause,
    };
    let begun = on_thread({
        let partial = partial.clone();
        move || begin(&partial)
    });
    let entries = match begun.await.map_err(io::Error::other)? {
        Ok(()) => {
            let store = Store::new(partial.clone(), WORLD, masker.clone());
            collect(sources::looking(patient), &store, LOOKING).await;
            before_end();
            collect(sources::ending(patient), &store, ENDING).await;
            store.entries()
        }
        Err(error) => vec![nothing(&error)],
    };
    let manifest = Manifest {
        version: FORMAT,
        trigger: cause.trigger,
        reason: cause.reason,
        began: clock.calendar(),
        seconds: began.elapsed().as_secs_f64(),
        deadline: (LOOKING + ENDING).as_secs_f64(),
        entries,
    };
    let evidence = patient.evidence.clone();
    let shown = on_thread(move || show(&evidence, &partial, manifest)).await;
    drop(claimed);
    shown.map_err(io::Error::other)?
}

/// Waits until nobody else works on a bundle: a harness that gives a world up and the watcher of that
/// world may do so at once. The claim ends with the file, or with this process.
pub(crate) fn claim(evidence: &Path) -> io::Result<File> {
    let directory = File::open(evidence)?;
    directory.lock()?;
    Ok(directory)
}

/// Makes the directory; what is there of a capture that was broken off is worth nothing.
fn begin(partial: &Path) -> io::Result<()> {
    remove(partial)?;
    fs::create_dir_all(partial)
}

/// Gives the directory its name, with exactly the files that have entries, and then the manifest.
fn show(evidence: &Path, partial: &Path, mut manifest: Manifest) -> io::Result<()> {
    let shown = || -> io::Result<()> {
        let is_there = |entry: &&Entry| entry.state != State::Missing;
        let kept =
            manifest.entries.iter().filter(is_there).filter_map(|entry| entry.path.as_deref());
        let kept: BTreeSet<_> = kept.map(|path| partial.join(below(path))).collect();
        remove_others(partial, &kept)?;
        let world = evidence.join(WORLD);
        remove(&world)?;
        fs::rename(partial, &world)
    };
    if partial.is_dir()
        && let Err(error) = shown()
    {
        manifest.entries = vec![nothing(&error)];
    }
    manifest.write(evidence)?;
    // What the first one did not need is room for the one at the end; where there is none, it may fit.
    let _ = Manifest::reserve(evidence);
    Ok(())
}

/// The path of an entry below the captured directory.
fn below(path: &str) -> PathBuf {
    Path::new(path).strip_prefix(WORLD).unwrap_or(Path::new(path)).to_owned()
}

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

/// Removes what is left of a capture that was broken off.
pub(super) fn remove_partial(evidence: &Path) -> io::Result<()> {
    remove(&evidence.join(PARTIAL))
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The one entry of a capture that could not keep anything.
fn nothing(error: &io::Error) -> Entry {
    Entry::missing("capture", None, format!("nothing could be kept: {error}"))
}
