//! Users of the docker command, and what happens to their configuration.

use racetrap_history::{Blame, DockerCommand, DockerStep, What};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::command::Commands;
use crate::daemon::DaemonError;
use crate::docker_cli::{TrapAction, WriteTrap};
use crate::run::scene::Scene;
use crate::run::step_error::StepError;

/// What is to happen to the daemon at an instant of its own.
#[derive(Default)]
pub(in crate::run) struct DockerUser {
    /// Kills or freezes the daemon when it writes the configuration.
    strike: Option<WriteTrap>,
}

impl DockerUser {
    /// Does one step. A docker command in the background goes on among `commands`.
    pub(in crate::run) async fn step(
        &mut self,
        scene: &mut Scene,
        step: &DockerStep,
        commands: &mut Commands,
    ) -> Result<(), StepError> {
        match step {
            DockerStep::Run(command) => run(scene, command, commands).await,
            DockerStep::Endpoint(op) => {
                let upstream = scene.world.engine.socket();
                Ok(scene.world.user.put_endpoint(*op, upstream).await?)
            }
            DockerStep::File(file) => Ok(scene.world.user.put_file(file)?),
            DockerStep::Disk(op) => Ok(scene.world.user.put_disk(*op)?),
            DockerStep::KillAt(_) => {
                let killer = scene.world.daemon.killer()?;
                self.strike_at_write(scene, Box::new(killer))
            }
            DockerStep::FreezeAt(_) => {
                let freezer = scene.world.daemon.freezer()?;
                self.strike_at_write(scene, Box::new(freezer))
            }
            DockerStep::Killed => {
                drop(self.strike(scene).await?);
                scene.world.forget_clients();
                scene.world.daemon.kill().await?;
                require_torn(scene, "killed")
            }
            DockerStep::Frozen => {
                let strike = self.strike(scene).await?;
                // A daemon that went on before it is frozen could still replace the configuration.
                scene.world.daemon.wait_until_frozen().await?;
                drop(strike);
                require_torn(scene, "frozen")
            }
        }
    }

    fn strike_at_write(&mut self, scene: &mut Scene, action: TrapAction) -> Result<(), StepError> {
        let daemon = scene.world.daemon.process().ok_or(DaemonError::NoProcess)?;
        self.strike = Some(scene.world.user.arm_trap(daemon.pid, action)?);
        Ok(())
    }

    /// Waits until the daemon writes the configuration, and kills or freezes it then. The daemon cannot go
    /// on for as long as the returned strike lives.
    async fn strike(&mut self, scene: &Scene) -> Result<WriteTrap, StepError> {
        let mut strike = self.strike.take().expect("the schedule was checked: armed before");
        if timeout(scene.deadline, strike.reached()).await.is_ok_and(|reached| reached) {
            strike.act(scene.recorder());
            return Ok(strike);
        }
        let why = format!("the daemon wrote nothing within {:?}", scene.deadline);
        Err(StepError { blame: Blame::Schedule, why })
    }
}

async fn run(
    scene: &mut Scene,
    command: &DockerCommand,
    commands: &mut Commands,
) -> Result<(), StepError> {
    let running = scene.world.user.run(command);
    let Some(name) = &command.background else {
        let printed = running.await?;
        let Some(alias) = &command.alias else { return Ok(()) };
        let id = scene.world.workload.name_printed(alias, &printed).await?;
        scene.recorder().append(What::Named { id, name: alias.clone() });
        return Ok(scene.world.truth.refresh().await?);
    };
    let mut task = JoinSet::new();
    task.spawn(async move { running.await.map(drop) });
    commands.keep(name.clone(), task);
    Ok(())
}

/// Requires that the daemon was about to replace the configuration. Otherwise the instant was missed,
/// and the run would show nothing.
fn require_torn(scene: &Scene, done: &str) -> Result<(), StepError> {
    if scene.world.user.has_unfinished_write() {
        return Ok(());
    }
    let why = format!("the daemon was {done} too late, or writes in the configuration's place");
    Err(StepError { blame: Blame::Schedule, why })
}
