//! Completes a bundle when the run is over: masks the logs, adds an entry for each file that the
//! run itself has written, removes every file in which masking has failed, and packs all of it into
//! one archive.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use tokio::time::{Instant, timeout};

use super::archive::archive;
use super::capture::{claim, remove_partial};
use super::collect::on_thread;
use super::layout::NEIGHBOUR;
use super::limits::{LOG_MAX, SEAL, timed_out};
use super::manifest::{Cause, Entry, MANIFEST, Manifest, State, Trigger, sort};
use super::target::run_directory;
use crate::mask::{Hits, LineMasker, Masker, canary};

/// The reason in the entry of a file that was removed because it contained a planted secret.
const LEAKED: &str = "left out: a planted secret was in it, so its masking has failed";

/// Completes the bundle in `directory` and packs it into an archive beside the directory. The
/// bundle of a pass is not packed. `cause` is the cause of the bundle if nothing was captured.
///
/// Returns the files that were removed because masking has failed in them; there should be none.
///
/// # Errors
/// If the manifest cannot be written.
pub(crate) async fn seal(
    directory: &Path,
    cause: Cause,
    masker: &Masker,
) -> io::Result<Vec<String>> {
    let evidence = directory.to_owned();
    let claiming = timeout(SEAL, on_thread(move || claim(&evidence))).await;
    let claimed = claiming.map_err(|_| timed_out(SEAL))?.map_err(io::Error::other)??;
    seal_claimed(directory, cause, masker, claimed).await
}

/// Like [`seal`], for a caller that has claimed the bundle already. Releases the claim at the end.
///
/// # Errors
/// If the manifest cannot be written.
pub(crate) async fn seal_claimed(
    directory: &Path,
    cause: Cause,
    masker: &Masker,
    claimed: File,
) -> io::Result<Vec<String>> {
    let (directory, masker) = (directory.to_owned(), masker.clone());
    let cause = cause.masked(&masker);
    let sealing = on_thread(move || {
        // Held by this thread, which may still write after the timeout below.
        let _claimed = claimed;
        let neighbour = directory.join(NEIGHBOUR);
        let mut leaked = Vec::new();
        // The neighbour first: the archive of the run contains its bundle.
        if neighbour.is_dir() {
            let _claimed = claim(&neighbour)?;
            let mut manifest = complete(&neighbour, &cause, &masker)?;
            leaked = remove_leaks(&neighbour, &mut manifest)?;
        }
        let mut manifest = complete(&directory, &cause, &masker)?;
        leaked.extend(remove_leaks(&directory, &mut manifest)?);
        if manifest.trigger == Trigger::Kept {
            return Ok(leaked);
        }
        if let Err(error) = archive(run_directory(&directory)) {
            let why = format!("could not be written: {error}");
            manifest.entries.push(Entry::missing("archive", None, why));
            manifest.write(&directory)?;
        }
        Ok(leaked)
    });
    timeout(SEAL, sealing).await.map_err(|_| timed_out(SEAL))?.map_err(io::Error::other)?
}

/// Removes every file that still contains a planted secret, and enters it as missing. If masking
/// has missed that secret, it may have missed others in the same file.
fn remove_leaks(directory: &Path, manifest: &mut Manifest) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for path in canary::files_with(directory)? {
        let name = path.strip_prefix(directory).unwrap_or(&path).to_string_lossy().into_owned();
        if name == MANIFEST {
            // The manifest must stay, so its texts go.
            manifest.replace_texts(LEAKED);
        } else {
            fs::remove_file(&path)?;
            manifest.entries.retain(|entry| entry.path.as_deref() != Some(&name));
            manifest.entries.push(Entry::missing("masking", Some(name.clone()), LEAKED.to_owned()));
        }
        names.push(name);
    }
    if !names.is_empty() {
        sort(&mut manifest.entries);
        manifest.write(directory)?;
    }
    Ok(names)
}

/// Masks the files that the run itself has written, adds their entries to the manifest, and writes
/// it. May be called again for the same bundle.
fn complete(directory: &Path, cause: &Cause, masker: &Masker) -> io::Result<Manifest> {
    remove_partial(directory)?;
    // A capture has already written a manifest. Without a capture there is none yet.
    let mut manifest = match Manifest::read(directory) {
        Ok(captured) => captured,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Manifest::empty(cause),
        Err(error) => return Err(error),
    };
    let mut files: Vec<PathBuf> = fs::read_dir(directory)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == MANIFEST {
            continue;
        }
        if name.starts_with('.') {
            // A file whose writer did not finish, or the one that reserves space for the manifest.
            // Removing the latter frees that space for `Manifest::write` below.
            fs::remove_file(&path)?;
            continue;
        }
        manifest.entries.retain(|entry| entry.path.as_deref() != Some(&name));
        manifest.entries.push(entry_for(&path, name, masker));
    }
    sort(&mut manifest.entries);
    manifest.write(directory)?;
    Ok(manifest)
}

