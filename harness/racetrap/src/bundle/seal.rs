//! The end of a bundle: what the run itself has written is masked where it was not, gets its entries,
//! and all of it is packed into one file.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use super::archive::archive;
use super::capture::{claim, remove_partial};
use super::collect::on_thread;
use super::limits::{LOG_MAX, SEAL};
use super::manifest::{Cause, Entry, MANIFEST, Manifest, State, Trigger};
use super::shelf::mask_line;
use crate::derived::JOURNAL;
use crate::mask::{Hits, Lines, Masker, canary};

/// Why a file is not there in which a planted secret was.
const LEAKED: &str = "left out: a planted secret was in it, so its masking has failed";

/// Completes the bundle in `directory`, and packs it beside it unless it is one of a pass. `cause` is
/// why it is one, where nothing was captured. Gives the files that were left out because masking has failed
/// in them; there must be none.
///
/// # Errors
/// Where the manifest cannot be written.
pub(crate) async fn seal(
    directory: &Path,
    cause: Cause,
    masker: &Masker,
) -> io::Result<Vec<String>> {
    let at = directory.to_owned();
    let claiming = on_thread(move || claim(&at));
    let claimed = timeout(SEAL, claiming).await.map_err(late)?.map_err(io::Error::other)??;
    seal_claimed(directory, cause, masker, claimed).await
}

/// The same for whoever has claimed the bundle already; the claim ends with it.
///
/// # Errors
/// Where the manifest cannot be written.
pub(crate) async fn seal_claimed(
    directory: &Path,
    cause: Cause,
    masker: &Masker,
    claimed: File,
) -> io::Result<Vec<String>> {
    let (directory, masker) = (directory.to_owned(), masker.clone());
    let cause = cause.masked(&masker);
    let sealing = on_thread(move || {
        let _claimed = claimed;
        let neighbour = directory.join("neighbour");
        let mut leaked = Vec::new();
        if neighbour.is_dir() {
            let _claimed = claim(&neighbour)?;
            let mut manifest = complete(&neighbour, &cause, &masker)?;
            leaked = leave_out_leaks(&neighbour, &mut manifest)?;
        }
        let mut manifest = complete(&directory, &cause, &masker)?;
        leaked.extend(leave_out_leaks(&directory, &mut manifest)?);
        if manifest.trigger == Trigger::Kept {
            return Ok(leaked);
        }
        if let Err(error) = archive(run_of(&directory)) {
            let why = format!("could not be written: {error}");
            manifest.entries.push(Entry::missing("archive", None, why));
            manifest.write(&directory)?;
        }
        Ok(leaked)
    });
    timeout(SEAL, sealing).await.map_err(late)?.map_err(io::Error::other)?
}

fn late(_: Elapsed) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("not done in {SEAL:?}"))
}

/// Removes every file in which a planted secret is left, and says so: whatever else is in it, nobody knows
/// what of that is masked.
fn leave_out_leaks(directory: &Path, manifest: &mut Manifest) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for path in canary::files_with(directory)? {
        let name = path.strip_prefix(directory).unwrap_or(&path).to_string_lossy().into_owned();
        if name == MANIFEST {
            manifest.leave_out_words(LEAKED);
        } else {
            fs::remove_file(&path)?;
            manifest.entries.retain(|entry| entry.path.as_deref() != Some(&name));
            manifest.entries.push(Entry::missing("masking", Some(name.clone()), LEAKED.to_owned()));
        }
        names.push(name);
    }
    if !names.is_empty() {
        manifest.entries.sort_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
        manifest.write(directory)?;
    }
    Ok(names)
}

/// The directory of the run: a neighbour's is in it.
fn run_of(directory: &Path) -> &Path {
    let above = directory.parent().filter(|_| directory.ends_with("neighbour"));
    above.filter(|above| above.join(JOURNAL).is_file()).unwrap_or(directory)
}

