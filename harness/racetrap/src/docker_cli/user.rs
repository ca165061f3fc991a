//! The user of the docker command in one world, with all that the user has there.

use std::io;
use std::path::{Path, PathBuf};

use racetrap_history::{
    CONFIG_FILE, CONTEXTS_DIRECTORY, DiskOp, DockerCommand, DockerFileStep, ENDPOINT, EndpointOp,
    FileOp, OURS, What,
};
use racetrap_wire::{Wire, WireError};
use tokio::task::JoinSet;

use super::command::{CommandFailure, CommandRunner, Placeholders};
use super::config_watch::ConfigWatch;
use super::disk::ConfigDisk;
use super::endpoint::{Endpoint, EndpointError};
use super::file_ops;
use super::layout::CliLayout;
use super::registry::Registry;
use super::write_trap::{TrapAction, WriteTrap};
use crate::process::Environment;
use crate::recorder::Recorder;
use crate::sys::set_owner_and_mode;

/// The user of the docker command could not be set up, or could not carry out a step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DockerCliError {
    /// There is no docker command on PATH.
    #[error("there is no {name} on PATH (package {package}), and this scenario runs it")]
    NoCommand {
        /// The program.
        name: &'static str,
        /// Its package in Debian and Ubuntu.
        package: &'static str,
    },
    /// The configuration could not be watched for changes.
    #[error("the docker command's configuration could not be watched")]
    Watch(#[source] io::Error),
    /// The kernel cannot hold a process that opens a file of the configuration.
    #[error(
        "a process that opens a file of the docker command's configuration cannot be held \
         (fanotify)"
    )]
    Gate(#[source] io::Error),
    /// The configuration's file system could not be mounted or changed.
    #[error("the file system of the docker command's configuration could not be set up")]
    Disk(#[source] io::Error),
    /// A file of the configuration could not be changed.
    #[error("a file of the docker command's configuration could not be changed")]
    State(#[source] io::Error),
    /// The user's engine could not be made reachable.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// The user of the docker command in one world.
pub(crate) struct CliUser {
    layout: CliLayout,
    watch: ConfigWatch,
    /// `None` if the scenario is not about the docker command.
    tools: Option<Tools>,
    endpoint: Option<Endpoint>,
    disk: Option<ConfigDisk>,
    recorder: Recorder,
}

/// What a user of the docker command needs to run it.
struct Tools {
    commands: CommandRunner,
    registry: Registry,
}

impl CliUser {
    /// Creates the configuration's directory and watches it. Every world has such a user: a daemon
    /// must leave the configuration alone also if the scenario is about something else, and there
    /// is no registry.
    pub(crate) async fn start(
        layout: CliLayout,
        registry: Option<Registry>,
        environment: &Environment,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, DockerCliError> {
        // Mounted before the watch starts, which would else watch the directory below the mount.
        let disk = layout.own_disk.then(|| ConfigDisk::mount(&layout.config));
        let disk = disk.transpose().map_err(DockerCliError::Disk)?;
        std::fs::create_dir_all(&layout.run).map_err(DockerCliError::Watch)?;
        let watch = ConfigWatch::start(layout.clone(), tasks, recorder).await;
        let watch = watch.map_err(DockerCliError::Watch)?;
        let tools = match registry {
            None => None,
            Some(registry) => {
                let commands = CommandRunner::new(environment, &watch, recorder)?;
                Some(Tools { commands, registry })
            }
        };
        Ok(Self { layout, watch, tools, endpoint: None, disk, recorder: recorder.clone() })
    }

    /// Records the user and the configuration as they are at the beginning of a run.
    pub(crate) fn begin(&self) {
        self.watch.record_initial();
    }

    /// Records the changes of the configuration up to now.
    pub(crate) fn record_changes(&self) {
        self.watch.record_changes();
    }

    /// Runs the docker command; the future may be awaited later. Returns what it printed the last
    /// time.
    ///
    /// # Panics
    /// If the scenario is not about the docker command; the check of schedules excludes that.
    pub(crate) fn run(
        &self,
        step: &DockerCommand,
    ) -> impl Future<Output = Result<String, CommandFailure>> + Send + use<> {
        let tools = self.tools.as_ref().expect("the schedule was checked: it has a user");
        let placeholders = Placeholders {
            endpoint: self.endpoint.as_ref().map_or("", Endpoint::address).to_owned(),
            ours: self.layout.facts.context.clone(),
            registry: tools.registry.addresses().iter().map(ToString::to_string).collect(),
            digest: tools.registry.last_digest(),
        };
        tools.commands.clone().run(step.clone(), placeholders)
    }

    /// Makes the user's engine reachable at another address, or nowhere.
    pub(crate) async fn put_endpoint(
        &mut self,
        op: EndpointOp,
        upstream: PathBuf,
    ) -> Result<(), DockerCliError> {
        // Closed first: the next one may need the same socket.
        if let Some(earlier) = self.endpoint.take() {
            earlier.close().await.map_err(EndpointError::from)?;
        }
        self.endpoint = Endpoint::open(op, &self.layout, upstream, &self.recorder).await?;
        let address = self.endpoint.as_ref().map(|endpoint| endpoint.address().to_owned());
        let default = op == EndpointOp::Default;
        self.recorder.append(What::Endpoint { address, default });
        Ok(())
    }

    /// The wire before the user's engine, if the engine is reachable.
    pub(crate) fn wire(&self) -> Option<&Wire> {
        self.endpoint.as_ref().map(Endpoint::wire)
    }

    /// Changes a file of the configuration as the user.
    pub(crate) fn put_file(&self, step: &DockerFileStep) -> Result<(), DockerCliError> {
        let op = match &step.put {
            Some(FileOp::Text(text)) => {
                let endpoint = self.endpoint.as_ref().map_or("", Endpoint::address);
                let ours = &self.layout.facts.context;
                Some(FileOp::Text(text.replace(ENDPOINT, endpoint).replace(OURS, ours)))
            }
            Some(_) | None => step.put.clone(),
        };
        // The path is looked up inside the closure, under the lock of the watch.
        let change = || {
            let path = match &step.context {
                None if step.contexts => self.layout.config.join(CONTEXTS_DIRECTORY),
                None => self.layout.config.join(CONFIG_FILE),
                Some(name) if name == OURS => {
                    file_ops::context_file(&self.layout, &self.layout.facts.context)?
                }
                Some(name) => file_ops::context_file(&self.layout, name)?,
            };
            if let Some(op) = &op {
                file_ops::apply(&self.layout, &path, op)?;
            }
            set_owner_and_mode(&path, step.owner, step.mode_bits())
        };
        self.watch.as_user(change).map_err(DockerCliError::State)
    }

    /// Makes the configuration's file system full, read-only, or normal again.
    pub(crate) fn put_disk(&self, op: DiskOp) -> Result<(), DockerCliError> {
        let disk = self.disk.as_ref().expect("the schedule was checked: it needs one");
        self.watch.as_user(|| disk.set_state(op)).map_err(DockerCliError::Disk)
    }

    /// Arms a trap that acts on the process `pid` when it begins to write the configuration.
    ///
    /// # Errors
    /// If the kernel cannot hold a process that opens a file.
    pub(crate) fn arm_trap(
        &self,
        pid: u32,
        action: TrapAction,
    ) -> Result<WriteTrap, DockerCliError> {
        self.watch.arm_trap(pid, action).map_err(DockerCliError::Gate)
    }

    /// Whether the configuration's directory has a file that was about to replace the
    /// configuration.
    pub(crate) fn has_unfinished_write(&self) -> bool {
        self.watch.has_unfinished_write()
    }

    /// The directory that the daemon sees as `/run`.
    pub(crate) fn run_directory(&self) -> &Path {
        &self.layout.run
    }

    /// Ends the user's engine and unmounts the file system. Returns a line for each that failed.
    pub(crate) async fn close(self) -> Vec<String> {
        let closed = match self.endpoint {
            Some(endpoint) => {
                endpoint.close().await.err().map(|error: WireError| error.to_string())
            }
            None => None,
        };
        let unmounted = self.disk.and_then(|disk| disk.unmount().err());
        closed.into_iter().chain(unmounted.map(|error| error.to_string())).collect()
    }
}
