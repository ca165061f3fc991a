//! The daemon's controllers of containers in a program of their own, beside a service that runs
//! without them (contract 3.3).

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinSet;

use super::adapter::DaemonError;
use super::api::{Api, Resource};
use super::log::LogReader;
use crate::chain::chain;
use crate::process::{Child, Environment, Spawn, log_tail};
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal};
use crate::wait::polled;

/// The program, which lies beside the daemon's.
const PROGRAM: &str = "containers-controller";

/// A controller that it has, and the service has not.
const CONTROLLER: &str = "container";

/// How long it may take until its controllers are announced, and their kinds established.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// How long it may take to end.
const END_LIMIT: Duration = Duration::from_secs(30);

/// Where the program is started.
pub(super) struct Place<'a> {
    /// The daemon's program.
    pub(super) daemon: &'a Path,
    /// The environment of the daemon.
    pub(super) environment: &'a Environment,
    /// The directory of the daemon's logs.
    pub(super) log_dir: &'a Path,
}

/// The running program.
pub(super) struct Controllers {
    child: Child,
    log: LogReader,
}

impl Controllers {
    /// Where it lies beside the daemon's program.
    ///
    /// # Errors
    /// Where it does not.
    pub(super) fn program(daemon: &Path) -> Result<PathBuf, DaemonError> {
        let program = daemon.with_file_name(PROGRAM);
        if program.is_file() { Ok(program) } else { Err(DaemonError::NoControllers(program)) }
    }

    /// Starts it, and waits until the API knows of it and has its kinds.
    ///
    /// # Errors
    /// Where there is no such program, and where it does not get so far.
    pub(super) async fn start(
        place: Place<'_>,
        api: &Api,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, DaemonError> {
        let Place { daemon, environment, log_dir } = place;
        let program = Self::program(daemon)?;
        let directory = program.parent().expect("a file is in a directory").display();
        let log = log_dir.join(format!("{PROGRAM}.log"));
        // A real one asks the first `rdd` on PATH where the API is, and that must be this daemon.
        let path = environment.variables().get("PATH").map_or("", String::as_str);
        let environment = environment.clone().with("PATH", format!("{directory}:{path}"));
        let spawn = Spawn {
            name: "controllers",
            program: program.clone(),
            arguments: Vec::new(),
            environment: &environment,
            log: Some(log.clone()),
        };
        let child = Child::start(&spawn, tasks, recorder)
            .map_err(|source| DaemonError::Program { program, source })?;
        let ready = polled("the controllers to be announced", READY_LIMIT, async || {
            match lacks(api).await {
                None => ControlFlow::Break(Ok(())),
                Some(lacks) => match child.ended() {
                    None => ControlFlow::Continue(lacks),
                    Some(how) => ControlFlow::Break(Err(how)),
                },
            }
        });
        match ready.await? {
            Ok(()) => Ok(Self { child, log: LogReader::new(log) }),
            Err(exit) => {
                let command = PROGRAM.to_owned();
                Err(DaemonError::Command { command, exit, said: log_tail(&log) })
            }
        }
    }

    /// From here on its end is no surprise: its service has gone.
    pub(super) fn expect_end(&self) {
        self.child.expect_end();
    }

    /// Ends it at once, and says nothing of how.
    pub(super) async fn kill(mut self) {
        // The sweep finds one that would not go.
        let _ = self.child.end(Signal::KILL, END_LIMIT).await;
    }

    /// Its process.
    pub(super) fn process(&self) -> Identity {
        self.child.identity()
    }

    /// Records the lines of its log that are new.
    pub(super) fn read_log(&mut self, recorder: &Recorder) {
        self.log.drain(recorder);
    }

    /// Ends it; gives a line if it would not go by itself.
    pub(super) async fn end(mut self, recorder: &Recorder) -> Option<String> {
        if self.child.ended().is_some() {
            return None;
        }
        let ended = self.child.end(Signal::TERM, END_LIMIT).await;
        self.read_log(recorder);
        let leak = ended.err().map(|error| format!("the controllers: {}", chain(&error)))?;
        // The sweep would find it too, but what it holds is wanted before.
        let _ = self.child.end(Signal::KILL, END_LIMIT).await;
        Some(leak)
    }
}

/// What is still missing of the controllers, if anything.
async fn lacks(api: &Api) -> Option<String> {
    match api.enabled_controllers().await {
        Ok(names) if names.iter().any(|name| name == CONTROLLER) => {}
        Ok(names) => return Some(format!("announced are {}", names.join(", "))),
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
