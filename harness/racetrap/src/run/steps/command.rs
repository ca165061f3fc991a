//! The daemon's commands, and the user's docker commands, as far as they go on in the background.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::try_join_all;
use racetrap_history::{
    AppStep, Blame, Codes, CommandName, CommandRun, CommandStep, Returned, RunCommand, SetStep,
    TIMED_OUT, View, What,
};
use tokio::task::{AbortHandle, JoinSet};

use crate::daemon::{Api, ApiError, Resource};
use crate::docker_cli::CommandFailure;
use crate::process::{CommandHandle, CommandResult};
use crate::recorder::Recorder;
use crate::run::scene::Scene;
use crate::run::step_error::StepError;

/// The exit code that a shell shows for a command that SIGINT has ended.
const INTERRUPTED: i32 = 130;

/// How long the daemon waits for the end of a mirror that somebody else keeps (contract 4.6.4), and 5 s for the
/// command to see what follows.
const KEPT_MIRROR: Duration = Duration::from_secs(30 + 5);

/// Commands in the background, by the scenario's names. Dropped, they are not waited for any more.
#[derive(Default)]
pub(in crate::run) struct Commands {
    daemon: BTreeMap<CommandName, Background>,
    docker: BTreeMap<CommandName, JoinSet<Result<(), CommandFailure>>>,
}

/// A command of the daemon that goes on.
struct Background {
    begun: CommandHandle,
    ending: JoinSet<(CommandResult, Result<(), ApiError>)>,
    handle: AbortHandle,
}

impl Commands {
    /// Does one step.
    pub(in crate::run) async fn step(
        &mut self,
        scene: &Scene,
        step: &CommandStep,
    ) -> Result<(), StepError> {
        match step {
            CommandStep::App(app) => self.set(scene, &as_set(app)).await,
            CommandStep::Set(set) => self.set(scene, set).await,
            CommandStep::RunCommand(command) => run_command(scene, command).await,
            CommandStep::Returned(returned) => self.returned(scene, returned).await,
            CommandStep::Interrupt(name) => self.interrupt(name),
        }
    }

    /// Whether each command of the daemon has returned, and what it promises was listed.
    pub(super) fn have_ended(&self) -> bool {
        self.daemon.values().all(|command| command.handle.is_finished())
    }

    /// Keeps a docker command that goes on.
    pub(super) fn keep(&mut self, name: CommandName, task: JoinSet<Result<(), CommandFailure>>) {
        self.docker.insert(name, task);
    }

    async fn set(&mut self, scene: &Scene, set: &SetStep) -> Result<(), StepError> {
        let properties: Vec<_> =
            set.properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let deadline = set.timeout_s.map_or(scene.deadline, Duration::from_secs);
        let deadline = set.wait.then_some(deadline);
        let (begun, ending) = scene.world.daemon.begin_set(&properties, deadline)?;
        let (api, recorder) = (scene.world.api.clone(), scene.recorder().clone());
        let ending = async move {
            let ended = ending.await;
            (ended, list_promised(&api, &recorder).await)
        };
        let Some(name) = &set.background else {
            let (ended, listed) = ending.await;
            listed?;
            return check_exit(scene, command_run(scene, ended)?, &set.exit);
        };
        let arguments = properties.into_iter().collect();
        scene.recorder().append(What::CommandBegan { name: name.0.clone(), arguments });
        let mut task = JoinSet::new();
        let handle = task.spawn(ending);
        self.daemon.insert(name.clone(), Background { begun, ending: task, handle });
        Ok(())
    }

    /// Interrupts a command; the schedule supposes that it has not returned yet.
    fn interrupt(&self, name: &CommandName) -> Result<(), StepError> {
        let command = self.daemon.get(name).expect("the schedule was checked: begun before");
        let sent = command.begun.interrupt();
        let sent = sent.map_err(|error| StepError { blame: Blame::World, why: error.to_string() });
        if sent? {
            return Ok(());
        }
        let why = format!("`{name}` had ended before it could be interrupted");
        Err(StepError { blame: Blame::Schedule, why })
    }

