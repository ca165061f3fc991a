//! Ends and removes all that is left of a world, and says what that was.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::environment::MARKER;
use super::intent::{self, Intent};
use crate::sys::{
    Identity, Signal, cgroups_of, detach, marked, mounts_below, remove_cgroups, wait_for_end,
};

/// How long a killed process may take to end, before it is called stuck.
const END_LIMIT: Duration = Duration::from_secs(10);

/// What a sweep found and removed.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Each leftover, as a line.
    pub(crate) leftovers: Vec<String>,
    /// Where the world's evidence lies, where it was declared.
    pub(crate) evidence: Option<PathBuf>,
}

/// Ends every process of the world in `directory`, saves the daemon's logs, and removes its mounts, control groups and files.
///
/// # Errors
/// Where something would not go; all the rest is gone then.
pub(crate) async fn sweep(directory: &Path) -> io::Result<Swept> {
    let mut swept = Swept::default();
    let mut groups = Vec::new();
    let mut marker = None;
    for intent in intent::declared(directory).unwrap_or_default() {
        match intent {
            Intent::World { marker: own, evidence } => {
                marker = Some(own);
                swept.evidence = Some(evidence);
            }
            Intent::ControlGroup(name) => groups.push(name),
            Intent::Process(_) => {}
        }
    }
    let mut failure = None;
    if let Some(marker) = marker {
        keep_first(&mut failure, end_processes(&marker, &mut swept.leftovers).await);
    }
    for mount in mounts_below(directory) {
        swept.leftovers.push(format!("mount {}", mount.display()));
        keep_first(&mut failure, detach(&mount));
    }
    for name in groups {
        let left = cgroups_of(&name).len();
        if left > 0 {
            swept.leftovers.push(format!("control group {name} in {left} hierarchies"));
        }
        keep_first(&mut failure, remove_cgroups(&name));
    }
    if let Some(evidence) = &swept.evidence {
        keep_first(&mut failure, keep_logs(directory, evidence));
    }
    keep_first(&mut failure, remove_directory(directory));
    match failure {
        Some(error) => Err(error),
        None => Ok(swept),
    }
}

fn keep_first(failure: &mut Option<io::Error>, result: io::Result<()>) {
    if let Err(error) = result {
        failure.get_or_insert(error);
    }
}

/// Kills until none is left: a process may have made another one while it was looked at.
async fn end_processes(marker: &str, leftovers: &mut Vec<String>) -> io::Result<()> {
    loop {
        let found = marked(MARKER, marker);
        if found.is_empty() {
            return Ok(());
        }
        for (process, command) in &found {
            leftovers.push(format!("process {} `{command}`", process.pid));
            process.signal(Signal::KILL)?;
        }
        for (process, command) in found {
            await_end(process, &command).await?;
        }
    }
}

async fn await_end(process: Identity, command: &str) -> io::Result<()> {
    if wait_for_end(process, END_LIMIT).await? || !process.lives() {
        return Ok(());
    }
    let text = format!("process {} `{command}` does not end after SIGKILL", process.pid);
    Err(io::Error::new(io::ErrorKind::TimedOut, text))
}

/// Saves the daemon's logs (contract 2.2), for the world's directory goes.
fn keep_logs(directory: &Path, evidence: &Path) -> io::Result<()> {
    let state = directory.join("h/.local/state");
    let instances = match std::fs::read_dir(&state) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for instance in instances {
        for log in std::fs::read_dir(instance?.path())? {
            let log = log?;
            if log.file_type()?.is_file() {
                let name = format!("daemon-{}", log.file_name().to_string_lossy());
                std::fs::copy(log.path(), evidence.join(name))?;
            }
        }
    }
    Ok(())
}

/// Removes a directory and all below it; one that is not there is what is wanted.
fn remove_directory(directory: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
