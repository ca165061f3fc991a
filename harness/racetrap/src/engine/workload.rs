//! Changes the engine as its user would, on its own socket past the wire, while the daemon follows.

use std::collections::BTreeMap;

use bollard::Docker;
use bollard::models::{
    ContainerCreateBody, ExecConfig, HostConfig, HostConfigLogConfig, VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ImportImageOptions, KillContainerOptions, ListVolumesOptions,
    RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptions,
    RestartContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
    TagImageOptionsBuilder,
};
use futures::StreamExt as _;
use racetrap_history::{ContainerOp, IMAGE_LABEL, Prints};
use racetrap_images::ImageSpec;

use crate::mask::canary;

/// The engine could not be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkloadError {
    /// The engine refused a request.
    #[error("the engine refused a request")]
    Engine(#[from] bollard::errors::Error),
    /// The scenario names an object that no earlier step has made.
    #[error("no earlier step has made an image or a container called `{0}`")]
    UnknownName(String),
    /// An image was loaded, but the engine does not list it.
    #[error("the image `{0}` was loaded, and the engine does not list it")]
    NotLoaded(String),
}

/// Changes one engine. Knows the IDs of the objects that it has made by their names in the
/// scenario.
pub(crate) struct Workload {
    docker: Docker,
    names: BTreeMap<String, String>,
}

/// What a new container consists of.
pub(crate) struct NewContainer<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The scenario's name of a loaded image.
    pub(crate) image: &'a str,
    /// Names of the volumes that it mounts.
    pub(crate) volumes: &'a [String],
    /// What it prints.
    pub(crate) prints: &'a Prints,
}

impl Workload {
    /// A workload on the engine that `docker` is connected to.
    pub(crate) fn new(docker: Docker) -> Self {
        Self { docker, names: BTreeMap::new() }
    }

    /// The engine's ID of the object that the scenario calls `name`.
    pub(crate) fn id(&self, name: &str) -> Result<&str, WorkloadError> {
        self.names
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| WorkloadError::UnknownName(name.to_owned()))
    }

    /// Loads a small image. Its content depends on `alias`, so two aliases never have the same ID.
    pub(crate) async fn load_image(
        &mut self,
        alias: &str,
        tags: &[String],
    ) -> Result<(), WorkloadError> {
        let spec =
            ImageSpec { variant: alias.to_owned(), tags: tags.to_vec(), ..ImageSpec::default() };
        let archive = bollard::body_full(racetrap_images::archive(&spec).into());
        let mut progress =
            std::pin::pin!(self.docker.import_image(ImportImageOptions::default(), archive, None));
        while let Some(line) = progress.next().await {
            line?;
        }
        let id = self.loaded_id(alias).await?;
        self.names.insert(alias.to_owned(), id);
        Ok(())
    }

    /// The ID of a loaded image. It is asked for by a label, because it depends on the image store
    /// which digest is the ID.
    async fn loaded_id(&self, alias: &str) -> Result<String, WorkloadError> {
        let options =
            bollard::query_parameters::ListImagesOptionsBuilder::default().all(true).build();
        let listed = self.docker.list_images(Some(options)).await?;
        let labelled = listed
            .into_iter()
            .find(|image| image.labels.get(IMAGE_LABEL).is_some_and(|label| label == alias));
        labelled.map(|image| image.id).ok_or_else(|| WorkloadError::NotLoaded(alias.to_owned()))
    }

    /// Adds a tag such as `base:2` to an image.
    pub(crate) async fn tag(&self, image: &str, tag: &str) -> Result<(), WorkloadError> {
        let (repository, version) = tag.rsplit_once(':').unwrap_or((tag, "latest"));
        let options = TagImageOptionsBuilder::default().repo(repository).tag(version).build();
        Ok(self.docker.tag_image(self.id(image)?, Some(options)).await?)
    }

    /// Removes the tag `name`, or the image if `name` is its ID.
    pub(crate) async fn remove_image(&self, name: &str, force: bool) -> Result<(), WorkloadError> {
        let options = RemoveImageOptionsBuilder::default().force(force).build();
        self.docker.remove_image(name, Some(options), None).await?;
        Ok(())
    }

    /// Creates a container, and starts it if `start`.
    pub(crate) async fn create_container(
        &mut self,
        new: NewContainer<'_>,
        start: bool,
    ) -> Result<(), WorkloadError> {
        let NewContainer { name, image, volumes, prints } = new;
        let binds = volumes.iter().map(|volume| format!("{volume}:/volumes/{volume}")).collect();
        let body = ContainerCreateBody {
            image: Some(self.id(image)?.to_owned()),
            cmd: Some(match prints.command.as_slice() {
                // Runs until it is stopped.
                [] => vec!["sleep".to_owned()],
                words => words.to_vec(),
            }),
            tty: Some(prints.tty),
            env: Some(canary::container_variables(prints.command.is_empty())),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                binds: Some(binds),
                log_config: prints
                    .log_driver
                    .as_ref()
                    .map(|driver| HostConfigLogConfig { typ: Some(driver.clone()), config: None }),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let created = self.docker.create_container(Some(options), body).await?;
        self.names.insert(name.to_owned(), created.id);
        if start {
            self.change_container(name, ContainerOp::Start).await?;
        }
        Ok(())
    }

    /// Starts, stops, kills, pauses, unpauses or restarts a container.
    pub(crate) async fn change_container(
        &self,
        name: &str,
        op: ContainerOp,
    ) -> Result<(), WorkloadError> {
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
        Ok(self.docker.remove_container(name, Some(options)).await?)
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
            self.docker.create_exec(container, config).await?;
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
