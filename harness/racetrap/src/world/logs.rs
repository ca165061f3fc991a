//! The logs of a world, as far as they belong to one run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// How long each log was when a run began, in bytes; one that is not named was not there.
pub(super) type Lengths = BTreeMap<PathBuf, u64>;

/// Where the engine of the world in `directory` writes.
pub(super) fn engine_log(directory: &Path) -> PathBuf {
    directory.join("engine.log")
}

/// How long the logs are now.
pub(super) fn lengths(directory: &Path) -> io::Result<Lengths> {
    let logs = logs(directory)?.into_iter();
    logs.map(|(path, _)| Ok((path.clone(), path.metadata()?.len()))).collect()
}

/// Copies what was written since to `evidence`, for the world's directory goes.
pub(super) fn keep(directory: &Path, evidence: &Path, before: &Lengths) -> io::Result<()> {
    for (path, name) in logs(directory)? {
        let mut log = File::open(&path)?;
        let older = before.get(&path).copied().unwrap_or_default();
        // One that is shorter than it was is another file, and all of it is new.
        if older <= log.metadata()?.len() {
            log.seek(SeekFrom::Start(older))?;
        }
        io::copy(&mut log, &mut File::create(evidence.join(name))?)?;
    }
    Ok(())
}

/// Every log that is there, and its name among evidence: the engine's, and those in the daemon's
/// log directories (contract 2.2).
fn logs(directory: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let mut logs = Vec::new();
    let engine = engine_log(directory);
    if engine.is_file() {
        logs.push((engine, "engine.log".to_owned()));
    }
    let instances = match std::fs::read_dir(directory.join("h/.local/state")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(logs),
        other => other?,
    };
    for instance in instances {
        for log in std::fs::read_dir(instance?.path())? {
            let log = log?;
            if log.file_type()?.is_file() {
                logs.push((log.path(), format!("daemon-{}", log.file_name().to_string_lossy())));
            }
        }
    }
    Ok(logs)
}

#[cfg(test)]
mod tests {
    use super::*;

    // One log goes on, one is rotated to a shorter one, one is new: each must be kept from where
    // the run began, and no byte of an earlier run.
    #[test]
    fn only_what_was_written_since_the_run_began_is_kept() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let (world, evidence) = (place.path().join("world"), place.path().join("evidence"));
        let state = world.join("h/.local/state/rd-3");
        for directory in [&state, &evidence] {
            std::fs::create_dir_all(directory).expect("a directory");
        }
        let write = |path: PathBuf, text: &str| std::fs::write(path, text).expect("a log");
        write(engine_log(&world), "old ");
        write(state.join("rdd.stderr.log"), "a longer one");
        let before = lengths(&world).expect("the logs");
        write(engine_log(&world), "old new");
        write(state.join("rdd.stderr.log"), "short");
        write(state.join("rdd.stdout.log"), "all");
        keep(&world, &evidence, &before).expect("room for logs");
        let kept = |name: &str| std::fs::read_to_string(evidence.join(name)).expect("a kept log");
        assert_eq!(kept("engine.log"), "new");
        assert_eq!(kept("daemon-rdd.stderr.log"), "short");
        assert_eq!(kept("daemon-rdd.stdout.log"), "all");
    }
}