/// Adds entries for what has none yet, and masks it.
fn complete(directory: &Path, cause: &Cause, masker: &Masker) -> io::Result<Manifest> {
    remove_partial(directory)?;
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
            // What could not be written to its end; room for the manifest is taken again below.
            fs::remove_file(&path)?;
            continue;
        }
        manifest.entries.retain(|entry| entry.path.as_deref() != Some(&name));
        manifest.entries.push(enter(&path, name, masker));
    }
    manifest.entries.sort_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
    manifest.write(directory)?;
    Ok(manifest)
}

/// The entry of a file that the run has written. Records are masked before they are written; what
/// programs have written is masked now, and what cannot be is removed.
fn enter(path: &Path, name: String, masker: &Masker) -> Entry {
    let began = Instant::now();
    let is_log = name.ends_with(".log");
    let collector = if is_log { "logs" } else { "run" };
    let mut entry = Entry::missing(collector, Some(name), String::new());
    if is_log {
        match mask_log(path, masker) {
            Ok((hits, cut)) => {
                entry.masked = hits.told();
                entry.state = match (&cut, hits.is_empty()) {
                    (Some(_), _) => State::Truncated,
                    (None, false) => State::Masked,
                    (None, true) => State::There,
                };
                entry.why = cut;
            }
            Err(error) => {
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

/// Masks a log in its place. Gives what was masked, and what was cut off before.
fn mask_log(path: &Path, masker: &Masker) -> io::Result<(Hits, Option<String>)> {
    let mut log = File::open(path)?;
    let length = log.metadata()?.len();
    let cut = length.saturating_sub(LOG_MAX);
    log.seek(SeekFrom::Start(cut))?;
    let temporary = path.with_extension("log.partial");
    let mut written = BufWriter::new(File::create(&temporary)?);
    let mut lines = Lines::new(masker.clone());
    let mut hits = Hits::default();
    let (mut reader, mut line, mut number) = (BufReader::new(log), Vec::new(), 0);
    let masking = loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => break written.flush(),
            Ok(_) => number += 1,
            Err(error) => break Err(error),
        }
        let text = String::from_utf8_lossy(&line);
        let masked = mask_line(&mut lines, &text, number, &mut hits);
        if let Err(error) = written.write_all(masked.as_bytes()) {
            break Err(error);
        }
    };
    // One without a secret stays as it is, whatever bytes it has.
    let changed = masking.and_then(|()| match hits.is_empty() && cut == 0 {
        true => fs::remove_file(&temporary),
        false => written.get_ref().sync_all().and_then(|()| fs::rename(&temporary, path)),
    });
    if changed.is_err() {
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

    // What is left of a file that could not be written goes, a secret in a log is masked in its place, and one
    // without a secret keeps its bytes, whatever they are.
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
        let told = |entry: &Entry| (entry.path.clone().expect("a path"), entry.state, entry.bytes);
        let length = fs::metadata(path("daemon.log")).expect("a log").len();
        let expected = [
            ("daemon.log".to_owned(), State::Masked, length),
            ("engine.log".to_owned(), State::There, 8),
            ("verdict.json".to_owned(), State::There, 2),
        ];
        assert_eq!(manifest.entries.iter().map(told).collect::<Vec<_>>(), expected);
        assert_eq!(manifest.entries[0].masked[0].places, [":2"]);
        assert_eq!(fs::read(path("engine.log")).expect("a log"), b"plain \xff\n");
        let log = fs::read_to_string(path("daemon.log")).expect("a log");
        assert!(log.starts_with("one\n") && log.ends_with("\nthree\n"), "{log}");
        assert!(!log.contains("hunter2"), "{log}");
        assert_eq!(fs::read_dir(place.path()).expect("a directory").count(), 4);
        assert_eq!(Manifest::read(place.path()).expect("it is written"), manifest);
        assert_eq!(kept(place.path()).entries.len(), 3, "sealed again, nothing is told twice");
    }
}
