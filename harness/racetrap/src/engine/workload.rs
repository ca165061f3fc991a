//! Changes the engine as its user would, on its own socket past the wire, while the daemon follows.

#![expect(clippy::disallowed_types, reason = "the engine's client takes hash maps")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bollard::Docker;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::{ExecConfig, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptions, ListVolumesOptions,
    PruneImagesOptionsBuilder, PruneVolumesOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveVolumeOptions, RenameContainerOptionsBuilder, RestartContainerOptionsBuilder,
    StartContainerOptions, StopContainerOptionsBuilder,
};
use futures::StreamExt as _;
use racetrap_history::{ContainerOp, Exec, NewContainer, NewVolume, Prune};

use super::container_body::{container_body, some_map};

/// The first version of the engine's API by which a prune of volumes leaves those with a name alone,
/// unless it is told not to.
const PRUNES_ANONYMOUS: (usize, usize) = (1, 42);

/// The engine could not be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkloadError {
    /// The engine refused a request.
    #[error("the engine refused a request")]
    Engine(#[from] bollard::errors::Error),
    /// The scenario names an object that no earlier step has made.
    #[error("no earlier step has made an image or a container called `{0}`")]
    UnknownName(String),
    /// An image was loaded, built or committed, but the engine does not list it.
    #[error("the image `{0}` was made, and the engine does not list it")]
    NotListed(String),
    /// A docker command was to make something, and did not print its ID.
    #[error("the docker command that makes `{0}` printed `{1}`, by which the engine knows nothing")]
    NotPrinted(String, String),
    /// The context of a build could not be packed.
    #[error("the context of a build could not be packed")]
    Context(#[source] std::io::Error),
    /// The engine did not refuse what it had to refuse.
    #[error("the engine was to refuse the volume `{name}` with `{expected}`: {got}")]
    NotRefused {
        /// The volume.
        name: String,
        /// What its message must contain.
        expected: String,
        /// What it did.
        got: String,
    },
    /// A command in a container ended with another status than the scenario allows.
    #[error(
        "`{command}` in the container exited with {code}, not {promised}; it printed: {printed}"
    )]
    Exec {
        /// Program and arguments.
        command: String,
        /// Its status.
        code: i64,
        /// The statuses that the scenario allows.
        promised: String,
        /// What it printed.
        printed: String,
    },
}

/// Changes one engine. Knows the IDs of the objects that it has made by their names in the
/// scenario.
pub(crate) struct Workload {
    docker: Docker,
    names: BTreeMap<String, String>,
    /// Names that the engine does not know, because a docker command made what they stand for.
    only_here: BTreeSet<String>,
}

impl Workload {
    /// A workload on the engine that `docker` is connected to.
    pub(crate) fn new(docker: Docker) -> Self {
        Self { docker, names: BTreeMap::new(), only_here: BTreeSet::new() }
    }

    pub(super) fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Takes the ID of an object by the scenario's name.
    pub(super) fn name(&mut self, name: &str, id: String) {
        self.only_here.remove(name);
        self.names.insert(name.to_owned(), id);
    }

    /// Takes the ID of an object whose name only the scenario knows.
    pub(super) fn name_only_here(&mut self, name: &str, id: String) {
        self.names.insert(name.to_owned(), id);
        self.only_here.insert(name.to_owned());
    }

    /// How the engine is told of a container: by its name, or by its ID if the engine does not know
    /// the scenario's name.
    pub(super) fn handle<'a>(&'a self, name: &'a str) -> &'a str {
        let id = self.names.get(name).filter(|_| self.only_here.contains(name));
        id.map_or(name, String::as_str)
    }

