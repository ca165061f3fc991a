//! The harness's own Lima, which boots the guest of an engine `lima:…`.
//!
//! `limactl start --foreground` becomes Lima's hostagent, so the hostagent is a child of the harness. It
//! starts QEMU, and the `ssh` that forwards the engine's socket; both carry the world's marker. Its
//! LIMA_HOME is in the world's directory, and so are its keys.

use std::path::PathBuf;
use std::{fs, io};

use racetrap_history::Exit;
use tokio::task::JoinSet;

use super::engine::end_child;
use super::forward::Forward;
use super::machine::{MACHINE_LIMIT, REQUEST_LIMIT};
use crate::engine::config::EngineConfig;
use crate::engine::error::EngineError;
use crate::intent::Intent;
use crate::process::{Child, Environment, Lifetime, MARKER, Spawn, log_tail};
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal, can_accelerate, marked, titled, wait_for_end};
use crate::vm::{Image, Limactl, MachineFiles, VmError, lima_program};
use crate::world_directory::lima_home;

/// The name of Lima's instance.
const INSTANCE: &str = "vm";

/// The names of the processes in the history.
const HOSTAGENT: &str = "engine-hostagent";
const MACHINE: &str = "engine-machine";

/// An installed Lima with one instance.
#[derive(Debug)]
pub(super) struct OwnLima {
    limactl: Limactl,
    home: PathBuf,
    environment: Environment,
    /// The socket of QEMU's commands, which no other QEMU has on its command line.
    qmp: PathBuf,
    /// Lima's hostagent, from the first boot on.
    hostagent: Option<Child>,
    /// QEMU, once the guest has booted.
    machine: Option<(Identity, Lifetime)>,
    /// The forward of the harness, after that of Lima was ended.
    forward: Option<Child>,
}

impl OwnLima {
    /// Declares the processes of this Lima, and writes the template of its instance.
    pub(super) fn prepare(
        image: &Image,
        config: &EngineConfig,
        files: &MachineFiles,
        declare: impl Fn(Intent) -> io::Result<()>,
    ) -> Result<Self, EngineError> {
        let limactl = Limactl::find()?;
        let home = lima_home(&config.directory);
        let write = || -> io::Result<()> {
            for process in [HOSTAGENT, MACHINE, Forward::Lima.process()] {
                declare(Intent::Process(process.to_owned()))?;
            }
            fs::create_dir(&home)?;
            let text = racetrap_vm::lima_template(image.directory(), &config.socket());
            fs::write(home.join("template.yaml"), text)
        };
        write().map_err(|source| EngineError::Process { what: "prepared", source })?;
        let environment = config
            .environment
            .clone()
            .with("LIMA_HOME", home.to_string_lossy())
            .with(&racetrap_vm::program_variable(), lima_program(files, can_accelerate()));
        let (hostagent, machine, forward) = (None, None, None);
        Ok(Self { limactl, home, environment, qmp: files.qmp(), hostagent, machine, forward })
    }

    /// Starts Lima's hostagent, which starts QEMU. The first time, Lima copies the image before that.
    pub(super) fn boot(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        let name = format!("--name={INSTANCE}");
        let template = self.home.join("template.yaml");
        let template = template.to_string_lossy();
        let instance = match self.home.join(INSTANCE).is_dir() {
            true => vec![INSTANCE],
            false => vec![name.as_str(), template.as_ref()],
        };
        let arguments = [["start", "--tty=false", "--foreground"].as_slice(), &instance].concat();
        let spawn = Spawn {
            name: HOSTAGENT,
            program: self.limactl.launcher().to_owned(),
            arguments: self.limactl.arguments(&arguments),
            environment: &self.environment,
            log: Some(self.home.join("limactl.log")),
        };
        let failed = |source| EngineError::Process { what: "given a machine", source };
        self.hostagent = Some(Child::start(&spawn, tasks, recorder).map_err(failed)?);
        Ok(())
    }

