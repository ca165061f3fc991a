//! The guest as the engine of a world, from its fork to its end.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use racetrap_history::{Exit, GuestDisk};
use tokio::task::JoinSet;

use super::forward::Forward;
use super::machine::{MACHINE_LIMIT, REQUEST_LIMIT, engine_process, launch, make_disk, refresh};
use crate::chain::chain;
use crate::engine::config::EngineConfig;
use crate::engine::error::EngineError;
use crate::engine::truth;
use crate::intent::Intent;
use crate::process::{Child, Lifetime, log_tail};
use crate::recorder::Recorder;
use crate::sys::Signal;
use crate::vm::{Agent, GuestVersion, Images, Machine, MachineFiles, Qmp, Template};
use crate::wait::polled;

/// How long a fork may take until its engine answers.
const FORK_LIMIT: Duration = Duration::from_secs(120);

/// How long an engine may take that starts in the guest, or with it.
pub(super) const BOOT_LIMIT: Duration = Duration::from_secs(600);

/// Switches on what a scenario may need, and what dockerd can change while it runs.
pub(super) const LIVE_RESTORE: &str =
    "echo '{\"live-restore\": true}' >/etc/docker/daemon.json && engine signal HUP";

/// A guest with its engine.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(super) config: EngineConfig,
    pub(super) template: Template,
    pub(super) machine: Machine,
    pub(super) qmp: Qmp,
    pub(super) agent: Agent,
    /// QEMU; ended, while the power is cut.
    pub(super) qemu: Child,
    pub(super) daemon_forward: Child,
    pub(super) harness_forward: Child,
    pub(super) disk: GuestDisk,
    /// The guest's dockerd.
    pub(super) engine: Lifetime,
}

impl Guest {
    /// Forks a guest and waits until its engine answers on both forwards. Calls `declare` with each
    /// thing that it is going to create.
    pub(in crate::engine) async fn start(
        version: GuestVersion,
        config: EngineConfig,
        declare: impl Fn(Intent) -> io::Result<()>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        let failed = |source| EngineError::Process { what: "started", source };
        let image = Images::in_user_cache()?.acquire(version)?;
        let template = Template::open(image, &mut |doing| recorder.note(doing)).await?;
        config.write_files().map_err(failed)?;
        let files =
            MachineFiles::new(&config.directory, config.console.clone(), config.log.clone());
        let machine = template.fork(files);
        for process in ["engine-machine", Forward::Daemon.process(), Forward::Harness.process()] {
            declare(Intent::Process(process.to_owned())).map_err(failed)?;
        }
        make_disk(&template, &machine, &config).await?;
        let qemu = launch(&template, &machine, true, &config, tasks, recorder).await?;
        let qmp = Qmp::new(&machine.files.qmp());
        let agent = Agent::new(&machine.files.agent());
        template.thaw_into(&qmp).await?;
        refresh(&agent, recorder).await?;
        if config.live_restore {
            agent.run(LIVE_RESTORE, REQUEST_LIMIT).await?;
        }
        let image = template.image();
        let daemon_forward = Forward::Daemon.begin(&qmp, image, &config, tasks, recorder).await?;
        let harness_forward = Forward::Harness.begin(&qmp, image, &config, tasks, recorder).await?;
        let engine = Lifetime::begin("engine", engine_process(&agent).await?, recorder);
        recorder.note(format!("the engine is in a guest, by {}", template.acceleration()));
        let guest = Self {
            config,
            template,
            machine,
            qmp,
            agent,
            qemu,
            daemon_forward,
            harness_forward,
            disk: GuestDisk::Normal,
            engine,
        };
        guest.wait_until_ready(Forward::Harness, FORK_LIMIT).await?;
        guest.wait_until_ready(Forward::Daemon, FORK_LIMIT).await?;
        Ok(guest)
    }

    /// The socket at which the wire finds the engine.
    pub(in crate::engine) fn socket(&self) -> PathBuf {
        Forward::Daemon.socket(&self.config)
    }

    /// The socket at which the harness finds it.
    pub(in crate::engine) fn truth_socket(&self) -> PathBuf {
        Forward::Harness.socket(&self.config)
    }

