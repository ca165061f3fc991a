//! What the engine holds, asked on its own socket: the truth that no fault touches.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::models::EventMessage;
use bollard::query_parameters::{
    EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    ListImagesOptionsBuilder, ListVolumesOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures::StreamExt as _;
use racetrap_history::{
    EngineContainer, EngineEvent, EngineImage, EngineState, EngineVolume, What,
};
use tokio::task::JoinSet;

use crate::clock;
use crate::recorder::Recorder;

/// Seconds that one request may take.
const REQUEST_SECONDS: u64 = 20;

/// The engine did not answer on the side channel.
#[derive(Debug, thiserror::Error)]
#[error("the engine did not answer on its own socket")]
pub struct TruthError(#[from] bollard::errors::Error);

/// Connects to an engine and agrees on a version of its API.
pub(crate) async fn connect(socket: &Path) -> Result<Docker, TruthError> {
    let path = socket.to_string_lossy();
    let docker = Docker::connect_with_unix(&path, REQUEST_SECONDS, API_DEFAULT_VERSION)?;
    docker.ping().await?;
    Ok(docker.negotiate_version().await?)
}

/// The side channel.
#[derive(Clone)]
pub(crate) struct Truth {
    docker: Docker,
    recorder: Recorder,
}

impl Truth {
    /// Connects, records what is there, and follows the engine's events in a task of `tasks`.
    pub(crate) async fn observe(
        socket: PathBuf,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, TruthError> {
        let truth = Self { docker: connect(&socket).await?, recorder: recorder.clone() };
        truth.refresh().await?;
        let follower = truth.clone();
        tasks.spawn(async move { follower.follow().await });
        Ok(truth)
    }

    /// The client, for a workload that goes past the wire.
    pub(crate) fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Name and version of the engine.
    pub(crate) async fn version(&self) -> Result<String, TruthError> {
        let version = self.docker.version().await?;
        let store = self.docker.info().await?.driver.unwrap_or_default();
        Ok(format!("dockerd {} ({store})", version.version.unwrap_or_default()))
    }

    /// Asks for everything and records it, where it differs from what is known.
    pub(crate) async fn refresh(&self) -> Result<(), TruthError> {
        let state = self.state().await?;
        if !self.recorder.with_view(|view| *view.truth() == state) {
            self.recorder.append(What::Truth(state));
        }
        Ok(())
    }

    /// Follows events for as long as the world lives, over restarts of the engine.
    async fn follow(&self) {
        let mut since: Option<i64> = None;
        loop {
            let mut options = EventsOptionsBuilder::default();
            if let Some(since) = since {
                options = options.since(&(since / 1_000_000_000).to_string());
            }
            let mut events = std::pin::pin!(self.docker.events(Some(options.build())));
            while let Some(Ok(message)) = events.next().await {
                let Some(event) = read_event(&message) else { continue };
                // A stream that begins in the past tells again what is known.
                if since.is_some_and(|since| event.time_ns <= since) {
                    continue;
                }
                since = Some(event.time_ns);
                self.recorder.append(What::Engine(event));
                if let Err(error) = self.refresh().await {
                    self.recorder.note(format!("side channel: {error}"));
                }
            }
            clock::pause(Duration::from_millis(20)).await;
        }
    }

    async fn state(&self) -> Result<EngineState, TruthError> {
        Ok(EngineState {
            containers: self.containers().await?,
            images: self.images().await?,
            volumes: self.volumes().await?,
        })
    }

    async fn containers(&self) -> Result<BTreeMap<String, EngineContainer>, TruthError> {
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let mut containers = BTreeMap::new();
        for listed in self.docker.list_containers(Some(options)).await? {
            let Some(id) = listed.id else { continue };
            let found = self.docker.inspect_container(&id, None::<InspectContainerOptions>).await;
            let Some(container) = unless_gone(found)? else { continue };
            let state = container.state.and_then(|state| state.status);
            let labels = container.config.and_then(|config| config.labels);
            let name = container.name.unwrap_or_default();
            let seen = EngineContainer {
                name: name.trim_start_matches('/').to_owned(),
                image: container.image.unwrap_or_default(),
                state: state.map(|state| state.to_string()).unwrap_or_default(),
                labels: labels.unwrap_or_default().into_iter().collect(),
            };
            containers.insert(id, seen);
        }
        Ok(containers)
    }

    async fn images(&self) -> Result<BTreeMap<String, EngineImage>, TruthError> {
        let options = ListImagesOptionsBuilder::default().all(true).build();
        let mut images = BTreeMap::new();
        for listed in self.docker.list_images(Some(options)).await? {
            let found = self.docker.inspect_image(&listed.id).await;
            let Some(image) = unless_gone(found)? else { continue };
            let labels = image.config.and_then(|config| config.labels);
            let mut tags = image.repo_tags.unwrap_or_default();
            tags.sort();
            let seen = EngineImage {
                tags,
                os: image.os.unwrap_or_default(),
                architecture: image.architecture.unwrap_or_default(),
                labels: labels.unwrap_or_default().into_iter().collect(),
            };
            images.insert(listed.id, seen);
        }
        Ok(images)
    }

    async fn volumes(&self) -> Result<BTreeMap<String, EngineVolume>, TruthError> {
        let listed = self.docker.list_volumes(None::<ListVolumesOptions>).await?;
        let volumes = listed.volumes.unwrap_or_default().into_iter().map(|volume| {
            let seen = EngineVolume {
                driver: volume.driver,
                mountpoint: volume.mountpoint,
                labels: volume.labels.into_iter().collect(),
            };
            (volume.name, seen)
        });
        Ok(volumes.collect())
    }
}

/// What is gone between list and inspect is not there; that is no failure.
fn unless_gone<T>(found: Result<T, bollard::errors::Error>) -> Result<Option<T>, TruthError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read_event(message: &EventMessage) -> Option<EngineEvent> {
    Some(EngineEvent {
        object: message.typ?.to_string(),
        action: message.action.clone()?,
        id: message.actor.as_ref()?.id.clone()?,
        time_ns: message.time_nano?,
    })
}
