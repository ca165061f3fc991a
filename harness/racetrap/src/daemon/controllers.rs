//! The daemon's stand-alone controllers: the controllers of containers as a program of their own,
//! beside a service that runs without them (contract 3.3).

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinSet;

use super::api::{Api, Resource};
use super::error::DaemonError;
use super::log::LogReader;
use crate::chain::chain;
use crate::process::{Child, Environment, Spawn, log_tail};
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal};
use crate::wait::polled;

/// The name of the program. It is in the directory of the daemon's program.
const PROGRAM: &str = "containers-controller";

/// A controller that runs in this program and not in the service.
const CONTROLLER: &str = "container";

/// How long the program may take until its controllers are announced and their kinds are served.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// How long the program may take to end after a signal.
const END_LIMIT: Duration = Duration::from_secs(30);

/// What is needed to start the program.
pub(super) struct Launch<'a> {
    /// The daemon's program.
    pub(super) daemon: &'a Path,
    /// The daemon's environment.
    pub(super) environment: &'a Environment,
    /// The directory of the daemon's logs, in which the program gets a log of its own.
    pub(super) log_dir: &'a Path,
}

/// The running program.
pub(super) struct Controllers {
    child: Child,
    log: LogReader,
}

impl Controllers {
    /// The path of the program.
    ///
    /// # Errors
    /// If it does not exist.
    pub(super) fn program(daemon: &Path) -> Result<PathBuf, DaemonError> {
        let program = daemon.with_file_name(PROGRAM);
        if program.is_file() { Ok(program) } else { Err(DaemonError::NoControllers(program)) }
    }

    /// Starts the program, and waits until its controllers are announced and the API serves their
    /// kinds.
    ///
    /// # Errors
    /// If there is no such program, if it ends, or if it is not ready in time.
    pub(super) async fn start(
        launch: Launch<'_>,
        api: &Api,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, DaemonError> {
        let Launch { daemon, environment, log_dir } = launch;
        let program = Self::program(daemon)?;
        let directory = program.parent().expect("a file is in a directory").display();
        let log = log_dir.join(format!("{PROGRAM}.log"));
        // The real program runs the first `rdd` on PATH to learn where the API is. That must be the
        // daemon of this world.
        let path = environment.variables().get("PATH").map_or("", String::as_str);
        let environment = environment.clone().with("PATH", format!("{directory}:{path}"));
        let spawn = Spawn {
            name: "controllers",
            program: program.clone(),
            arguments: Vec::new(),
            environment: &environment,
            log: Some(log.clone()),
        };
        // An earlier run of the program has written to the same file, and its lines are recorded already.
        let child = LogReader::of_new_lines(log.clone())
            .and_then(|reader| Ok((reader, Child::start(&spawn, tasks, recorder)?)));
        let (reader, child) = child.map_err(|source| DaemonError::Program { program, source })?;
        let ready = polled("the controllers to be announced", READY_LIMIT, async || {
            match missing(api).await {
                None => ControlFlow::Break(Ok(())),
                // Asked only if something is missing: if the program became ready and ended after
                // that, the history has its end.
                Some(missing) => match child.ended() {
                    None => ControlFlow::Continue(missing),
                    Some(how) => ControlFlow::Break(Err(how)),
                },
            }
        });
        match ready.await? {
            Ok(()) => Ok(Self { child, log: reader }),
            Err(exit) => {
                let command = PROGRAM.to_owned();
                Err(DaemonError::Command { command, exit, output: log_tail(&log) })
            }
        }
    }

    /// The end of the program is expected from here on: it ends when its service does.
    pub(super) fn expect_end(&self) {
        self.child.expect_end();
    }

    /// Kills the program. A failure is not reported.
    pub(super) async fn kill(mut self) {
        // If it survives, the sweep of the world finds it.
        let _ = self.child.end(Signal::KILL, END_LIMIT).await;
    }

    /// The process of the program.
    pub(super) fn process(&self) -> Identity {
        self.child.identity()
    }

    /// Records the lines that were added to its log since the last call.
    pub(super) fn read_log(&mut self, recorder: &Recorder) {
        self.log.drain(recorder);
    }

    /// Ends the program by SIGTERM. Returns a line if it had to be killed.
    pub(super) async fn end(mut self, recorder: &Recorder) -> Option<String> {
        if self.child.ended().is_some() {
            return None;
        }
        let ended = self.child.end(Signal::TERM, END_LIMIT).await;
        self.read_log(recorder);
        let leak = ended.err().map(|error| format!("the controllers: {}", chain(&error)))?;
        // Killed now and not by the sweep of the world: the next run of the program may need what
        // this one holds.
        let _ = self.child.end(Signal::KILL, END_LIMIT).await;
        Some(leak)
    }
}

/// What is still missing before the controllers are ready; `None` if nothing is.
async fn missing(api: &Api) -> Option<String> {
    match api.enabled_controllers().await {
        Ok(names) if names.iter().any(|name| name == CONTROLLER) => {}
        Ok(names) => return Some(format!("only {} are announced", names.join(", "))),
        Err(error) => return Some(chain(&error)),
    }
    for resource in Resource::ALL {
        match api.serves(resource).await {
            Ok(true) => {}
            Ok(false) => return Some(format!("{} are not served", resource.plural())),
            Err(error) => return Some(chain(&error)),
        }
    }
    None
}
