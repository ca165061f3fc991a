//! Ends and removes all that is left of a world, and says what that was.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::logs;
use crate::engine::remove_containers;
use crate::intent::{self, Intent, LogLengths};
use crate::process::MARKER;
use crate::sys::{
    Identity, Signal, cgroups_of, detach, marked, mounts_below, remove_cgroups, thaw_cgroups,
    wait_for_end,
};
use crate::wait::polled;

/// How long a killed process may take to end, before it is called stuck.
const END_LIMIT: Duration = Duration::from_secs(10);

/// What a sweep found and removed.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Each leftover, as a line.
    pub(crate) leftovers: Vec<String>,
    /// Where the evidence of the run lies that went on in it, if one did.
    pub(crate) evidence: Option<PathBuf>,
}

/// Ends every container and process of the world in `directory`, saves the logs of the run that went
/// on in it, and removes its mounts, control groups and files.
///
/// # Errors
/// Where something would not go; all the rest is gone then.
pub(crate) async fn sweep(directory: &Path) -> io::Result<Swept> {
    let mut swept = Swept::default();
    let mut groups = Vec::new();
    let mut dockers = Vec::new();
    let mut marker = None;
    let mut older = LogLengths::new();
    for intent in intent::declared(directory).unwrap_or_default() {
        match intent {
            Intent::World { marker: own } => marker = Some(own),
            Intent::Run { evidence, logs } => {
                // That of a run that has passed may be gone already.
                swept.evidence = evidence.is_dir().then_some(evidence);
                older = logs;
            }
            Intent::Idle => swept.evidence = None,
            Intent::ControlGroup(name) => groups.push(name),
            Intent::Containers { socket } => dockers.push(socket),
            Intent::Process(_) | Intent::Daemon { .. } | Intent::Engine { .. } => {}
        }
    }
    let mut failure = None;
    for name in &groups {
        keep_first(&mut failure, thaw_cgroups(name));
    }
    if let Some(marker) = marker {
        for socket in dockers {
            let removed = remove_containers(&socket, &marker).await;
            let left = removed.map(|removed| swept.leftovers.extend(removed));
            keep_first(&mut failure, left.map_err(io::Error::other));
        }
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
        // The processes of containers die with the engine's namespace, but may do so after its
        // first one.
        let removed = polled("the control groups to be empty", END_LIMIT, async || {
            match remove_cgroups(&name) {
                Ok(()) => ControlFlow::Break(()),
                Err(error) => ControlFlow::Continue(error.to_string()),
            }
        });
        keep_first(&mut failure, removed.await.map_err(io::Error::other));
    }
    if let Some(evidence) = &swept.evidence {
        keep_first(&mut failure, logs::keep(directory, evidence, &older));
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

/// Removes a directory and all below it; one that is not there is what is wanted.
fn remove_directory(directory: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
