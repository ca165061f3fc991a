//! The daemon's commands, in the foreground and in the background, and its process.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::try_join_all;
use racetrap_history::{
    AppStep, Blame, Codes, CommandName, CommandRun, DaemonOp, Returned, SetStep, What,
};
use tokio::task::{AbortHandle, JoinSet};

use super::docker::user_returned;
use super::levels::world_end;
use super::runner::{Runner, StepError};
use crate::daemon::{Api, ApiError, Resource};
use crate::process::{CommandHandle, CommandResult};
use crate::recorder::Recorder;

/// A command that goes on.
pub(super) struct Background {
    begun: CommandHandle,
    ending: JoinSet<(CommandResult, Result<(), ApiError>)>,
    handle: AbortHandle,
}

impl Background {
    /// It has returned, and what it promises was looked at.
    pub(super) fn has_ended(&self) -> bool {
        self.handle.is_finished()
    }
}

impl Runner {
    pub(super) async fn app(&mut self, app: &AppStep) -> Result<(), StepError> {
        let properties = BTreeMap::from([("running".to_owned(), app.running.to_string())]);
        let set = SetStep {
            properties,
            wait: app.wait,
            timeout_s: None,
            exit: Codes::default(),
            background: None,
        };
        self.set(&set).await
    }

    pub(super) async fn set(&mut self, set: &SetStep) -> Result<(), StepError> {
        let properties: Vec<_> =
            set.properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let deadline = set.timeout_s.map_or(self.deadline, Duration::from_secs);
        let deadline = set.wait.then_some(deadline);
        let (begun, ending) = self.world.daemon.begin_set(&properties, deadline)?;
        let (api, recorder) = (self.world.api.clone(), self.recorder().clone());
        let ending = async move {
            let ended = ending.await;
            (ended, list_promised(&api, &recorder).await)
        };
        let Some(name) = &set.background else {
            let (ended, listed) = ending.await;
            listed?;
            return self.check_exit(self.command_run(ended)?, &set.exit);
        };
        let arguments = properties.into_iter().collect();
        self.recorder().append(What::CommandBegan { name: name.0.clone(), arguments });
        let mut task = JoinSet::new();
        let handle = task.spawn(ending);
        self.commands.insert(name.clone(), Background { begun, ending: task, handle });
        Ok(())
    }

    /// Interrupts a command; one that has returned already was not what the schedule supposes.
    pub(super) fn interrupt(&self, name: &CommandName) -> Result<(), StepError> {
        let command = self.commands.get(name).expect("the schedule was checked: begun before");
        let sent = command.begun.interrupt();
        let sent = sent.map_err(|error| StepError { blame: Blame::World, why: error.to_string() });
        if sent? {
            return Ok(());
        }
        let why = format!("`{name}` had ended before it could be interrupted");
        Err(StepError { blame: Blame::Schedule, why })
    }

    pub(super) async fn returned(&mut self, returned: &Returned) -> Result<(), StepError> {
        if let Some(command) = self.user_commands.remove(&returned.command) {
            return user_returned(command).await;
        }
        let command = self.commands.remove(&returned.command);
        let mut command = command.expect("the schedule was checked: begun before");
        let joined = command.ending.join_next().await.expect("one task was spawned");
        let (ended, listed) = joined.unwrap_or_else(|error| {
            std::panic::resume_unwind(error.into_panic());
        });
        listed?;
        self.check_exit(self.command_run(ended)?, &returned.exit)
    }

    fn command_run(&self, ended: CommandResult) -> Result<CommandRun, StepError> {
        match ended {
            Ok(Ok(run)) => Ok(run),
            Ok(Err(still_ran)) => Err(self.of_daemon(still_ran.to_string())),
            Err(error) => Err(StepError { blame: Blame::World, why: error.to_string() }),
        }
    }

    /// A command ended by a signal has the code that a shell would show.
    fn check_exit(&self, run: CommandRun, promised: &Codes) -> Result<(), StepError> {
        let code = run.exit.or_else(|| run.interrupted.then_some(130));
        if code.is_some_and(|code| promised.allow(code)) {
            return Ok(());
        }
        let seen = code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
        let why = format!(
            "`{}` exited with {seen}, not {promised}; it said: {}",
            run.arguments.join(" "),
            run.stderr.trim()
        );
        Err(self.of_daemon(why))
    }

    pub(super) async fn daemon(&mut self, op: DaemonOp) -> Result<(), StepError> {
        match op {
            DaemonOp::Kill => {
                self.world.forget_clients();
                self.world.daemon.kill().await?;
            }
            DaemonOp::Stop => {
                self.world.forget_clients();
                if let Some(why) = self.world.daemon.stop().await {
                    return Err(self.of_daemon(why));
                }
            }
            DaemonOp::Start => self.world.start_daemon_again().await?,
            DaemonOp::Freeze => self.world.daemon.freeze().await?,
            DaemonOp::Thaw => self.world.daemon.thaw()?,
        }
        Ok(())
    }

    /// A failure of the daemon's, unless its world has failed before.
    fn of_daemon(&self, why: String) -> StepError {
        match self.recorder().with_view(world_end) {
            Some(end) => StepError { blame: Blame::World, why: format!("{end}; {why}") },
            None => StepError { blame: Blame::Daemon, why },
        }
    }
}

/// What a command's promise is about, listed as soon as it returns.
async fn list_promised(api: &Api, recorder: &Recorder) -> Result<(), ApiError> {
    try_join_all(Resource::JUDGED.map(|resource| api.list(resource, recorder))).await.map(drop)
}
