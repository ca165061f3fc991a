//! A template: a guest that has booted, frozen. Each world forks its own guest from it, which takes
//! a second instead of the time of a boot.
//!
//! A template is a directory with the memory, the state of the devices, and a disk that has what
//! the boot has written. Its name contains a hash of everything that a fork must have in common
//! with it, so a template that does not fit is not found, and another one is made.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::agent::Agent;
use super::error::VmError;
use super::images::Image;
use super::machine::{Machine, MachineFiles, Memory};
use super::qmp::Qmp;
use crate::process::{OutsideRun, ask, find_program, first_line, log_tail};
use crate::sys::{can_accelerate, remove_if_exists};
use crate::wait::polled;

/// The program that runs machines.
const QEMU: &str = "qemu-system-x86_64";

/// How long a guest may take to boot and to start its engine, when software emulates it on a busy
/// machine.
const BOOT_LIMIT: Duration = Duration::from_secs(300);

/// How long a guest may take that hardware runs. One that is later does not really boot with it.
const ACCELERATED_BOOT_LIMIT: Duration = Duration::from_secs(60);

/// How long QEMU may take to write or read the state of the devices.
const STATE_LIMIT: Duration = Duration::from_secs(60);

/// Programs and requests that the first container needs, so that forks have them in memory.
const WARM_UP: &str = "cat /usr/sbin/runc /usr/bin/containerd-shim* >/dev/null; sync";

/// A guest that has booted, frozen.
#[derive(Debug)]
pub(crate) struct Template {
    image: Image,
    directory: PathBuf,
    qemu: PathBuf,
    is_accelerated: bool,
}

impl Template {
    /// The template of an image that fits this machine's QEMU. Makes it if there is none, which
    /// takes the time of a boot; calls `progress` then.
    ///
    /// # Errors
    /// If the guest does not boot, or QEMU is missing.
    pub(crate) async fn open(
        image: Image,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, VmError> {
        let qemu = find_program(QEMU).ok_or(VmError::Missing { program: QEMU })?;
        find_program("qemu-img").ok_or(VmError::Missing { program: "qemu-img" })?;
        let answer = ask(&qemu, &["--version"]).await;
        let version = answer.and_then(|output| first_line(&output.stdout)).unwrap_or_default();
        let choices = if can_accelerate() { vec![true, false] } else { vec![false] };
        let place = |is_accelerated| {
            let key = key(&version, is_accelerated);
            image.directory().join(format!("template-{key}"))
        };
        let found = || choices.iter().copied().find(|choice| place(*choice).is_dir());
        let lock = lock(&image).await?;
        let mut failure = None;
        for choice in found().map_or(choices.clone(), |choice| vec![choice]) {
            let directory = place(choice);
            if !directory.is_dir()
                && let Err(error) = make(&qemu, &image, &directory, choice, progress).await
            {
                progress("the guest did not boot with hardware acceleration");
                failure = Some(error);
                continue;
            }
            drop(lock);
            return Ok(Self { image, directory, qemu, is_accelerated: choice });
        }
        Err(failure.expect("each choice has failed, and software emulation is always one"))
    }

    /// The image that it was booted from.
    pub(crate) fn image(&self) -> &Image {
        &self.image
    }

    /// The program that runs its forks.
    pub(crate) fn qemu(&self) -> &Path {
        &self.qemu
    }

    /// How its forks run, in words.
    pub(crate) fn acceleration(&self) -> &'static str {
        if self.is_accelerated { "hardware acceleration" } else { "software emulation" }
    }

    /// A machine that is forked from it.
    pub(crate) fn fork(&self, files: MachineFiles) -> Machine {
        Machine {
            image: self.image.directory().to_owned(),
            ram: self.directory.join("ram"),
            memory: Memory::Private,
            is_accelerated: self.is_accelerated,
            files,
        }
    }

    /// The arguments by which `qemu-img` makes the disk of a fork.
    pub(crate) fn disk_arguments(&self, disk: &Path) -> Vec<String> {
        overlay(&self.directory.join("disk.qcow2"), "qcow2", disk)
    }

    /// Loads the frozen state into a machine that was started as a fork, and lets it run.
    pub(crate) async fn thaw_into(&self, qmp: &Qmp) -> Result<(), VmError> {
        skip_memory(qmp).await?;
        let state = self.directory.join("state");
        let uri = format!("exec:cat '{}'", state.display());
        qmp.run("migrate-incoming", json!({ "uri": uri })).await?;
        qmp.migrated(STATE_LIMIT).await?;
        qmp.run("cont", json!({})).await.map(drop)
    }
}

/// The hash of what a fork must have in common with its template, beside the image.
fn key(qemu_version: &str, is_accelerated: bool) -> String {
    let nowhere = Path::new("/");
    let files = MachineFiles::new(nowhere, nowhere.into(), nowhere.into());
    let (image, ram) = (nowhere.into(), nowhere.into());
    let machine = Machine { image, ram, memory: Memory::Private, is_accelerated, files };
    let mut hash = Sha256::new();
    hash.update(qemu_version);
    for argument in machine.arguments(true) {
        hash.update(argument.len().to_le_bytes());
        hash.update(argument);
    }
    hex::encode(&hash.finalize()[..6])
}

/// The arguments by which `qemu-img` makes a disk that has only what differs from another one.
fn overlay(below: &Path, format: &str, disk: &Path) -> Vec<String> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let words = ["create", "-q", "-f", "qcow2", "-F", format, "-b"].map(str::to_owned);
    words.into_iter().chain([text(below), text(disk)]).collect()
}

