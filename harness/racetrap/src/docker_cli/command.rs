//! Runs the docker command as the user of the world.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use racetrap_history::{
    Blame, DIGEST, DockerCommand, ENDPOINT, OURS, REGISTRY, UserCommand, UserCommandEnd, What,
};

use super::config_watch::ConfigWatch;
use super::user::DockerCliError;
use crate::process::{Environment, Spawn, find_program, run_with_input};
use crate::recorder::Recorder;

/// How long one docker command may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The program and its package in Debian and Ubuntu.
const PROGRAM: [&str; 2] = ["docker", "docker.io"];

/// A docker command that did not run, or did not end with the expected exit code.
#[derive(Debug)]
pub(crate) struct CommandFailure {
    /// Whose fault it is.
    pub(crate) blame: Blame,
    pub(crate) why: String,
}

/// Runs docker commands. Clones share the numbering of the commands.
#[derive(Clone)]
pub(super) struct CommandRunner {
    program: PathBuf,
    environment: Environment,
    watch: ConfigWatch,
    recorder: Recorder,
    /// Number of the last command.
    last: Arc<AtomicU32>,
}

/// Values for the placeholders in arguments.
#[derive(Clone)]
pub(super) struct Placeholders {
    /// Address of the user's engine.
    pub(super) endpoint: String,
    /// Name of the daemon's context.
    pub(super) ours: String,
    /// Addresses of the registry, which the repetitions of a command use in turn.
    pub(super) registry: Vec<String>,
    /// Digest of the manifest that was last pushed to the registry.
    pub(super) digest: String,
}

impl CommandRunner {
    /// Finds the docker command. Its environment is that of the world without the variables that
    /// take precedence over the configuration.
    ///
    /// # Errors
    /// If there is no docker command on PATH.
    pub(super) fn new(
        environment: &Environment,
        watch: &ConfigWatch,
        recorder: &Recorder,
    ) -> Result<Self, DockerCliError> {
        let [name, package] = PROGRAM;
        let program = find_program(name).ok_or(DockerCliError::NoCommand { name, package })?;
        let environment = environment.clone().without("DOCKER_HOST").without("DOCKER_CONTEXT");
        let (watch, recorder) = (watch.clone(), recorder.clone());
        Ok(Self { program, environment, watch, recorder, last: Arc::default() })
    }

    /// Runs a command as often as the step says, until one does not end with the expected exit
    /// code. Returns the standard output of the last one.
    pub(super) async fn run(
        self,
        step: DockerCommand,
        placeholders: Placeholders,
    ) -> Result<String, CommandFailure> {
        let mut printed = String::new();
        for n in 1..=step.times {
            let arguments =
                step.arguments.iter().map(|text| placeholders.fill_in(text, n)).collect();
            let end;
            (end, printed) = self.run_once(arguments, &step).await?;
            if !end.exit.code().is_some_and(|code| step.exit.allow(code)) {
                let (arguments, stderr) = (step.arguments.join(" "), end.said.trim());
                let (seen, expected) = (end.exit.predicate(), &step.exit);
                let why =
                    format!("`docker {arguments}` {seen}, not {expected}; it printed: {stderr}");
                return Err(CommandFailure { blame: Blame::Schedule, why });
            }
        }
        Ok(printed)
    }

    async fn run_once(
        &self,
        arguments: Vec<String>,
        step: &DockerCommand,
    ) -> Result<(UserCommandEnd, String), CommandFailure> {
        let number = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        let record = |end| {
            let arguments = arguments.clone();
            self.recorder.append(What::UserCommand(UserCommand { number, arguments, end }));
        };
        // Before the record of the start: a change that is queued now was not made by this command.
        self.watch.record_changes();
        record(None);
        let spawn = Spawn {
            name: "docker",
            program: self.program.clone(),
            arguments: arguments.clone(),
            environment: &self.environment,
            log: None,
        };
        let ran = run_with_input(&spawn, step.input.as_bytes(), LIMIT).await;
        // Before the record of the end: a change that is queued now may be this command's. While a
        // command runs, the oracles judge only changes that no docker command can make.
        self.watch.record_changes();
        let world = |why: String| CommandFailure { blame: Blame::World, why };
        match ran {
            Ok(Ok(run)) => {
                let end = UserCommandEnd { exit: run.exit, said: run.stderr };
                record(Some(end.clone()));
                Ok((end, run.stdout))
            }
            Ok(Err(late)) => Err(world(late.to_string())),
            Err(error) => Err(world(format!("the docker command could not be run: {error}"))),
        }
    }
}

impl Placeholders {
    /// The text with its placeholders filled in, for the n-th repetition of a command.
    fn fill_in(&self, text: &str, n: u32) -> String {
        let registry = (n.saturating_sub(1) as usize).checked_rem(self.registry.len());
        let registry = registry.and_then(|index| self.registry.get(index));
        text.replace(ENDPOINT, &self.endpoint)
            .replace(REGISTRY, registry.map_or("", String::as_str))
            .replace(DIGEST, &self.digest)
            .replace(OURS, &self.ours)
            .replace("{n}", &n.to_string())
    }
}
