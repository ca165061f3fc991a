//! What a scenario does to a guest that Lima boots. If it is the daemon's Lima, what ends or hangs belongs to
//! the daemon, so nothing is started again here: the harness waits until the daemon has done it.

use std::ops::ControlFlow;

use racetrap_history::GuestOp;
use serde_json::json;
use tokio::task::JoinSet;

use super::faults::set_memory;
use super::forward::Forward;
use super::lima::LimaGuest;
use super::machine::{MACHINE_LIMIT, REQUEST_LIMIT};
use crate::clock::Clock;
use crate::engine::error::EngineError;
use crate::process::MARKER;
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal, marked, titled, wait_for_end};
use crate::wait::polled;

impl LimaGuest {
    /// Does one step of a scenario to the guest.
    pub(in crate::engine) async fn apply(
        &mut self,
        op: GuestOp,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        match op {
            GuestOp::PowerCut => self.power_cut(recorder).await,
            // Nobody would end the machine that the harness's Lima leaves.
            GuestOp::KillHostagent if self.own.is_some() => Err(EngineError::NoHostagent),
            GuestOp::KillHostagent => {
                self.kill(" hostagent ", recorder).await?;
                // The machine runs on, so its forward tells when the daemon has ended it.
                self.wait_for_end_of_machine().await
            }
            GuestOp::PowerOn => self.power_on(tasks, recorder).await,
            GuestOp::Reset => self.reset(tasks, recorder).await,
            GuestOp::Pause => self.command("stop", json!({})).await,
            GuestOp::Resume => self.resume(recorder).await,
            GuestOp::NicDown => self.command("set_link", link(false)).await,
            GuestOp::NicUp => self.command("set_link", link(true)).await,
            GuestOp::KillForward => self.kill_forward(recorder).await,
            GuestOp::Forward => self.forward_again(tasks, recorder).await,
            GuestOp::Memory(memory) => set_memory(&self.agent, memory, recorder).await,
            GuestOp::Panic | GuestOp::Clock(_) | GuestOp::Disk(_) => {
                Err(EngineError::NotOurMachine)
            }
        }
    }

    async fn command(&self, name: &str, arguments: serde_json::Value) -> Result<(), EngineError> {
        Ok(self.qmp.run(name, arguments).await.map(drop)?)
    }

    /// Kills QEMU.
    async fn power_cut(&mut self, recorder: &Recorder) -> Result<(), EngineError> {
        match &mut self.own {
            Some(own) => own.cut_power().await?,
            None => self.kill("qemu-system", recorder).await?,
        }
        self.detach("its machine lost its power").await
    }

    /// Presses the reset button, and waits until the engine of the next boot answers the harness.
    async fn reset(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        // QEMU resets the guest a little after it has answered. While the guest stands still, the agent
        // of this boot cannot answer the pings that are meant for the next one.
        for command in ["stop", "system_reset", "cont"] {
            self.command(command, json!({})).await?;
        }
        self.detach("its machine was reset").await?;
        self.wait_for_boot(tasks, recorder).await
    }

    /// Lets the processors go on. The guest's clock has lost the time of the pause, until Lima's agent
    /// sets it.
    async fn resume(&self, recorder: &Recorder) -> Result<(), EngineError> {
        self.command("cont", json!({})).await?;
        let there = self.agent.run("date +%s.%N", REQUEST_LIMIT).await?;
        let seconds = |text: &str| text.trim().parse::<f64>().unwrap_or_default();
        let behind = seconds(&Clock::start().unix_time()) - seconds(&there);
        recorder.note(format!("after the pause, the guest's clock is {behind:.1} s behind"));
        Ok(())
    }

    /// Kills the daemon's process with `word` in its command line.
    async fn kill(&self, word: &str, recorder: &Recorder) -> Result<(), EngineError> {
        let processes = marked(MARKER, self.config.environment.marker());
        let found = processes.into_iter().find(|(_, command)| command.contains(word));
        let (process, _) = found.ok_or_else(|| missing(word))?;
        end(process, word, recorder).await
    }

    /// Kills the `ssh` that forwards the engine's socket. OpenSSH writes its title over the environment
    /// of this process, so it is found by its title, which has a path of this world.
    async fn kill_forward(&mut self, recorder: &Recorder) -> Result<(), EngineError> {
        if let Some(own) = &mut self.own {
            return own.end_forward().await;
        }
        let home = self.config.environment.home().to_string_lossy().into_owned();
        let masters = titled(&format!("ssh: {home}/"));
        let (process, _) = masters.into_iter().next().ok_or_else(|| missing("ssh"))?;
        end(process, "ssh", recorder).await
    }

    /// Waits until the engine's socket is forwarded again: by the daemon, or else by an `ssh` of the
    /// harness, because Lima forwards a socket only when it boots its guest.
    async fn forward_again(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        let Self { own, qmp, image, config, .. } = self;
        if let Some(own) = own {
            own.end_forward().await?;
            own.keep_forward(Forward::Lima.begin(qmp, image, config, tasks, recorder).await?);
        }
        self.wait_for_forward().await
    }

    /// Waits until the daemon has ended a machine that it cannot use any more.
    async fn wait_for_end_of_machine(&mut self) -> Result<(), EngineError> {
        let ended = polled("the daemon to end the machine", REQUEST_LIMIT, async || {
            if self.is_attached() {
                return ControlFlow::Continue("it runs".to_owned());
            }
            ControlFlow::Break(())
        });
        let late = ended.await.map_err(|source| EngineError::Machine {
            what: "ended with its hostagent",
            source: std::io::Error::other(source),
        });
        late?;
        self.detach("its machine was ended").await
    }
}

/// The cable of Lima's network.
fn link(is_up: bool) -> serde_json::Value {
    json!({ "name": "net0", "up": is_up })
}

/// Ends a process of the daemon by SIGKILL.
async fn end(process: Identity, name: &str, recorder: &Recorder) -> Result<(), EngineError> {
    let failed = |source| EngineError::Machine { what: "killed", source };
    process.signal(Signal::KILL).map_err(failed)?;
    wait_for_end(process, MACHINE_LIMIT).await.map_err(failed)?;
    recorder.note(format!("killed the daemon's {} {}", name.trim(), process.pid));
    Ok(())
}

fn missing(name: &str) -> EngineError {
    let why = format!("the daemon runs no {}", name.trim());
    EngineError::Machine { what: "killed", source: std::io::Error::other(why) }
}
