//! The logs of a world, split by run: a world that is used again goes on with the same log files.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::intent::{Intent, LogLengths, declared};
use crate::world_directory::{ENGINE_LOG, GUEST_LOG, engine, engine_log, guest_log, lima_home};

/// The present length of each log of the world in `directory`, in bytes.
pub(super) fn lengths(directory: &Path) -> io::Result<LogLengths> {
    let logs = logs(directory)?.into_iter();
    logs.map(|(path, _)| Ok((path.clone(), path.metadata()?.len()))).collect()
}

/// Copies to `evidence` what was added to each log since it had the length in `before`. The logs
/// themselves are removed with the world.
pub(super) fn keep(directory: &Path, evidence: &Path, before: &LogLengths) -> io::Result<()> {
    for (path, name) in logs(directory)? {
        let mut log = File::open(&path)?;
        let older = before.get(&path).copied().unwrap_or_default();
        // A log that is shorter than before was rotated, so all of it is new.
        if older <= log.metadata()?.len() {
            log.seek(SeekFrom::Start(older))?;
        }
        io::copy(&mut log, &mut File::create(evidence.join(name))?)?;
    }
    Ok(())
}

/// Every log that exists, with its name in the evidence: those of the engine, of its guest and of the
/// Lima that boots it, of the daemon, and of the daemon's VMs (contract 2.3, 7.3).
fn logs(directory: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let mut logs = Vec::new();
    for (log, name) in [(engine_log(directory), ENGINE_LOG), (guest_log(directory), GUEST_LOG)] {
        if log.is_file() {
            logs.push((log, name.to_owned()));
        }
    }
    logs_below(&lima_home(&engine(directory)), "lima", &mut logs)?;
    for intent in declared(directory).unwrap_or_default() {
        let Intent::Daemon { paths, .. } = intent else { continue };
        for (place, prefix) in [("log_dir", "daemon"), ("lima_home", "lima")] {
            if let Some(path) = paths.get(place) {
                logs_below(path, prefix, &mut logs)?;
            }
        }
    }
    Ok(logs)
}

/// Adds the logs in a directory and below it: each VM has a directory of its own.
fn logs_below(place: &Path, prefix: &str, logs: &mut Vec<(PathBuf, String)>) -> io::Result<()> {
    let entries = match std::fs::read_dir(place) {
        // The daemon creates its directories when it starts, and few engines need Lima.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = format!("{prefix}-{}", entry.file_name().to_string_lossy());
        if kind.is_dir() {
            logs_below(&path, &name, logs)?;
        } else if kind.is_file() && path.extension().is_some_and(|kind| kind == "log") {
            logs.push((path, name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // One log grows, one is rotated to a shorter one, one is new, one is a VM's, one the engine's Lima's. Of each, the
    // evidence must have every byte of this run, and none of an earlier run.
    #[test]
    fn only_what_was_written_since_the_run_began_is_kept() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let (world, evidence) = (place.path().join("world"), place.path().join("evidence"));
        let home = crate::world_directory::home(&world);
        let (state, lima) = (home.join(".local/state/rd-3"), home.join(".rd3/lima"));
        let vm = lima.join("rd");
        let own = lima_home(&engine(&world)).join("vm");
        for directory in [&state, &vm, &own, &evidence] {
            std::fs::create_dir_all(directory).expect("a directory");
        }
        let paths = [("log_dir", state.clone()), ("lima_home", lima)];
        let paths = paths.map(|(name, path)| (name.to_owned(), path)).into();
        let daemon = Intent::Daemon { home, paths };
        crate::intent::declare(&world, &daemon).expect("a writable directory");
        let write = |path: PathBuf, text: &str| std::fs::write(path, text).expect("a log");
        write(engine_log(&world), "old ");
        write(state.join("rdd.stderr.log"), "a longer one");
        let before = lengths(&world).expect("the logs");
        write(engine_log(&world), "old new");
        write(state.join("rdd.stderr.log"), "short");
        write(state.join("rdd.stdout.log"), "all");
        write(vm.join("serial.log"), "boot");
        write(vm.join("lima.yaml"), "no log");
        write(own.join("ha.stderr.log"), "booted");
        keep(&world, &evidence, &before).expect("room for logs");
        let kept = |name: &str| std::fs::read_to_string(evidence.join(name)).expect("a kept log");
        assert_eq!(kept("engine.log"), "new");
        assert_eq!(kept("daemon-rdd.stderr.log"), "short");
        assert_eq!(kept("daemon-rdd.stdout.log"), "all");
        assert_eq!(kept("lima-rd-serial.log"), "boot");
        assert_eq!(kept("lima-vm-ha.stderr.log"), "booted");
        assert_eq!(std::fs::read_dir(&evidence).expect("evidence").count(), 5);
    }
}
