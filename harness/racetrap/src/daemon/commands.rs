//! Runs the daemon's commands.

use std::time::Duration;

use racetrap_history::CommandRun;

use super::adapter::Daemon;
use super::error::DaemonError;
use crate::process::{CommandHandle, CommandResult, Spawn, log_tail, run_to_end, start_command};

/// How much longer than its own time-out `set` may take before the harness kills it.
const SET_GRACE: Duration = Duration::from_secs(15);

/// The variable with the user's editor that the daemon asks first (contract 1.6.5).
const EDITOR: &str = "KUBE_EDITOR";

impl Daemon {
    /// Runs a command of the daemon and records it, whatever its exit code is.
    pub(crate) async fn command(
        &self,
        arguments: &[&str],
        limit: Duration,
    ) -> Result<CommandRun, DaemonError> {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        self.run(&self.spawn(arguments), limit).await
    }

    /// Like [`command`](Self::command), with the editor that the command may open.
    pub(crate) async fn command_with_editor(
        &self,
        arguments: &[&str],
        editor: &str,
        limit: Duration,
    ) -> Result<CommandRun, DaemonError> {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let environment = self.environment.clone().with(EDITOR, editor);
        let spawn = Spawn { environment: &environment, ..self.spawn(arguments) };
        self.run(&spawn, limit).await
    }

    /// Begins `set PROPERTIES`. With `wait`, the command waits until the App has settled, for as
    /// long as `wait` says; without, it returns at once.
    pub(crate) fn begin_set(
        &self,
        properties: &[String],
        wait: Option<Duration>,
    ) -> Result<(CommandHandle, impl Future<Output = CommandResult> + Send + use<>), DaemonError>
    {
        let (arguments, limit) = self.set_arguments(properties, wait);
        let spawn = self.spawn(arguments);
        start_command(&spawn, limit, &self.recorder).map_err(|source| self.program_error(source))
    }

    fn set_arguments(
        &self,
        properties: &[String],
        wait: Option<Duration>,
    ) -> (Vec<String>, Duration) {
        let option = match wait {
            Some(limit) => format!("--timeout={}s", limit.as_secs()),
            None if self.has_wait_option => "--wait=false".to_owned(),
            // Older revisions have no `--wait`: a time-out of 0 means the same (contract 9, R0).
            None => "--timeout=0".to_owned(),
        };
        let arguments = ["set".to_owned(), option].into_iter().chain(properties.iter().cloned());
        (arguments.collect(), wait.unwrap_or_default() + SET_GRACE)
    }

    pub(super) fn spawn(&self, arguments: Vec<String>) -> Spawn<'_> {
        Spawn {
            name: "command",
            program: self.program.clone(),
            arguments,
            environment: &self.environment,
            log: None,
        }
    }

    pub(super) async fn run(
        &self,
        spawn: &Spawn<'_>,
        limit: Duration,
    ) -> Result<CommandRun, DaemonError> {
        let run = run_to_end(spawn, limit, &self.recorder).await;
        Ok(run.map_err(|source| self.program_error(source))??)
    }

    /// Runs a command that must exit with 0.
    pub(super) async fn must_succeed(
        &self,
        arguments: &[&str],
        limit: Duration,
    ) -> Result<CommandRun, DaemonError> {
        self.require_success(&arguments.join(" "), self.command(arguments, limit).await?)
    }

    pub(super) fn require_success(
        &self,
        command: &str,
        run: CommandRun,
    ) -> Result<CommandRun, DaemonError> {
        if run.exit.is_success() {
            return Ok(run);
        }
        let code = run.exit.code().map(|code| format!("code {code}"));
        let exit = code.unwrap_or_else(|| run.exit.to_string());
        // Standard error alone may be empty or say only that the service did not start.
        let output = format!("{}{}", run.stderr.trim_end(), self.end_of_log());
        Err(DaemonError::Command { command: command.to_owned(), exit, output })
    }

    /// The last lines of the daemon's log, for an error. A command that fails because the service
    /// died says nothing about why; the log does.
    fn end_of_log(&self) -> String {
        let log = self.log_path().map(|log| log_tail(&log));
        match log.filter(|text| !text.is_empty()) {
            Some(text) => format!("\nthe end of the daemon's log:\n{text}"),
            None => String::new(),
        }
    }
}
