//! The guest that Lima boots, as the engine of a world.
//!
//! QEMU, the hostagent and the forward of docker.sock are processes of that Lima, and the harness only adds
//! to QEMU a network, serial ports and a socket of commands of its own (`vm::lima_program`). So the truth
//! and the control of the guest do not depend on what happens to Lima.
//!
//! In VM mode `guest` it is the daemon's Lima: the daemon starts and ends the machine, which comes and goes
//! with its App, and the harness follows it. An engine `lima:…` has a Lima of the harness (`own_lima`).

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use racetrap_history::Exit;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::engine::{BOOT_LIMIT, LIVE_RESTORE, end_child, wait_for_answer};
use super::forward::Forward;
use super::machine::{REQUEST_LIMIT, engine_process};
use super::own_lima::OwnLima;
use crate::engine::config::EngineConfig;
use crate::engine::error::EngineError;
use crate::intent::Intent;
use crate::process::{Child, Lifetime, log_tail};
use crate::recorder::Recorder;
use crate::sys::Signal;
use crate::vm::{Agent, GuestVersion, Image, Images, MachineFiles, Qmp, VmError};
use crate::wait::polled;

/// How long a guest whose machine runs may take to answer, if it has booted.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The guest of a Lima, whether its machine runs or not.
#[derive(Debug)]
pub(crate) struct LimaGuest {
    pub(super) config: EngineConfig,
    pub(super) image: Image,
    pub(super) qmp: Qmp,
    pub(super) agent: Agent,
    /// The Lima of the harness; `None` if the daemon's boots the guest.
    pub(super) own: Option<OwnLima>,
    /// What the harness has while the machine runs.
    attached: Option<Attached>,
}

/// The harness's side of a machine that runs.
#[derive(Debug)]
struct Attached {
    forward: Child,
    /// The guest's dockerd.
    engine: Lifetime,
}

impl LimaGuest {
    /// Prepares what the daemon's Lima needs to boot the guest. Calls `declare` with each thing that is
    /// going to be created.
    pub(in crate::engine) fn prepare(
        version: GuestVersion,
        config: EngineConfig,
        declare: impl Fn(Intent) -> io::Result<()>,
    ) -> Result<Self, EngineError> {
        let failed = |source| EngineError::Process { what: "prepared", source };
        let image = Images::in_user_cache()?.acquire(version)?;
        config.write_files().map_err(failed)?;
        declare(Intent::Process(Forward::Harness.process().to_owned())).map_err(failed)?;
        let files = files(&config);
        let (qmp, agent) = (Qmp::new(&files.qmp()), Agent::new(&files.agent()));
        Ok(Self { config, image, qmp, agent, own: None, attached: None })
    }

    /// Boots the guest by a Lima of the harness, and waits until its engine answers on both forwards.
    /// Calls `declare` with each thing that is going to be created.
    pub(in crate::engine) async fn start(
        version: GuestVersion,
        config: EngineConfig,
        declare: impl Fn(Intent) -> io::Result<()>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        let began = Instant::now();
        let mut guest = Self::prepare(version, config, &declare)?;
        let Self { image, config, .. } = &guest;
        guest.own = Some(OwnLima::prepare(image, config, &files(config), declare)?);
        guest.power_on(tasks, recorder).await?;
        let took = began.elapsed().as_secs_f64();
        recorder.note(format!("limactl has booted the guest of the engine in {took:.1} s"));
        Ok(guest)
    }

    /// The daemon's configuration of Lima for this guest; `None` if the harness's Lima boots it.
    pub(in crate::engine) fn lima_override(&self) -> Option<String> {
        let text = || racetrap_vm::lima_guest_override(self.image.directory(), &self.socket());
        self.own.is_none().then(text)
    }

    /// The socket to which Lima forwards that of the engine, and at which the wire finds it.
    pub(in crate::engine) fn socket(&self) -> PathBuf {
        Forward::Daemon.socket(&self.config)
    }

    /// The socket at which the harness finds it.
    pub(in crate::engine) fn truth_socket(&self) -> PathBuf {
        Forward::Harness.socket(&self.config)
    }

    /// Whether the harness reaches the engine.
    pub(in crate::engine) fn is_attached(&self) -> bool {
        self.attached.as_ref().is_some_and(|attached| attached.forward.ended().is_none())
    }

    /// Follows a machine that has ended, or that has booted since the last call. Takes no longer than
    /// a guest that has booted needs for an answer.
    pub(in crate::engine) async fn follow(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        self.forget_ended();
        if self.attached.is_some() || self.agent.ping(ANSWER_LIMIT).await.is_err() {
            return Ok(());
        }
        self.attach(tasks, recorder).await
    }

