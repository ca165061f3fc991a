//! The daemon of one world: what the harness knows about its program and its process.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use racetrap_history::{Exit, VmOp};
use tokio::sync::watch;

use super::controllers::Controllers;
use super::error::DaemonError;
use super::log::LogReader;
use crate::process::{Environment, Lifetime};
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal};

/// The daemon of one world.
///
/// The methods are in the files of this module by topic: `probe`, `start`, `stop`, `freeze`, `vm`
/// and `commands`.
pub(crate) struct Daemon {
    pub(super) program: PathBuf,
    pub(super) environment: Environment,
    pub(super) recorder: Recorder,
    /// The output of `svc paths`: paths by their names.
    pub(super) paths: BTreeMap<String, PathBuf>,
    /// Whether `set` has the option `--wait`.
    pub(super) has_wait_option: bool,
    /// The output of `set --help`.
    pub(super) set_help: String,
    pub(super) process: Option<Service>,
    pub(super) log: Option<LogReader>,
    /// The daemon is going to be asked for a dump of its stacks, which ends it.
    pub(super) dumps_stacks: bool,
    /// The controllers of containers run as a program of their own (contract 3.3).
    pub(super) standalone: bool,
    pub(super) controllers: Option<Controllers>,
    /// The directory that the daemon sees as `/run`; `None` for the machine's own.
    pub(super) run_directory: Option<PathBuf>,
    /// Lima's configuration for a guest that boots; `None` in other VM modes than `guest`.
    pub(super) lima_override: Option<String>,
    /// Whether the harness's stand-in for the VM reacts or waits.
    pub(super) vm: watch::Sender<VmOp>,
}

/// The process of the daemon's service.
pub(super) struct Service {
    pub(super) identity: Identity,
    pub(super) lifetime: Lifetime,
}

/// How the service ended: only a parent learns the exit code.
pub(super) const NO_CHILD: &str = "how is not known, for it is no child of the harness";

impl Service {
    /// Records that the process has ended, before anything that follows the end. The task that waits for it may
    /// be late.
    pub(super) fn end(&self) {
        self.lifetime.end(Exit::Unknown(NO_CHILD.to_owned()));
    }
}

impl Daemon {
    /// The paths that the daemon's `svc paths` named, by name.
    pub(crate) fn paths(&self) -> &BTreeMap<String, PathBuf> {
        &self.paths
    }

    /// Makes the daemon see `directory` as `/run` from its next start on.
    pub(crate) fn set_run_directory(&mut self, directory: &Path) {
        self.run_directory = Some(directory.to_owned());
    }

    /// Makes the daemon's Lima boot a guest as `text` says, from its first start on.
    pub(crate) fn set_lima_override(&mut self, text: String) {
        self.lima_override = Some(text);
    }

    /// The processes of the daemon: its service, and its stand-alone controllers if it has them.
    pub(crate) fn processes(&self) -> impl Iterator<Item = Identity> {
        let controllers = self.controllers.as_ref().map(Controllers::process);
        self.process().into_iter().chain(controllers)
    }

    /// The process of the daemon's service, from its start until the harness ends it.
    pub(crate) fn process(&self) -> Option<Identity> {
        self.process.as_ref().map(|service| service.identity)
    }

    /// Sends the daemon's service a signal that does not end it.
    pub(super) fn signal(&self, signal: Signal) -> Result<(), DaemonError> {
        let process = self.process().ok_or(DaemonError::NoProcess)?;
        process.signal(signal).map_err(|source| self.program_error(source))
    }

    /// The error for a daemon that could not be run or signalled.
    pub(super) fn program_error(&self, source: io::Error) -> DaemonError {
        DaemonError::Program { program: self.program.clone(), source }
    }

    /// Records the lines that were added to the daemon's logs since the last call.
    pub(crate) fn read_log(&mut self) {
        // The harness causes what is logged after a request for the stacks, so it is no evidence
        // against the daemon.
        if self.dumps_stacks {
            return;
        }
        if let Some(log) = &mut self.log {
            log.drain(&self.recorder);
        }
        if let Some(controllers) = &mut self.controllers {
            controllers.read_log(&self.recorder);
        }
    }
}