    async fn returned(&mut self, scene: &Scene, returned: &Returned) -> Result<(), StepError> {
        if let Some(mut command) = self.docker.remove(&returned.command) {
            return Ok(end_of(&mut command).await?);
        }
        let command = self.daemon.remove(&returned.command);
        let mut command = command.expect("the schedule was checked: begun before");
        let (ended, listed) = end_of(&mut command.ending).await;
        listed?;
        check_exit(scene, command_run(scene, ended)?, &returned.exit)
    }
}

/// Runs a command to its end, and lists what it may promise.
async fn run_command(scene: &Scene, command: &RunCommand) -> Result<(), StepError> {
    let arguments: Vec<_> = command.arguments.iter().map(String::as_str).collect();
    let daemon = &scene.world.daemon;
    let run = match &command.editor {
        Some(editor) => daemon.command_with_editor(&arguments, editor, scene.deadline).await?,
        None => daemon.command(&arguments, scene.deadline).await?,
    };
    list_promised(&scene.world.api, scene.recorder()).await?;
    let missing = command
        .prints
        .iter()
        .find(|text| !run.stdout.contains(text.as_str()) && !run.stderr.contains(text.as_str()));
    let unsaid = missing.map(|text| {
        let (command, said) = (run.arguments.join(" "), run.stdout.trim());
        scene.failure_of_daemon(format!("`{command}` did not print `{text}`, but: {said}"))
    });
    // A command that failed has another reason not to print what it promises.
    check_exit(scene, run, &command.exit)?;
    unsaid.map_or(Ok(()), Err)
}

/// What the only task of a set returns; a panic in it goes on here.
async fn end_of<T: 'static>(task: &mut JoinSet<T>) -> T {
    let joined = task.join_next().await.expect("one task was spawned");
    joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// The command that starts or stops the App.
fn as_set(app: &AppStep) -> SetStep {
    SetStep {
        properties: BTreeMap::from([("running".to_owned(), app.running.to_string())]),
        wait: app.wait,
        timeout_s: None,
        exit: Codes::default(),
        background: None,
    }
}

fn command_run(scene: &Scene, ended: CommandResult) -> Result<CommandRun, StepError> {
    match ended {
        Ok(Ok(run)) => Ok(run),
        Ok(Err(still_ran)) => Err(scene.failure_of_daemon(still_ran.to_string())),
        Err(error) => Err(StepError { blame: Blame::World, why: error.to_string() }),
    }
}

/// Compares how a command ended with what the daemon promises. A command that a signal has ended has
/// the code that a shell would show, if it was interrupted.
fn check_exit(scene: &Scene, run: CommandRun, promised: &Codes) -> Result<(), StepError> {
    let code = run.exit.code().or_else(|| run.interrupted.then_some(INTERRUPTED));
    if code.is_some_and(|code| promised.allow(code)) {
        return Ok(());
    }
    let seen = match (code, &run.exit) {
        (Some(code), _) => format!("exited with {code}"),
        (None, exit) => format!("ended by {exit}"),
    };
    let why = format!(
        "`{}` {seen}, not {promised}; it said: {}",
        run.arguments.join(" "),
        run.stderr.trim()
    );
    let waited = Duration::from_millis(run.took_ms);
    if code == Some(TIMED_OUT) && scene.recorder().with_view(|view| waits_in_vain(view, waited)) {
        return Err(StepError { blame: Blame::Schedule, why });
    }
    Err(scene.failure_of_daemon(why))
}

/// Whether the daemon may take longer than this for what a command has waited for: it waits for a mirror that
/// somebody else's finalizer keeps, or for a VM that does not follow.
fn waits_in_vain(view: &View, waited: Duration) -> bool {
    let keeps_mirror = view.mirrors().iter().any(|mirror| mirror.kept && mirror.terminating);
    keeps_mirror && waited < KEPT_MIRROR || waited < view.vm_bound()
}

/// Lists what the promise of a command is about, as soon as the command returns.
async fn list_promised(api: &Api, recorder: &Recorder) -> Result<(), ApiError> {
    try_join_all(Resource::JUDGED.map(|resource| api.list(resource, recorder))).await.map(drop)
}