    /// Starts dockerd again after it was killed or stopped, on the same data.
    pub(in crate::engine) async fn restart(
        &mut self,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        self.agent.run("engine start", REQUEST_LIMIT).await?;
        self.engine = Lifetime::begin("engine", engine_process(&self.agent).await?, recorder);
        // The forwards outlive dockerd: `ssh` connects to docker.sock anew for each client.
        self.wait_until_ready(Forward::Harness, BOOT_LIMIT).await?;
        self.wait_until_ready(Forward::Daemon, BOOT_LIMIT).await
    }

    /// Stops dockerd by SIGSTOP.
    pub(in crate::engine) async fn freeze(&self) -> Result<(), EngineError> {
        self.agent.run("engine signal STOP", REQUEST_LIMIT).await?;
        Ok(())
    }

    /// Lets a stopped dockerd go on.
    pub(in crate::engine) async fn thaw(&self) -> Result<(), EngineError> {
        self.agent.run("engine signal CONT", REQUEST_LIMIT).await?;
        Ok(())
    }

    /// Ends dockerd by a signal and waits for its end. Its containers may run on.
    pub(in crate::engine) async fn end(&mut self, signal: Signal) -> Result<(), EngineError> {
        let name = if signal == Signal::KILL { "KILL" } else { "TERM" };
        self.engine.expect_end();
        self.agent.run(&format!("engine end {name}"), REQUEST_LIMIT).await?;
        self.engine.end(Exit::Unknown(format!("SIG{name} in its guest")));
        Ok(())
    }

    /// Ends the machine and both forwards at once. The caller removes the disk.
    pub(in crate::engine) async fn close(mut self) -> Result<(), EngineError> {
        self.engine.expect_end();
        for child in [&mut self.daemon_forward, &mut self.harness_forward, &mut self.qemu] {
            end_child(child).await?;
        }
        self.engine.end(Exit::Unknown("its machine was ended".to_owned()));
        Ok(())
    }

    /// Waits until the engine answers a ping on the socket of a forward.
    pub(super) async fn wait_until_ready(
        &self,
        forward: Forward,
        limit: Duration,
    ) -> Result<(), EngineError> {
        let socket = forward.socket(&self.config);
        let child = match forward {
            Forward::Daemon | Forward::Lima => &self.daemon_forward,
            Forward::Harness => &self.harness_forward,
        };
        let ended = || {
            let ends = [("QEMU", self.qemu.ended()), ("ssh", child.ended())];
            let (name, how) = ends.into_iter().find_map(|(name, how)| Some((name, how?)))?;
            let log = log_tail(&self.config.directory.join("ssh.log"));
            Some(format!("{name} ended: {how}; {log}"))
        };
        wait_for_answer(&self.config, socket, limit, ended).await
    }
}

/// Waits until the guest's engine answers a ping on a socket. `ended` says which process has ended without
/// which it cannot answer, if one has.
pub(super) async fn wait_for_answer(
    config: &EngineConfig,
    socket: PathBuf,
    limit: Duration,
    ended: impl Fn() -> Option<String>,
) -> Result<(), EngineError> {
    let ready = polled("the answer of the guest's engine to a ping", limit, async || {
        if let Some(how) = ended() {
            return ControlFlow::Break(Err(how));
        }
        match truth::connect(&socket).await {
            Ok(_) => ControlFlow::Break(Ok(())),
            Err(error) => ControlFlow::Continue(chain(&error)),
        }
    });
    match ready.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(how)) => {
            Err(EngineError::Process { what: "reached", source: io::Error::other(how) })
        }
        Err(source) => Err(EngineError::NotReady { source, log: log_tail(&config.log) }),
    }
}

/// Ends a process by SIGKILL, unless a fault has ended it.
pub(super) async fn end_child(child: &mut Child) -> Result<(), EngineError> {
    let failed = |source| EngineError::Process { what: "ended", source };
    if child.ended().is_some() {
        return Ok(());
    }
    // The end of another process may end this one before the signal reaches it.
    child.expect_end();
    match child.end(Signal::KILL, MACHINE_LIMIT).await {
        Err(_) if child.ended().is_some() => Ok(()),
        ended => ended.map_err(|error| failed(io::Error::other(error))),
    }
}