/// The entry for a file that the run has written. Journal and reports were masked before they were
/// written. Logs were written by other programs, so they are masked now; a log that cannot be
/// masked is removed.
fn entry_for(path: &Path, name: String, masker: &Masker) -> Entry {
    let began = Instant::now();
    let is_log = name.ends_with(".log");
    let collector = if is_log { "logs" } else { "run" };
    let mut entry = Entry::missing(collector, Some(name), String::new());
    if is_log {
        match mask_log(path, masker) {
            Ok((hits, cut)) => {
                entry.masked = hits.by_rule();
                entry.state = State::of_file(cut.is_some(), &hits);
                entry.why = cut;
            }
            Err(error) => {
                // A log without masks must not stay in the bundle.
                let removed = fs::remove_file(path).err().map(|error| format!(" ({error})"));
                let why = format!("left out: it could not be masked: {error}");
                entry.why = Some(why + &removed.unwrap_or_default());
                return entry;
            }
        }
    } else {
        (entry.state, entry.why) = (State::There, None);
    }
    entry.bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
    entry.seconds = began.elapsed().as_secs_f64();
    entry
}

/// Masks a log in place. Returns what was masked, and a sentence about the beginning if that was
/// cut off.
fn mask_log(path: &Path, masker: &Masker) -> io::Result<(Hits, Option<String>)> {
    let mut log = File::open(path)?;
    let length = log.metadata()?.len();
    let cut = length.saturating_sub(LOG_MAX);
    log.seek(SeekFrom::Start(cut))?;
    let temporary = path.with_extension("log.partial");
    let mut written = BufWriter::new(File::create(&temporary)?);
    let mut lines = LineMasker::new(masker.clone());
    let mut hits = Hits::default();
    let (mut reader, mut line) = (BufReader::new(log), Vec::new());
    let masking = loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => break written.flush(),
            Ok(_) => {}
            Err(error) => break Err(error),
        }
        let masked = lines.numbered_line(&String::from_utf8_lossy(&line), &mut hits);
        if let Err(error) = written.write_all(masked.as_bytes()) {
            break Err(error);
        }
    };
    // A log without a secret stays byte for byte what it is, even if it is not UTF-8.
    let changed = masking.and_then(|()| match hits.is_empty() && cut == 0 {
        true => fs::remove_file(&temporary),
        false => written.get_ref().sync_all().and_then(|()| fs::rename(&temporary, path)),
    });
    if changed.is_err() {
        // The error is already known.
        let _ = fs::remove_file(&temporary);
    }
    changed?;
    Ok((hits, (cut > 0).then(|| format!("its first {cut} bytes are left out"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(place: &Path) -> Manifest {
        complete(place, &Cause::new(Trigger::Kept, "a test"), &Masker::default()).expect("room")
    }

    // An unfinished file is removed, a secret in a log is masked in place, and a log without a
    // secret keeps its bytes although they are not UTF-8.
    #[test]
    fn every_file_of_a_run_has_its_entry_and_logs_are_masked() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| place.path().join(name);
        let write = |name: &str, bytes: &[u8]| fs::write(path(name), bytes).expect("a file");
        write("engine.log", b"plain \xff\n");
        write("daemon.log", b"one\npassword=hunter2hunter2\nthree\n");
        write("verdict.json", b"{}");
        write(".timeline.html.part", b"<htm");
        let manifest = kept(place.path());
        let facts = |entry: &Entry| (entry.path.clone().expect("a path"), entry.state, entry.bytes);
        let length = fs::metadata(path("daemon.log")).expect("a log").len();
        let expected = [
            ("daemon.log".to_owned(), State::Masked, length),
            ("engine.log".to_owned(), State::There, 8),
            ("verdict.json".to_owned(), State::There, 2),
        ];
        assert_eq!(manifest.entries.iter().map(facts).collect::<Vec<_>>(), expected);
        assert_eq!(manifest.entries[0].masked[0].places, [":2"]);
        assert_eq!(fs::read(path("engine.log")).expect("a log"), b"plain \xff\n");
        let log = fs::read_to_string(path("daemon.log")).expect("a log");
        assert!(log.starts_with("one\n") && log.ends_with("\nthree\n"), "{log}");
        assert!(!log.contains("hunter2"), "{log}");
        assert_eq!(fs::read_dir(place.path()).expect("a directory").count(), 4);
        assert_eq!(Manifest::read(place.path()).expect("it is written"), manifest);
        assert_eq!(kept(place.path()).entries.len(), 3, "sealed again, nothing is entered twice");
    }
}
