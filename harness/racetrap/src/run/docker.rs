//! What the user of the docker command does, and what happens to the configuration.

use racetrap_history::{Blame, DockerStep, Step};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::runner::{Runner, StepError};
use crate::daemon::DaemonError;
use crate::docker_cli::{CommandFailure, TrapAction, WriteTrap};

impl Runner {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller has told the others apart")]
    pub(super) async fn docker(&mut self, step: &Step) -> Result<(), StepError> {
        match step {
            Step::Docker(command) => self.run_docker(command).await,
            Step::Endpoint(op) => {
                let upstream = self.world.engine.socket();
                Ok(self.world.user.put_endpoint(*op, upstream).await?)
            }
            Step::DockerFile(file) => Ok(self.world.user.put_file(file)?),
            Step::DockerDisk(op) => Ok(self.world.user.put_disk(*op)?),
            Step::KillAt(_) => {
                let killer = self.world.daemon.killer()?;
                self.strike_at_write(Box::new(killer))
            }
            Step::FreezeAt(_) => {
                let freezer = self.world.daemon.freezer()?;
                self.strike_at_write(Box::new(freezer))
            }
            Step::Killed => {
                drop(self.strike().await?);
                self.world.forget_clients();
                self.world.daemon.kill().await?;
                self.require_torn("killed")
            }
            Step::Frozen => {
                let strike = self.strike().await?;
                // Let go before, who is held could still write, and put it in its place.
                self.world.daemon.wait_until_frozen().await?;
                drop(strike);
                self.require_torn("frozen")
            }
            other => unreachable!("{other:?} is not of the docker command"),
        }
    }

    fn strike_at_write(&mut self, action: TrapAction) -> Result<(), StepError> {
        let daemon = self.world.daemon.process().ok_or(DaemonError::NoProcess)?;
        self.strike = Some(self.world.user.arm_trap(daemon.pid, action)?);
        Ok(())
    }

    async fn run_docker(&mut self, command: &DockerStep) -> Result<(), StepError> {
        let running = self.world.user.run(command);
        let Some(name) = &command.background else { return running.await.map_err(StepError::from) };
        let mut task = JoinSet::new();
        task.spawn(running);
        self.user_commands.insert(name.clone(), task);
        Ok(())
    }

    /// Waits until the daemon has come to the instant at which something is done to it, and does it. It is
    /// held there for as long as what is returned lives.
    async fn strike(&mut self) -> Result<WriteTrap, StepError> {
        let mut strike = self.strike.take().expect("the schedule was checked: armed before");
        if timeout(self.deadline, strike.reached()).await.is_ok_and(|reached| reached) {
            strike.act(self.recorder());
            return Ok(strike);
        }
        let why = format!("the daemon wrote nothing within {:?}", self.deadline);
        Err(StepError { blame: Blame::Schedule, why })
    }

    /// Requires that it was about to put something in the place of the configuration: else the instant
    /// was missed.
    fn require_torn(&self, done: &str) -> Result<(), StepError> {
        if self.world.user.has_unfinished_write() {
            return Ok(());
        }
        let why = format!("the daemon was {done} too late, or writes in the configuration's place");
        Err(StepError { blame: Blame::Schedule, why })
    }
}

/// Waits for the end of a docker command in the background.
pub(super) async fn user_returned(
    mut command: JoinSet<Result<(), CommandFailure>>,
) -> Result<(), StepError> {
    let joined = command.join_next().await.expect("one task was spawned");
    let ended = joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    ended.map_err(StepError::from)
}

impl From<CommandFailure> for StepError {
    fn from(CommandFailure { blame, why }: CommandFailure) -> Self {
        Self { blame, why }
    }
}