    /// Why the guest cannot boot any more, if the hostagent has ended.
    pub(super) fn ended(&self) -> Option<VmError> {
        let how = self.hostagent.as_ref()?.ended()?;
        let log = |name: &str| log_tail(&self.home.join(name));
        let hostagent = format!("{INSTANCE}/ha.stderr.log");
        let why = format!("it ended: {how}\n{}\n{}", log("limactl.log"), log(&hostagent));
        Some(VmError::Limactl { path: self.limactl.path().to_owned(), why })
    }

    /// Records the QEMU of a guest that has booted.
    pub(super) fn record_machine(&mut self, recorder: &Recorder) -> Result<(), EngineError> {
        let process = self.find_machine().ok_or_else(|| failed("recorded", "there is no QEMU"))?;
        self.machine = Some((process, Lifetime::begin(MACHINE, process, recorder)));
        Ok(())
    }

    /// Kills QEMU, and waits for the hostagent, which ends by itself then.
    pub(super) async fn cut_power(&mut self) -> Result<(), EngineError> {
        for child in self.hostagent.iter().chain(&self.forward) {
            child.expect_end();
        }
        self.end_machine("its machine lost its power").await?;
        if let Some(mut hostagent) = self.hostagent.take()
            && hostagent.wait_for_end(REQUEST_LIMIT).await.is_err()
        {
            end_child(&mut hostagent).await?;
        }
        self.end_forward().await
    }

    /// Ends the `ssh` that forwards the engine's socket. Lima starts no other one.
    pub(super) async fn end_forward(&mut self) -> Result<(), EngineError> {
        if let Some(mut forward) = self.forward.take() {
            end_child(&mut forward).await?;
        }
        // OpenSSH writes its title over the environment of this process, so no marker is in it.
        for (process, _) in titled(&format!("ssh: {}/", self.home.display())) {
            kill(process).await?;
        }
        Ok(())
    }

    /// Keeps an `ssh` of the harness that forwards the engine's socket in the place of Lima's.
    pub(super) fn keep_forward(&mut self, forward: Child) {
        self.forward = Some(forward);
    }

    /// How the forward of the harness has ended, if it has.
    pub(super) fn forward_ended(&self) -> Option<String> {
        let how = self.forward.as_ref()?.ended()?;
        Some(format!("ssh ended: {how}"))
    }

    /// Ends everything at once.
    pub(super) async fn close(mut self) -> Result<(), EngineError> {
        // The hostagent first: it would shut the guest down in order.
        if let Some(mut hostagent) = self.hostagent.take() {
            end_child(&mut hostagent).await?;
        }
        self.end_machine("its machine was ended").await?;
        self.end_forward().await
    }

    async fn end_machine(&mut self, why: &str) -> Result<(), EngineError> {
        if let Some((_, lifetime)) = &self.machine {
            lifetime.expect_end();
        }
        // Looked for again: a guest that has not booted has a QEMU, too.
        if let Some(process) = self.find_machine() {
            kill(process).await?;
        }
        if let Some((_, lifetime)) = self.machine.take() {
            lifetime.end(Exit::Unknown(why.to_owned()));
        }
        Ok(())
    }

    fn find_machine(&self) -> Option<Identity> {
        let qmp = self.qmp.to_string_lossy();
        let processes = marked(MARKER, self.environment.marker()).into_iter();
        processes.filter(|(_, command)| command.contains(qmp.as_ref())).map(|(it, _)| it).next()
    }
}

/// Ends a process that is no child of the harness.
async fn kill(process: Identity) -> Result<(), EngineError> {
    let ended = match process.signal(Signal::KILL) {
        Ok(()) => wait_for_end(process, MACHINE_LIMIT).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed("ended", "it does not end after SIGKILL")),
        Err(source) => Err(EngineError::Machine { what: "ended", source }),
    }
}

fn failed(what: &'static str, why: &str) -> EngineError {
    EngineError::Machine { what, source: io::Error::other(why.to_owned()) }
}
