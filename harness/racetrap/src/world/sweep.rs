//! Ends and removes everything that is left of a world, and lists what that was.

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

/// How long a process may take to end after SIGKILL.
const END_LIMIT: Duration = Duration::from_secs(10);

/// What a sweep found and removed.
#[derive(Debug, Default)]
pub(super) struct Swept {
    /// One line for each process, container, mount and control group that was left.
    pub(super) leftovers: Vec<String>,
    /// The evidence of the run that went on in the world, if one did.
    pub(super) evidence: Option<PathBuf>,
}

/// What the intents of a world say about its leftovers.
#[derive(Default)]
struct Declared {
    marker: Option<String>,
    /// Evidence of the run that goes on, and the length of each log when that run began.
    evidence: Option<PathBuf>,
    logs: LogLengths,
    control_groups: Vec<String>,
    /// Sockets of engines that are not the world's own, and hold containers of the world.
    dockers: Vec<PathBuf>,
}

impl Declared {
    /// Reads the intents of the world in `directory`. A world without a list has made nothing but
    /// files.
    fn read(directory: &Path) -> Self {
        let mut all = Self::default();
        for intent in intent::declared(directory).unwrap_or_default() {
            match intent {
                Intent::World { marker } => all.marker = Some(marker),
                Intent::Run { evidence, logs } => {
                    // The evidence of a run that passed is removed by the run itself.
                    all.evidence = evidence.is_dir().then_some(evidence);
                    all.logs = logs;
                }
                Intent::Idle => all.evidence = None,
                Intent::ControlGroup(name) => all.control_groups.push(name),
                Intent::Containers { socket } => all.dockers.push(socket),
                Intent::Process(_) | Intent::Daemon { .. } | Intent::Engine { .. } => {}
            }
        }
        all
    }
}

/// Ends every container and process of the world in `directory`, copies the logs of the run that
/// went on in it to that run's evidence, and removes mounts, control groups and files.
///
/// # Errors
/// With the first thing that could not be removed. Everything else is removed nevertheless.
pub(super) async fn sweep(directory: &Path) -> io::Result<Swept> {
    let Declared { marker, evidence, logs, control_groups, dockers } = Declared::read(directory);
    let mut leftovers = Vec::new();
    let mut failure = None;
    // A frozen process does not end, not even by SIGKILL.
    for name in &control_groups {
        keep_first(&mut failure, thaw_cgroups(name));
    }
    if let Some(marker) = marker {
        for socket in dockers {
            let removed = remove_containers(&socket, &marker).await;
            let left = removed.map(|removed| leftovers.extend(removed));
            keep_first(&mut failure, left.map_err(io::Error::other));
        }
        keep_first(&mut failure, end_processes(&marker, &mut leftovers).await);
    }
    // After the processes, which could mount again.
    for mount in mounts_below(directory) {
        leftovers.push(format!("mount {}", mount.display()));
        keep_first(&mut failure, detach(&mount));
    }
    for name in control_groups {
        keep_first(&mut failure, remove_group(&name, &mut leftovers).await);
    }
    // Before the directory, which holds the logs.
    if let Some(evidence) = &evidence {
        keep_first(&mut failure, logs::keep(directory, evidence, &logs));
    }
    keep_first(&mut failure, remove_directory(directory));
    match failure {
        Some(error) => Err(error),
        None => Ok(Swept { leftovers, evidence }),
    }
}

/// Remembers the first error of a sweep, which goes on after it.
fn keep_first(failure: &mut Option<io::Error>, result: io::Result<()>) {
    if let Err(error) = result {
        failure.get_or_insert(error);
    }
}

/// Kills the processes with this marker until none is left: a process may have started another one
/// after the list was read.
async fn end_processes(marker: &str, leftovers: &mut Vec<String>) -> io::Result<()> {
    loop {
        let found = marked(MARKER, marker);
        if found.is_empty() {
            return Ok(());
        }
        // All are signalled before any is waited for, so that they end at the same time.
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

/// Removes a control group from each hierarchy.
async fn remove_group(name: &str, leftovers: &mut Vec<String>) -> io::Result<()> {
    let left = cgroups_of(name).len();
    if left > 0 {
        leftovers.push(format!("control group {name} in {left} hierarchies"));
    }
    // The kernel refuses to remove a group with a process in it. The processes of containers die
    // with the engine's PID namespace, but a little later than its first process, which was waited
    // for.
    let removed =
        polled("the control groups to be empty", END_LIMIT, async || match remove_cgroups(name) {
            Ok(()) => ControlFlow::Break(()),
            Err(error) => ControlFlow::Continue(error.to_string()),
        });
    removed.await.map_err(io::Error::other)
}

/// Removes a directory with everything below it, if it exists.
fn remove_directory(directory: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