/// Leaves the memory out of the state: it is in a file that both machines map.
async fn skip_memory(qmp: &Qmp) -> Result<(), VmError> {
    let capability = json!({ "capability": "x-ignore-shared", "state": true });
    let arguments = json!({ "capabilities": [capability] });
    qmp.run("migrate-set-capabilities", arguments).await.map(drop)
}

/// Takes the exclusive lock on the making of an image's templates.
async fn lock(image: &Image) -> Result<File, VmError> {
    let path = image.directory().join("template.lock");
    let own = path.clone();
    // In a thread of its own: another process may hold the lock for as long as a boot takes.
    let locking = tokio::task::spawn_blocking(move || {
        let lock = File::options().create(true).truncate(false).write(true).open(&own)?;
        lock.lock()?;
        Ok(lock)
    });
    let locked: io::Result<File> = locking.await.map_err(io::Error::other).and_then(|it| it);
    locked.map_err(|source| VmError::Io { path, source })
}

/// Makes a template under another name, and renames it when it is complete.
async fn make(
    qemu: &Path,
    image: &Image,
    directory: &Path,
    is_accelerated: bool,
    progress: &mut dyn FnMut(&str),
) -> Result<(), VmError> {
    let begun = directory.with_extension("begun");
    let refused = |source| VmError::Io { path: begun.clone(), source };
    remove_if_exists(&begun).map_err(refused)?;
    fs::create_dir(&begun).map_err(refused)?;
    progress(match is_accelerated {
        true => "booting the guest with hardware acceleration",
        false => "booting the guest in software emulation",
    });
    let console = begun.join("console.log");
    let files = MachineFiles::new(&begun, console.clone(), begun.join("engine.log"));
    let machine = Machine {
        image: image.directory().to_owned(),
        ram: begun.join("ram"),
        memory: Memory::Shared,
        is_accelerated,
        files,
    };
    let made = boot_and_freeze(qemu, image, &machine, &begun, progress).await;
    match made {
        Ok(()) => fs::rename(&begun, directory).map_err(refused),
        Err(VmError::NotReady { source, .. }) => {
            let console = log_tail(&console);
            let _ = remove_if_exists(&begun);
            Err(VmError::NotReady { source, console })
        }
        Err(error) => {
            let _ = remove_if_exists(&begun);
            Err(error)
        }
    }
}

/// Boots a guest, and freezes it once its engine answers.
async fn boot_and_freeze(
    qemu: &Path,
    image: &Image,
    machine: &Machine,
    begun: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<(), VmError> {
    let disk = overlay(&image.disk(), "raw", &machine.files.disk());
    let made = run("qemu-img", &disk, begun, STATE_LIMIT).await;
    ended_well("making the guest's disk", made)?;
    let limit = if machine.is_accelerated { ACCELERATED_BOOT_LIMIT } else { BOOT_LIMIT };
    let qemu = qemu.to_string_lossy();
    // The kernel ends QEMU if the harness is killed: no watcher knows of this machine.
    let arguments =
        [["--pdeathsig", "KILL", &*qemu].map(str::to_owned).as_slice(), &machine.arguments(false)]
            .concat();
    let running = run("setpriv", &arguments, begun, limit + 2 * STATE_LIMIT);
    tokio::select! {
        biased;
        // Dropping the future that owns QEMU kills it. Everything is written: QEMU flushes its disks
        // when the guest stops.
        frozen = freeze(machine, begun, limit, progress) => frozen,
        // Dropping the other branch is safe: the machine is gone, and its directory is removed.
        ended = running => ended_well("running the guest", ended)
            .and_then(|()| Err(VmError::Step {
                what: "running the guest",
                output: "QEMU ended before the guest was frozen".to_owned(),
            })),
    }
}

async fn freeze(
    machine: &Machine,
    begun: &Path,
    limit: Duration,
    progress: &mut dyn FnMut(&str),
) -> Result<(), VmError> {
    let began = Instant::now();
    let agent = Agent::new(&machine.files.agent());
    let ready = polled("the guest's engine to answer", limit, async || {
        match agent.ping(Duration::from_secs(15)).await {
            Ok(()) => ControlFlow::Break(()),
            Err(error) => ControlFlow::Continue(error.to_string()),
        }
    });
    let console = String::new();
    ready.await.map_err(|source| VmError::NotReady { source, console })?;
    progress(&format!("it has booted after {:.0} s; freezing it", began.elapsed().as_secs_f64()));
    agent.run(WARM_UP, limit).await?;
    let qmp = Qmp::new(&machine.files.qmp());
    qmp.run("stop", json!({})).await?;
    skip_memory(&qmp).await?;
    let uri = format!("exec:cat > '{}'", begun.join("state").display());
    qmp.run("migrate", json!({ "uri": uri })).await?;
    qmp.migrated(STATE_LIMIT).await
}

/// Runs a program outside any world.
async fn run(
    program: &'static str,
    arguments: &[String],
    directory: &Path,
    limit: Duration,
) -> io::Result<Option<Output>> {
    let missing = || io::Error::other(format!("there is no {program} on PATH"));
    let path = find_program(program).ok_or_else(missing)?;
    let run = OutsideRun {
        program: &path,
        arguments: arguments.iter().map(AsRef::as_ref).collect(),
        variables: std::env::var_os("PATH").map(|path| ("PATH", path)).into_iter().collect(),
        directory,
        limit,
        is_interruptible: true,
    };
    run.run_to_end().await
}

fn ended_well(what: &'static str, ended: io::Result<Option<Output>>) -> Result<(), VmError> {
    let output = match ended {
        Ok(Some(output)) if output.status.success() => return Ok(()),
        Ok(Some(output)) => String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
        Ok(None) => "it did not end in time, and was killed".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(VmError::Step { what, output })
}
