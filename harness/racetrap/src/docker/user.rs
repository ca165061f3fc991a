//! All that the user of the docker command has in one world.

use std::io;
use std::path::{Path, PathBuf};

use racetrap_history::{
    CONFIG_FILE, DiskOp, DockerCommand, DockerFileStep, DockerNeeds, ENDPOINT, EndpointOp, FileOp,
    What,
};
use racetrap_wire::{Wire, WireError};
use tokio::task::JoinSet;

use super::command::{Commands, Ended, Names};
use super::disk::Disk;
use super::endpoint::{Endpoint, EndpointError};
use super::place::Place;
use super::registry::Registry;
use super::state;
use super::strike::{Blow, Strike};
use super::watch::Watch;
use crate::process::Environment;
use crate::recorder::Recorder;

/// The user's part of a world could not be made, or not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DockerError {
    /// There is no docker command.
    #[error("there is no {name} on PATH (package {package}), which this scenario's user runs")]
    NoCommand {
        /// The program.
        name: &'static str,
        /// Its package in Debian and Ubuntu.
        package: &'static str,
    },
    /// The kernel does not tell of the configuration's changes.
    #[error("the docker command's configuration could not be watched")]
    Watch(#[source] io::Error),
    /// Who opens a file of it cannot be held.
    #[error("nobody can be held who opens a file of the docker command's configuration (fanotify)")]
    Gate(#[source] io::Error),
    /// It has no file system of its own.
    #[error("there is no file system for the docker command's configuration")]
    Disk(#[source] io::Error),
    /// A state of it could not be made.
    #[error("the docker command's configuration could not be put into that state")]
    State(#[source] io::Error),
    /// Nobody listens where the user would log in.
    #[error("there is no registry")]
    Registry(#[source] io::Error),
    /// The user's engine is not where it shall be.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// The user of one world.
pub(crate) struct User {
    place: Place,
    watch: Watch,
    /// Where a scenario is about the docker command.
    acting: Option<Acting>,
    endpoint: Option<Endpoint>,
    disk: Option<Disk>,
    recorder: Recorder,
}

struct Acting {
    commands: Commands,
    registry: Registry,
}

impl User {
    /// Makes the configuration's directory and watches it.
    pub(crate) async fn start(
        place: Place,
        needs: Option<&DockerNeeds>,
        environment: &Environment,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, DockerError> {
        let disk = needs.is_some_and(|needs| needs.disk).then(|| Disk::mount(&place.directory));
        let disk = disk.transpose().map_err(DockerError::Disk)?;
        std::fs::create_dir_all(&place.run).map_err(DockerError::Watch)?;
        let watch = Watch::start(place.clone(), tasks, recorder).await;
        let watch = watch.map_err(DockerError::Watch)?;
        let acting = match needs {
            None => None,
            Some(_) => Some(Acting {
                commands: Commands::of(environment, &watch, recorder)?,
                registry: Registry::start().await.map_err(DockerError::Registry)?,
            }),
        };
        Ok(Self { place, watch, acting, endpoint: None, disk, recorder: recorder.clone() })
    }

    /// Tells what there is as a run begins.
    pub(crate) fn begin(&self) {
        self.watch.begin();
    }

    /// Records what has happened to the configuration up to now.
    pub(crate) fn look(&self) {
        self.watch.look();
    }

    /// Runs the docker command; the future may be awaited later.
    ///
    /// # Panics
    /// Where the scenario has no such user; schedules are checked for that.
    pub(crate) fn run(
        &self,
        step: &DockerCommand,
    ) -> impl Future<Output = Result<(), Ended>> + Send + use<> {
        let acting = self.acting.as_ref().expect("the schedule was checked: it has a user");
        let names = Names {
            endpoint: self.endpoint.as_ref().map_or("", Endpoint::address).to_owned(),
            ours: self.place.user.context.clone(),
            registry: acting.registry.addresses(),
        };
        acting.commands.clone().run(step.clone(), names)
    }

    /// Puts the user's engine at a place, or takes it away.
    pub(crate) async fn put_endpoint(
        &mut self,
        op: EndpointOp,
        upstream: PathBuf,
    ) -> Result<(), DockerError> {
        if let Some(before) = self.endpoint.take() {
            before.close().await.map_err(EndpointError::from)?;
        }
        self.endpoint = Endpoint::open(op, &self.place, upstream, &self.recorder).await?;
        let address = self.endpoint.as_ref().map(|endpoint| endpoint.address().to_owned());
        let default = op == EndpointOp::Default;
        self.recorder.append(What::Endpoint { address, default });
        Ok(())
    }

    /// The wire before the user's engine, where that is anywhere.
    pub(crate) fn wire(&self) -> Option<&Wire> {
        self.endpoint.as_ref().map(Endpoint::wire)
    }

    /// Puts a part of the configuration into a state.
    pub(crate) fn put_file(&self, step: &DockerFileStep) -> Result<(), DockerError> {
        let put = match &step.put {
            FileOp::Text(text) => {
                let endpoint = self.endpoint.as_ref().map_or("", Endpoint::address);
                FileOp::Text(text.replace(ENDPOINT, endpoint))
            }
            FileOp::Directory | FileOp::Link | FileOp::Padded(_) | FileOp::Gone => step.put.clone(),
        };
        let act = || {
            let path = match &step.context {
                None => self.place.directory.join(CONFIG_FILE),
                Some(name) => state::context(&self.place, name)?,
            };
            state::put(&self.place, &path, &put)
        };
        self.watch.as_user(act).map_err(DockerError::State)
    }

    /// Puts the configuration's file system into a state.
    pub(crate) fn put_disk(&self, op: DiskOp) -> Result<(), DockerError> {
        let disk = self.disk.as_ref().expect("the schedule was checked: it needs one");
        self.watch.as_user(|| disk.put(op)).map_err(DockerError::Disk)
    }

    /// Does something to this process at the instant at which it begins to write the configuration.
    ///
    /// # Errors
    /// Where nobody can be held who opens a file.
    pub(crate) fn strike_at_write(&self, pid: u32, blow: Blow) -> Result<Strike, DockerError> {
        self.watch.strike_at_write(pid, blow).map_err(DockerError::Gate)
    }

    /// Whether something was about to be put in the configuration's place, and was not.
    pub(crate) fn has_torn(&self) -> bool {
        self.watch.has_torn()
    }

    /// What a daemon of this world has in the place of `/run`.
    pub(crate) fn run_directory(&self) -> &Path {
        &self.place.run
    }

    /// Ends what is there; gives a line for what would not go.
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
