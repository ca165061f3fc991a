//! What the engine holds, asked on its own socket: the truth that no fault touches.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::models::EventMessage;
use bollard::query_parameters::{
    EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    ListImagesOptionsBuilder, ListVolumesOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures::{FutureExt as _, StreamExt as _};
use racetrap_history::{
    EngineContainer, EngineEvent, EngineImage, EngineState, EngineVolume, What,
};
use tokio::task::JoinSet;

use super::choice::{EngineChoice, ImageStore};
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

/// What the engine on a socket is, by its own word.
pub(super) async fn identity(socket: &Path) -> Result<EngineIdentity, TruthError> {
    EngineIdentity::asked(&connect(socket).await?).await
}

/// What an engine says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EngineIdentity {
    version: String,
    driver: String,
    is_containerd: bool,
}

impl EngineIdentity {
    async fn asked(docker: &Docker) -> Result<Self, TruthError> {
        let info = docker.info().await?;
        // With containerd's store, the driver is one of its snapshotters, and its type says so.
        let status = info.driver_status.unwrap_or_default();
        let is_containerd = status.iter().flatten().any(|word| word.contains("io.containerd."));
        Ok(Self {
            version: docker.version().await?.version.unwrap_or_default(),
            driver: info.driver.unwrap_or_default(),
            is_containerd,
        })
    }

    /// Whether the engine is the one that was chosen.
    pub(super) fn fits(&self, choice: EngineChoice) -> bool {
        let store = match choice.store {
            None => true,
            Some(ImageStore::Containerd) => self.is_containerd,
            Some(ImageStore::Overlay2) => !self.is_containerd && self.driver == "overlay2",
        };
        let version = choice.installed_version();
        store && version.is_none_or(|version| version.covers(&self.version))
    }
}

impl fmt::Display for EngineIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, driver, is_containerd } = self;
        let store = if *is_containerd { "containerd's " } else { "" };
        write!(f, "dockerd {version} ({store}{driver})")
    }
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

    /// What the engine is, by its own word.
    pub(crate) async fn version(&self) -> Result<String, TruthError> {
        Ok(EngineIdentity::asked(&self.docker).await?.to_string())
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
            while let Some(Ok(first)) = events.next().await {
                // Of many events that are there already, only the last one is worth a question.
                let mut next = Some(first);
                while let Some(message) = next {
                    self.record(&message, &mut since);
                    next = events.next().now_or_never().flatten().and_then(Result::ok);
                }
                if let Err(error) = self.refresh().await {
                    self.recorder.note(format!("side channel: {error}"));
                }
            }
            clock::pause(Duration::from_millis(20)).await;
        }
    }

    /// Records an event, unless a stream that begins in the past tells again what is known.
    fn record(&self, message: &EventMessage, since: &mut Option<i64>) {
        let Some(event) = read_event(message) else { return };
        if since.is_none_or(|since| event.time_ns > since) {
            *since = Some(event.time_ns);
            self.recorder.append(What::Engine(event));
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

#[cfg(test)]
mod tests {
    use super::*;

    // What engines of three versions say of themselves, with either store; each choice is compared
    // with all of them, so that one that fits too much is seen as well as one that fits nothing.
    #[test]
    fn an_engine_fits_the_choices_that_name_its_version_and_its_store() {
        let engine = |version: &str, driver: &str, is_containerd| {
            let (version, driver) = (version.to_owned(), driver.to_owned());
            EngineIdentity { version, driver, is_containerd }
        };
        let engines = [
            engine("20.10.24+dfsg1", "overlay2", false),
            engine("26.1.5+dfsg1", "overlay2", false),
            engine("26.1.5+dfsg1", "overlayfs", true),
            engine("28.5.2+dfsg4", "overlayfs", true),
            engine("28.5.2+dfsg4", "vfs", false),
        ];
        for (choice, expected) in [
            ("dockerd", vec![0, 1, 2, 3, 4]),
            ("dockerd+overlay2", vec![0, 1]),
            ("dockerd+containerd", vec![2, 3]),
            ("dockerd:26.1", vec![1, 2]),
            ("dockerd:26.1+overlay2", vec![1]),
            ("dind:28.5", vec![3, 4]),
            ("dind:28.5+containerd", vec![3]),
        ] {
            let chosen = choice.parse().expect("a form of the table");
            let fitting = engines.iter().enumerate().filter(|(_, engine)| engine.fits(chosen));
            assert_eq!(fitting.map(|(index, _)| index).collect::<Vec<_>>(), expected, "{choice}");
        }
    }
}
