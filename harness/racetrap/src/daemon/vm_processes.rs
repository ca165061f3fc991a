//! What a scenario does to the processes and keys of the VMs that the daemon runs.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use racetrap_history::{Bystander, KeysOp, VmProcessChange, VmProcessOp, VmProcessStep, WslStep};
use tokio::task::JoinSet;

use super::error::DaemonError;
use super::ssh_keys;
use super::vm_watch::VmWatch;
use crate::process::{Child, Environment, Spawn, find_program};
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal, modified, offer_pid, wait_for_end};
use crate::wait::polled;

/// How long a process may take to end or to stop after a signal.
const SIGNAL_LIMIT: Duration = Duration::from_secs(10);

/// How long the parent of a killed process may take to reap it.
const REAP_LIMIT: Duration = Duration::from_secs(2);

/// How often the harness tries to start a bystander with the ID of an ended process. Each attempt fails
/// if another process of the machine is started at the same time.
const ATTEMPTS: usize = 10;

/// The VMs of one daemon.
pub(crate) struct Vms {
    watch: VmWatch,
    bystanders: Vec<Child>,
    frozen: Vec<Identity>,
    environment: Environment,
    recorder: Recorder,
}

impl Vms {
    /// Watches the VMs below `lima_home` in a task of `tasks`.
    pub(crate) fn start(
        lima_home: &Path,
        environment: &Environment,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Self {
        let wsl = environment.variables().get(racetrap_vm::WSL_DIRECTORY).map(PathBuf::from);
        Self {
            watch: VmWatch::start(lima_home, wsl, tasks, recorder),
            bystanders: Vec::new(),
            frozen: Vec::new(),
            environment: environment.clone(),
            recorder: recorder.clone(),
        }
    }

    /// Records processes, files and keys as they are now.
    pub(crate) fn record_state(&self) {
        self.watch.record_state();
    }

    /// Does something to a process of a VM.
    ///
    /// # Errors
    /// If there is no such process, or it does not react to the signal.
    pub(crate) async fn apply(&mut self, step: &VmProcessStep) -> Result<(), DaemonError> {
        let VmProcessStep { of, op, vm } = step;
        let found = self.watch.find(vm, *of).filter(|process| self.environment.is_of(*process));
        let process =
            found.ok_or_else(|| DaemonError::NoVmProcess { vm: vm.clone(), role: *of })?;
        let failed = DaemonError::NoVmFiles;
        match op {
            VmProcessOp::Kill => {
                self.watch.does(process, VmProcessChange::Killed);
                process.signal(Signal::KILL).map_err(failed)?;
                wait_for_end(process, SIGNAL_LIMIT).await.map_err(failed)?;
                self.watch.look();
                // Until its parent has waited for it, nobody else can get its ID. A parent that takes
                // longer, such as a frozen daemon, only keeps a bystander from getting it.
                let reaped = polled("the VM's process to be reaped", REAP_LIMIT, async || {
                    if process.is_gone() {
                        return ControlFlow::Break(());
                    }
                    ControlFlow::Continue("it is a zombie".to_owned())
                });
                let _ = reaped.await;
            }
            VmProcessOp::Freeze => {
                process.signal(Signal::STOP).map_err(failed)?;
                let frozen = polled("the VM's process to stop", SIGNAL_LIMIT, async || {
                    if process.is_being_stopped() {
                        return ControlFlow::Break(());
                    }
                    ControlFlow::Continue("it runs".to_owned())
                });
                frozen.await?;
                self.frozen.push(process);
                self.watch.does(process, VmProcessChange::Frozen);
            }
            VmProcessOp::Thaw => self.thaw(process).map_err(failed)?,
        }
        Ok(())
    }

    fn thaw(&self, process: Identity) -> io::Result<()> {
        self.watch.does(process, VmProcessChange::Thawed);
        process.signal(Signal::CONT)
    }

    /// Starts a bystander for each pid file, with the process ID that the file names if the kernel
    /// gives that out again. Otherwise the bystander's ID is written to the file, which keeps the time
    /// of its last change: it names a process that is younger than the file in either case.
    pub(crate) async fn add_bystanders(
        &mut self,
        step: &Bystander,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), DaemonError> {
        let Bystander { files_of, vm } = step;
        for role in files_of {
            let path = self.watch.pid_file(vm, *role);
            if let Some(process) = self.watch.find(vm, *role) {
                let text = format!("the {role} {} of {vm} still runs", process.pid);
                return Err(DaemonError::NoVmFiles(io::Error::other(text)));
            }
            let added = self.add_bystander(vm, &path, tasks).await;
            added.map_err(DaemonError::NoVmFiles)?;
        }
        Ok(())
    }

    async fn add_bystander(
        &mut self,
        vm: &str,
        file: &Path,
        tasks: &mut JoinSet<()>,
    ) -> io::Result<()> {
        let pid: u32 = std::fs::read_to_string(file)?.trim().parse().map_err(io::Error::other)?;
        let mut bystander = self.start_bystander(tasks, Some(pid))?;
        for _ in 1..ATTEMPTS {
            if bystander.identity().pid == pid {
                break;
            }
            end(&mut bystander).await?;
            bystander = self.start_bystander(tasks, Some(pid))?;
        }
        let process = bystander.identity();
        let how = if process.pid == pid {
            "has the ID of an ended process"
        } else {
            let before = modified(file)?;
            std::fs::write(file, format!("{}\n", process.pid))?;
            File::options().append(true).open(file)?.set_modified(before)?;
            "was written to the file"
        };
        self.recorder.note(format!("bystander {} of {}: it {how}", process.pid, file.display()));
        self.watch.add_bystander(vm, process);
        self.bystanders.push(bystander);
        Ok(())
    }

    /// Starts a process that does nothing, in a group of its own.
    fn start_bystander(&self, tasks: &mut JoinSet<()>, pid: Option<u32>) -> io::Result<Child> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no `sleep` on PATH");
        let spawn = Spawn {
            name: "bystander",
            program: find_program("sleep").ok_or_else(missing)?,
            arguments: vec!["1000000".to_owned()],
            environment: &self.environment,
            log: None,
        };
        // Only an administrator may; without, another ID comes.
        let _ = pid.map_or(Ok(()), offer_pid);
        let child = Child::start(&spawn, tasks, &self.recorder)?;
        // An end of it is judged by the watch, and is no failure of the world.
        child.expect_end();
        Ok(child)
    }