    /// Waits until a machine runs and its engine answers the harness.
    pub(in crate::engine) async fn wait_for_boot(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        self.forget_ended();
        if self.attached.is_some() {
            return Ok(());
        }
        let booted = polled("the guest's engine to answer in the guest", BOOT_LIMIT, async || {
            if let Some(error) = self.own.as_ref().and_then(OwnLima::ended) {
                return ControlFlow::Break(Err(error));
            }
            match self.agent.ping(ANSWER_LIMIT).await {
                Ok(()) => ControlFlow::Break(Ok(())),
                Err(error) => ControlFlow::Continue(error.to_string()),
            }
        });
        match booted.await {
            Ok(answered) => answered?,
            Err(source) => {
                let console = log_tail(&self.config.log);
                return Err(VmError::NotReady { source, console }.into());
            }
        }
        self.attach(tasks, recorder).await
    }

    /// Lets the harness's Lima boot the guest, and waits until its engine answers on both forwards. If it
    /// is the daemon's Lima, only waits until the engine answers the harness.
    pub(super) async fn power_on(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        let Some(own) = &mut self.own else { return self.wait_for_boot(tasks, recorder).await };
        own.boot(tasks, recorder)?;
        self.wait_for_boot(tasks, recorder).await?;
        if let Some(own) = &mut self.own {
            own.record_machine(recorder)?;
        }
        self.wait_for_forward().await
    }

    /// Waits until the engine's socket is forwarded, and the engine answers on it.
    pub(super) async fn wait_for_forward(&self) -> Result<(), EngineError> {
        let ended = || self.own.as_ref().and_then(OwnLima::forward_ended);
        wait_for_answer(&self.config, self.socket(), BOOT_LIMIT, ended).await
    }

    async fn attach(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        let Self { config, image, qmp, agent, .. } = self;
        let forward = Forward::Harness.begin(qmp, image, config, tasks, recorder).await?;
        // The daemon may end its machine at any time, and boot it again; so may a step.
        forward.expect_end();
        let engine = Lifetime::begin("engine", engine_process(agent).await?, recorder);
        engine.expect_end();
        wait_for_answer(config, Forward::Harness.socket(config), BOOT_LIMIT, || {
            forward.ended().map(|how| format!("ssh ended: {how}"))
        })
        .await?;
        if config.live_restore {
            agent.run(LIVE_RESTORE, REQUEST_LIMIT).await?;
        }
        self.attached = Some(Attached { forward, engine });
        Ok(())
    }

    /// Records the end of the engine of a machine that has ended: `ssh` loses its connection then.
    fn forget_ended(&mut self) {
        if let Some(ended) = self.attached.take_if(|it| it.forward.ended().is_some()) {
            ended.engine.end(Exit::Unknown("its machine has ended".to_owned()));
        }
    }

    /// Forgets the machine, which has ended or boots again.
    pub(super) async fn detach(&mut self, why: &str) -> Result<(), EngineError> {
        if let Some(mut attached) = self.attached.take() {
            attached.engine.end(Exit::Unknown(why.to_owned()));
            end_child(&mut attached.forward).await?;
        }
        Ok(())
    }

    /// Starts dockerd again after it was killed or stopped, on the same data.
    pub(in crate::engine) async fn restart(
        &mut self,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        self.agent.run("engine start", REQUEST_LIMIT).await?;
        let engine = Lifetime::begin("engine", engine_process(&self.agent).await?, recorder);
        engine.expect_end();
        wait_for_answer(&self.config, self.truth_socket(), BOOT_LIMIT, || None).await?;
        if let Some(attached) = &mut self.attached {
            attached.engine = engine;
        }
        self.wait_for_forward().await
    }

    /// Sends dockerd a signal that does not end it.
    pub(in crate::engine) async fn signal(&self, name: &str) -> Result<(), EngineError> {
        self.agent.run(&format!("engine signal {name}"), REQUEST_LIMIT).await?;
        Ok(())
    }

    /// Ends dockerd by a signal and waits for its end. Its containers may run on.
    pub(in crate::engine) async fn end(&mut self, signal: Signal) -> Result<(), EngineError> {
        let name = if signal == Signal::KILL { "KILL" } else { "TERM" };
        self.agent.run(&format!("engine end {name}"), REQUEST_LIMIT).await?;
        if let Some(attached) = &self.attached {
            attached.engine.end(Exit::Unknown(format!("SIG{name} in its guest")));
        }
        Ok(())
    }

    /// Ends the harness's side. The daemon has ended its machine before; that of the harness's Lima ends
    /// here.
    pub(in crate::engine) async fn close(mut self) -> Result<(), EngineError> {
        self.detach("its machine was ended").await?;
        match self.own.take() {
            Some(own) => own.close().await,
            None => Ok(()),
        }
    }
}

/// The files by which the harness reaches the guest.
fn files(config: &EngineConfig) -> MachineFiles {
    MachineFiles::new(&config.directory, config.console.clone(), config.log.clone())
}
