//! The docker command, as the world's user runs it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use racetrap_history::{
    Blame, DockerCommand, ENDPOINT, OURS, REGISTRY, UserCommand, UserCommandEnd, What,
};

use super::user::DockerError;
use super::watch::Watch;
use crate::process::{Environment, Spawn, find_program, run_with_input};
use crate::recorder::Recorder;

/// How long one command may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The program, and its package in Debian and Ubuntu.
const PROGRAM: [&str; 2] = ["docker", "docker.io"];

/// A command that did not end as it must.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) blame: Blame,
    pub(crate) why: String,
}

/// Runs commands; clones number them together.
#[derive(Clone)]
pub(super) struct Commands {
    program: PathBuf,
    environment: Environment,
    watch: Watch,
    recorder: Recorder,
    last: Arc<AtomicU32>,
}

/// What stands for something in arguments.
#[derive(Clone)]
pub(super) struct Names {
    pub(super) endpoint: String,
    pub(super) ours: String,
    /// Addresses of the registry, one a command in turn; none is asked for, if empty.
    pub(super) registry: Vec<String>,
}

impl Commands {
    /// For a user with this environment, in which nothing overrules the configuration.
    ///
    /// # Errors
    /// Where there is no docker command.
    pub(super) fn of(
        environment: &Environment,
        watch: &Watch,
        recorder: &Recorder,
    ) -> Result<Self, DockerError> {
        let [name, package] = PROGRAM;
        let program = find_program(name).ok_or(DockerError::NoCommand { name, package })?;
        let environment = environment.clone().without("DOCKER_HOST").without("DOCKER_CONTEXT");
        let (watch, recorder) = (watch.clone(), recorder.clone());
        Ok(Self { program, environment, watch, recorder, last: Arc::default() })
    }

    /// Runs a command as often as the step says.
    pub(super) async fn run(self, step: DockerCommand, names: Names) -> Result<(), Ended> {
        for n in 1..=step.times {
            let arguments = step.arguments.iter().map(|text| names.replaced(text, n)).collect();
            let end = self.run_once(arguments, &step).await?;
            if !end.exit.code().is_some_and(|code| step.exit.allow(code)) {
                let (arguments, said) = (step.arguments.join(" "), end.said.trim().to_owned());
                let (seen, promised) = (end.exit.predicate(), &step.exit);
                let why = format!("`docker {arguments}` {seen}, not {promised}; said: {said}");
                return Err(Ended { blame: Blame::Schedule, why });
            }
        }
        Ok(())
    }

    async fn run_once(
        &self,
        arguments: Vec<String>,
        step: &DockerCommand,
    ) -> Result<UserCommandEnd, Ended> {
        let number = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        let tell = |end| {
            let arguments = arguments.clone();
            self.recorder.append(What::UserCommand(UserCommand { number, arguments, end }));
        };
        self.watch.look();
        tell(None);
        let spawn = Spawn {
            name: "docker",
            program: self.program.clone(),
            arguments: arguments.clone(),
            environment: &self.environment,
            log: None,
        };
        let ran = run_with_input(&spawn, step.input.as_bytes(), LIMIT).await;
        // What it has changed comes before its end.
        self.watch.look();
        let world = |why: String| Ended { blame: Blame::World, why };
        match ran {
            Ok(Ok(run)) => {
                let end = UserCommandEnd { exit: run.exit, said: run.stderr };
                tell(Some(end.clone()));
                Ok(end)
            }
            Ok(Err(still_runs)) => Err(world(still_runs.to_string())),
            Err(error) => Err(world(format!("the docker command could not be run: {error}"))),
        }
    }
}

impl Names {
    fn replaced(&self, text: &str, n: u32) -> String {
        let registry = (n.saturating_sub(1) as usize).checked_rem(self.registry.len());
        let registry = registry.and_then(|index| self.registry.get(index));
        text.replace(ENDPOINT, &self.endpoint)
            .replace(REGISTRY, registry.map_or("", String::as_str))
            .replace(OURS, &self.ours)
            .replace("{n}", &n.to_string())
    }
}
