//! What the user of the docker command does, and what happens to the configuration.

use racetrap_history::{Blame, DockerStep, Step};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::runner::{Runner, StepError};
use crate::docker::{Ended, Strike};

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
                let (done, struck) = watch::channel(false);
                let strike = Box::new(self.world.daemon.killer()?);
                self.world.user.strike_at_write(Strike { strike, done });
                self.struck = Some(struck);
                Ok(())
            }
            Step::FreezeAt(_) => {
                let (done, struck) = watch::channel(false);
                let strike = Box::new(self.world.daemon.freezer()?);
                self.world.user.strike_at_write(Strike { strike, done });
                self.struck = Some(struck);
                Ok(())
            }
            Step::Killed => {
                self.was_struck().await?;
                self.world.forget_clients();
                self.world.daemon.kill().await?;
                self.require_torn("killed")
            }
            Step::Frozen => {
                self.was_struck().await?;
                self.require_torn("frozen")
            }
            other => unreachable!("{other:?} is not of the docker command"),
        }
    }

    async fn run_docker(&mut self, command: &DockerStep) -> Result<(), StepError> {
        let running = self.world.user.run(command);
        let Some(name) = &command.background else { return running.await.map_err(StepError::from) };
        let mut task = JoinSet::new();
        task.spawn(running);
        self.user_commands.insert(name.clone(), task);
        Ok(())
    }

    /// Waits until the daemon has come to the instant at which something is done to it.
    async fn was_struck(&mut self) -> Result<(), StepError> {
        let struck = self.struck.take();
        let mut struck = struck.expect("the schedule was checked: armed before");
        let waited = timeout(self.deadline, struck.wait_for(|struck| *struck)).await;
        if matches!(waited, Ok(Ok(_))) {
            return Ok(());
        }
        let why = format!("the daemon wrote nothing within {:?}", self.deadline);
        Err(StepError { blame: Blame::Schedule, why })
    }

    /// Requires that it was about to put something in the place of the configuration: else the instant
    /// was missed.
    fn require_torn(&self, done: &str) -> Result<(), StepError> {
        if self.world.user.has_torn() {
            return Ok(());
        }
        let why = format!("the daemon was {done} too late, or writes in the configuration's place");
        Err(StepError { blame: Blame::Schedule, why })
    }
}

/// Waits for the end of a docker command in the background.
pub(super) async fn user_returned(
    mut command: JoinSet<Result<(), Ended>>,
) -> Result<(), StepError> {
    let joined = command.join_next().await.expect("one task was spawned");
    let ended = joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    ended.map_err(StepError::from)
}

impl From<Ended> for StepError {
    fn from(Ended { blame, why }: Ended) -> Self {
        Self { blame, why }
    }
}