    /// The engine's ID of the object that the scenario calls `name`.
    pub(crate) fn id(&self, name: &str) -> Result<&str, WorkloadError> {
        self.names
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| WorkloadError::UnknownName(name.to_owned()))
    }

    /// Creates a container, and starts it if the scenario says so.
    pub(crate) async fn create_container(
        &mut self,
        new: &NewContainer,
    ) -> Result<(), WorkloadError> {
        let body = container_body(new, self.id(&new.image)?);
        let options = CreateContainerOptionsBuilder::default().name(&new.name).build();
        let created = self.docker.create_container(Some(options), body).await?;
        self.name(&new.name, created.id);
        if new.start {
            self.change_container(&new.name, ContainerOp::Start).await?;
        }
        Ok(())
    }

    /// Gives a container another name, by which the scenario knows it from then on.
    pub(crate) async fn rename(&mut self, name: &str, to: &str) -> Result<(), WorkloadError> {
        let options = RenameContainerOptionsBuilder::default().name(to).build();
        self.docker.rename_container(self.handle(name), options).await?;
        self.only_here.remove(name);
        if let Some(id) = self.names.remove(name) {
            self.name(to, id);
        }
        Ok(())
    }

    /// Runs a command in a running container, and waits for its end unless it is detached.
    pub(crate) async fn exec(&self, exec: &Exec) -> Result<(), WorkloadError> {
        let config = ExecConfig {
            cmd: Some(exec.command.clone()),
            attach_stdout: Some(!exec.detach),
            attach_stderr: Some(!exec.detach),
            ..ExecConfig::default()
        };
        let created = self.docker.create_exec(self.handle(&exec.container), config).await?;
        let options = StartExecOptions { detach: exec.detach, ..StartExecOptions::default() };
        let started = self.docker.start_exec(&created.id, Some(options)).await?;
        let StartExecResults::Attached { mut output, .. } = started else { return Ok(()) };
        let mut printed = String::new();
        while let Some(part) = output.next().await {
            printed.push_str(&part?.to_string());
        }
        let ended = self.docker.inspect_exec(&created.id).await?;
        let code = ended.exit_code.unwrap_or_default();
        if i32::try_from(code).is_ok_and(|code| exec.exit.allow(code)) {
            return Ok(());
        }
        let (command, promised) = (exec.command.join(" "), exec.exit.to_string());
        Err(WorkloadError::Exec { command, code, promised, printed })
    }

    /// Removes everything of a kind that nothing uses.
    pub(crate) async fn prune(&self, what: Prune) -> Result<(), WorkloadError> {
        match what {
            Prune::Containers => drop(self.docker.prune_containers(None).await?),
            Prune::Images => self.prune_images("true").await?,
            Prune::Volumes => self.prune_volumes().await?,
            Prune::All => {
                self.docker.prune_containers(None).await?;
                self.prune_images("false").await?;
                self.prune_volumes().await?;
            }
        }
        Ok(())
    }

    async fn prune_images(&self, dangling: &str) -> Result<(), WorkloadError> {
        let filters = HashMap::from([("dangling", vec![dangling])]);
        let options = PruneImagesOptionsBuilder::default().filters(&filters).build();
        self.docker.prune_images(Some(options)).await?;
        Ok(())
    }

    async fn prune_volumes(&self) -> Result<(), WorkloadError> {
        let version = self.docker.client_version();
        let knows_all = (version.major_version, version.minor_version) >= PRUNES_ANONYMOUS;
        // Older engines prune all volumes, and refuse the filter.
        let filters: HashMap<&str, Vec<&str>> =
            knows_all.then(|| ("all", vec!["true"])).into_iter().collect();
        let options = PruneVolumesOptionsBuilder::default().filters(&filters).build();
        self.docker.prune_volumes(Some(options)).await?;
        Ok(())
    }

    /// Starts, stops, kills, pauses, unpauses or restarts a container.
    pub(crate) async fn change_container(
        &self,
        name: &str,
        op: ContainerOp,
    ) -> Result<(), WorkloadError> {
        let name = self.handle(name);
        match op {
            ContainerOp::Start => self.docker.start_container(name, None::<StartContainerOptions>),
            ContainerOp::Stop => {
                let options = StopContainerOptionsBuilder::default().t(5).build();
                return Ok(self.docker.stop_container(name, Some(options)).await?);
            }
            ContainerOp::Kill => {
                return Ok(self.docker.kill_container(name, None::<KillContainerOptions>).await?);
            }
            ContainerOp::Pause => return Ok(self.docker.pause_container(name).await?),
            ContainerOp::Unpause => return Ok(self.docker.unpause_container(name).await?),
            ContainerOp::Restart => {
                let options = RestartContainerOptionsBuilder::default().t(5).build();
                return Ok(self.docker.restart_container(name, Some(options)).await?);
            }
        }
        .await?;
        Ok(())
    }

    /// Removes a container, also a running one.
    pub(crate) async fn remove_container(&self, name: &str) -> Result<(), WorkloadError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        Ok(self.docker.remove_container(self.handle(name), Some(options)).await?)
    }

    /// Creates `count` exec instances in a running container, and starts none: each makes one
    /// event.
    pub(crate) async fn prepare_execs(
        &self,
        container: &str,
        count: u32,
    ) -> Result<(), WorkloadError> {
        for _ in 0..count {
            // The command need not exist, because it is never started.
            let config = ExecConfig { cmd: Some(vec!["never".to_owned()]), ..Default::default() };
            self.docker.create_exec(self.handle(container), config).await?;
        }
        Ok(())
    }

    /// Creates a volume.
    pub(crate) async fn create_volume(&self, name: &str) -> Result<(), WorkloadError> {
        let request =
            VolumeCreateRequest { name: Some(name.to_owned()), ..VolumeCreateRequest::default() };
        self.docker.create_volume(request).await?;
        Ok(())
    }

    /// Creates a volume as a scenario describes it.
    pub(crate) async fn create_described_volume(
        &self,
        new: &NewVolume,
    ) -> Result<Option<String>, WorkloadError> {
        let NewVolume { name, driver, options, labels, refused } = new;
        let request = VolumeCreateRequest {
            name: Some(name.clone()),
            driver: driver.clone(),
            driver_opts: some_map(options),
            labels: some_map(labels),
            ..VolumeCreateRequest::default()
        };
        let created = self.docker.create_volume(request).await;
        let Some(expected) = refused else { return Ok(created.map(|_| None)?) };
        let got = match created {
            Err(bollard::errors::Error::DockerResponseServerError { message, .. })
                if message.contains(expected.as_str()) =>
            {
                return Ok(Some(message));
            }
            Err(error) => error.to_string(),
            Ok(_) => "it created it".to_owned(),
        };
        Err(WorkloadError::NotRefused { name: name.clone(), expected: expected.clone(), got })
    }

    /// Creates the volumes `prefix1`, `prefix2` and so on.
    pub(crate) async fn create_volumes(
        &self,
        prefix: &str,
        count: u32,
    ) -> Result<(), WorkloadError> {
        for number in 1..=count {
            self.create_volume(&format!("{prefix}{number}")).await?;
        }
        Ok(())
    }

    /// Removes every volume whose name begins with `prefix`.
    pub(crate) async fn remove_volumes(&self, prefix: &str) -> Result<(), WorkloadError> {
        let listed = self.docker.list_volumes(None::<ListVolumesOptions>).await?;
        let volumes = listed.volumes.unwrap_or_default();
        for volume in volumes.iter().filter(|volume| volume.name.starts_with(prefix)) {
            self.remove_volume(&volume.name).await?;
        }
        Ok(())
    }

    /// Removes a volume.
    pub(crate) async fn remove_volume(&self, name: &str) -> Result<(), WorkloadError> {
        Ok(self.docker.remove_volume(name, None::<RemoveVolumeOptions>).await?)
    }
}