    /// Decides what the next call of `wsl.exe` does.
    pub(crate) fn script_wsl(&self, step: &WslStep) -> Result<(), DaemonError> {
        let missing = || io::Error::other("the daemon does not run its VM by wsl.exe");
        let wsl = self.watch.wsl().ok_or_else(missing);
        wsl.and_then(|wsl| wsl.script(step)).map_err(DaemonError::NoVmFiles)
    }

    /// Puts the pair of SSH keys into a state.
    pub(crate) fn spoil_keys(&self, op: KeysOp) -> Result<(), DaemonError> {
        ssh_keys::spoil(&self.watch.keys(), op).map_err(DaemonError::NoVmFiles)?;
        self.record_state();
        Ok(())
    }

    /// Lets frozen processes go on, before the daemon is stopped for the last time.
    pub(crate) fn thaw_all(&mut self) {
        for process in std::mem::take(&mut self.frozen) {
            // One that has ended needs no signal; any other failure shows as a leftover.
            let _ = self.thaw(process);
        }
    }

    /// Records what the daemon has left, and ends the bystanders. Returns a line if that failed.
    pub(crate) async fn close(mut self) -> Option<String> {
        self.record_state();
        let mut failed = None;
        for mut bystander in std::mem::take(&mut self.bystanders) {
            self.watch.does(bystander.identity(), VmProcessChange::Killed);
            failed = failed.or(end(&mut bystander).await.err());
        }
        failed.map(|error| format!("bystander: {error}"))
    }
}

async fn end(bystander: &mut Child) -> io::Result<()> {
    bystander.end(Signal::KILL, SIGNAL_LIMIT).await.map_err(io::Error::other)
}
