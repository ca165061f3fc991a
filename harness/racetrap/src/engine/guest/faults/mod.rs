//! What a scenario does to the guest, one fault per file.

mod clock;
mod disk;
mod forward;
mod memory;
mod network;
mod panic;
mod pause;
mod power;
mod reset;

use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::{Exit, GuestOp};
use tokio::task::JoinSet;

pub(super) use self::memory::set_memory;
use super::engine::{BOOT_LIMIT, Guest, end_child};
use super::forward::Forward;
use super::machine::engine_process;
use crate::engine::error::EngineError;
use crate::process::{Lifetime, log_tail};
use crate::recorder::Recorder;
use crate::vm::VmError;
use crate::wait::polled;

/// How long a guest that boots may take to answer one ping, until the harness asks again.
const PING_LIMIT: Duration = Duration::from_secs(5);

impl Guest {
    /// Does one step of a scenario to the guest. When this returns, the effect is there.
    pub(in crate::engine) async fn apply(
        &mut self,
        op: GuestOp,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        match op {
            GuestOp::PowerCut => self.power_cut().await,
            GuestOp::PowerOn => self.power_on(tasks, recorder).await,
            GuestOp::Reset => self.reset(tasks, recorder).await,
            GuestOp::Pause => self.pause().await,
            GuestOp::Resume => self.resume(recorder).await,
            GuestOp::NicDown => self.set_link(false).await,
            GuestOp::NicUp => self.set_link(true).await,
            GuestOp::KillForward => self.kill_forward().await,
            GuestOp::Forward => self.forward_again(tasks, recorder).await,
            GuestOp::KillHostagent => Err(EngineError::NoHostagent),
            GuestOp::Panic => self.panic(tasks, recorder).await,
            GuestOp::Clock(jump) => self.set_clock(jump, recorder).await,
            GuestOp::Disk(disk) => self.set_disk(disk, recorder).await,
            GuestOp::Memory(memory) => set_memory(&self.agent, memory, recorder).await,
        }
    }

    /// Expects that the guest boots again, and its engine with it.
    fn expect_boot(&self) {
        self.engine.expect_end();
        // Once the guest has booted, it refuses whatever `ssh` sends, and `ssh` ends then.
        self.daemon_forward.expect_end();
    }

    /// Waits until the engine of a guest that boots again answers the harness.
    async fn follow_boot(
        &mut self,
        why: &str,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        self.engine.end(Exit::Unknown(why.to_owned()));
        end_child(&mut self.harness_forward).await?;
        self.wait_for_boot(recorder).await?;
        let (qmp, image) = (&self.qmp, self.template.image());
        self.harness_forward =
            Forward::Harness.begin(qmp, image, &self.config, tasks, recorder).await?;
        self.wait_until_ready(Forward::Harness, BOOT_LIMIT).await
    }

    /// Waits until the engine of a guest that boots answers in the guest, and records its start.
    async fn wait_for_boot(&mut self, recorder: &Recorder) -> Result<(), EngineError> {
        let booted = polled("the guest's engine to answer in the guest", BOOT_LIMIT, async || {
            match self.agent.ping(PING_LIMIT).await {
                Ok(()) => ControlFlow::Break(()),
                Err(error) => ControlFlow::Continue(error.to_string()),
            }
        });
        if let Err(source) = booted.await {
            let console = log_tail(self.machine.files.console());
            return Err(VmError::NotReady { source, console }.into());
        }
        self.engine = Lifetime::begin("engine", engine_process(&self.agent).await?, recorder);
        Ok(())
    }
}
