//! What the engine holds, asked on its own socket past the wire, where no fault touches the
//! answers.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{BollardDate, ContainerInspectResponse, EventMessage, ImageInspect, Volume};
use bollard::query_parameters::{
    EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    ListImagesOptionsBuilder, ListVolumesOptions,
};
use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::jiff::Timestamp;
use racetrap_history::{
    ContainerDetails, EngineContainer, EngineEvent, EngineImage, EngineState, EngineVolume,
    ImageDetails, PortBinding, VolumeDetails, What,
};
use tokio::task::JoinSet;

use super::choice::{EngineChoice, ImageStore};
use super::client::{self, found};
use super::running::Engine;
use crate::clock;
use crate::recorder::Recorder;

/// How long one request may take, in seconds.
pub(super) const REQUEST_SECONDS: u64 = 20;

/// How long one request may take in a guest, in seconds. Where software emulates the guest's
/// processors on a busy machine, a container takes that long to start.
pub(super) const GUEST_REQUEST_SECONDS: u64 = 120;

/// How long to pause after the stream of events has ended, as it does when the engine is restarted.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// The engine did not answer on its own socket.
#[derive(Debug, thiserror::Error)]
#[error("the engine did not answer on its own socket")]
pub struct TruthError(#[from] bollard::errors::Error);

/// Connects to the engine on `socket`.
pub(super) async fn connect(socket: &Path) -> Result<Docker, TruthError> {
    Ok(client::connect(socket, REQUEST_SECONDS).await?)
}

/// Asks the engine on a socket what it is.
pub(super) async fn identify(socket: &Path) -> Result<EngineIdentity, TruthError> {
    EngineIdentity::query(&connect(socket).await?).await
}

/// What an engine says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EngineIdentity {
    version: String,
    driver: String,
    /// Whether containerd stores its images.
    is_containerd: bool,
}

impl EngineIdentity {
    async fn query(docker: &Docker) -> Result<Self, TruthError> {
        let info = docker.info().await?;
        // With containerd's store, `driver` is the name of a snapshotter, which may also be the
        // name of a driver of the engine's own store. Only the driver's type tells them apart.
        let status = info.driver_status.unwrap_or_default();
        let is_containerd = status.iter().flatten().any(|word| word.contains("io.containerd."));
        Ok(Self {
            version: docker.version().await?.version.unwrap_or_default(),
            driver: info.driver.unwrap_or_default(),
            is_containerd,
        })
    }

    /// Whether the engine is the one that was chosen.
    pub(super) fn matches(&self, choice: EngineChoice) -> bool {
        let store = match choice.store {
            None => true,
            Some(ImageStore::Containerd) => self.is_containerd,
            Some(ImageStore::Overlay2) => !self.is_containerd && self.driver == "overlay2",
        };
        store && choice.covers(&self.version)
    }
}

impl fmt::Display for EngineIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, driver, is_containerd } = self;
        let store = if *is_containerd { "containerd's " } else { "" };
        write!(f, "dockerd {version} ({store}{driver})")
    }
}

/// Observes the engine on its own socket, and records what it holds.
#[derive(Clone)]
pub(crate) struct Truth {
    docker: Docker,
    recorder: Recorder,
}

impl Truth {
    /// Connects, records what the engine holds, and follows its events in a task of `tasks`.
    pub(crate) async fn observe(
        engine: &Engine,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, TruthError> {
        let (socket, seconds) = (engine.truth_socket(), engine.request_seconds());
        let docker = client::connect(&socket, seconds).await.map_err(TruthError::from)?;
        let truth = Self { docker, recorder: recorder.clone() };
        truth.refresh().await?;
        let follower = truth.clone();
        tasks.spawn(async move { follower.follow().await });
        Ok(truth)
    }

    /// The client of the engine's own socket.
    pub(crate) fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Version and image store of the engine, in words.
    pub(crate) async fn version(&self) -> Result<String, TruthError> {
        Ok(EngineIdentity::query(&self.docker).await?.to_string())
    }

    /// Asks the engine for everything that it holds, and records it if it differs from the last
    /// record.
    pub(crate) async fn refresh(&self) -> Result<(), TruthError> {
        let state = self.state().await?;
        if !self.recorder.with_view(|view| *view.truth() == state) {
            self.recorder.append(What::Truth(state));
        }
        Ok(())
    }

    /// Follows the engine's events until its task is aborted, also after a restart of the engine.
    async fn follow(&self) {
        // Time of the last event, in nanoseconds.
        let mut since: Option<i64> = None;
        loop {
            let mut options = EventsOptionsBuilder::default();
            if let Some(since) = since {
                // In whole seconds, so the stream repeats some events; `record` leaves them out.
                options = options.since(&(since / 1_000_000_000).to_string());
            }
            let mut events = std::pin::pin!(self.docker.events(Some(options.build())));
            while let Some(Ok(first)) = events.next().await {
                // All events that have come already are recorded before the engine is asked once:
                // to ask after each of a thousand events would take longer than the events do.
                let mut next = Some(first);
                while let Some(message) = next {
                    self.record(&message, &mut since);
                    next = events.next().now_or_never().flatten().and_then(Result::ok);
                }
                if let Err(error) = self.refresh().await {
                    self.recorder.note(format!("side channel: {error}"));
                }
            }
            clock::pause(RETRY_PAUSE).await;
        }
    }

    /// Records an event, unless it was recorded before the stream was opened again.
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
            let answer = self.docker.inspect_container(&id, None::<InspectContainerOptions>).await;
            // It may have been removed since the list.
            let Some(container) = found(answer)? else { continue };
            let seen = engine_container(container);
            containers.insert(id, seen);
        }
        Ok(containers)
    }

    async fn images(&self) -> Result<BTreeMap<String, EngineImage>, TruthError> {
        let options = ListImagesOptionsBuilder::default().all(true).build();
        let mut images = BTreeMap::new();
        for listed in self.docker.list_images(Some(options)).await? {
            let answer = self.docker.inspect_image(&listed.id).await;
            // It may have been removed since the list.
            let Some(image) = found(answer)? else { continue };
            let seen = engine_image(image);
            images.insert(listed.id, seen);
        }
        Ok(images)
    }

    async fn volumes(&self) -> Result<BTreeMap<String, EngineVolume>, TruthError> {
        let listed = self.docker.list_volumes(None::<ListVolumesOptions>).await?;
        let volumes = listed.volumes.unwrap_or_default().into_iter();
        let volumes = volumes.map(|volume| (volume.name.clone(), engine_volume(volume)));
        Ok(volumes.collect())
    }
}

/// A container as a record has it.
fn engine_container(container: ContainerInspectResponse) -> EngineContainer {
    let state = container.state.unwrap_or_default();
    let labels = container.config.and_then(|config| config.labels);
    let ports = container.network_settings.and_then(|settings| settings.ports);
    let ports = ports.unwrap_or_default().into_iter().map(|(name, bindings)| {
        let bindings = bindings.unwrap_or_default().into_iter().map(|binding| PortBinding {
            host_ip: binding.host_ip.unwrap_or_default(),
            host_port: binding.host_port.unwrap_or_default(),
        });
        (name, bindings.collect())
    });
    let details = ContainerDetails {
        path: container.path.unwrap_or_default(),
        args: container.args.unwrap_or_default(),
        ports: ports.collect(),
        pid: state.pid.unwrap_or_default(),
        exit_code: state.exit_code.unwrap_or_default(),
        error: state.error.unwrap_or_default(),
        created_at: rfc3339(container.created),
        started_at: state.started_at.unwrap_or_default(),
        finished_at: state.finished_at.unwrap_or_default(),
    };
    EngineContainer {
        name: container.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        image: container.image.unwrap_or_default(),
        state: state.status.map(|status| status.to_string()).unwrap_or_default(),
        labels: labels.unwrap_or_default().into_iter().collect(),
        details: Some(details),
    }
}

/// An image as a record has it.
fn engine_image(image: ImageInspect) -> EngineImage {
    let labels = image.config.and_then(|config| config.labels);
    let mut tags = image.repo_tags.unwrap_or_default();
    tags.sort();
    // Engines report them in any order, and every record is compared with the one before.
    let mut repo_digests = image.repo_digests.unwrap_or_default();
    repo_digests.sort();
    EngineImage {
        tags,
        os: image.os.unwrap_or_default(),
        architecture: image.architecture.unwrap_or_default(),
        labels: labels.unwrap_or_default().into_iter().collect(),
        details: Some(ImageDetails {
            repo_digests,
            size: image.size.unwrap_or_default(),
            created_at: rfc3339(image.created),
        }),
    }
}

/// A volume as a record has it.
fn engine_volume(volume: Volume) -> EngineVolume {
    EngineVolume {
        driver: volume.driver,
        mountpoint: volume.mountpoint,
        labels: volume.labels.into_iter().collect(),
        details: Some(VolumeDetails {
            scope: volume.scope.map(|scope| scope.to_string()).unwrap_or_default(),
            options: volume.options.into_iter().collect(),
            created_at: rfc3339(volume.created_at),
        }),
    }
}

/// A time in RFC 3339, in UTC; empty if there is none.
fn rfc3339(date: Option<BollardDate>) -> String {
    let time = date.and_then(|date| Timestamp::from_nanosecond(date.unix_timestamp_nanos()).ok());
    time.map(|time| time.to_string()).unwrap_or_default()
}

/// The event as a record has it; `None` if a field is missing.
fn read_event(message: &EventMessage) -> Option<EngineEvent> {
    let actor = message.actor.as_ref()?;
    Some(EngineEvent {
        object: message.typ?.to_string(),
        action: message.action.clone()?,
        id: actor.id.clone()?,
        container: actor.attributes.as_ref().and_then(|all| all.get("container").cloned()),
        time_ns: message.time_nano?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Engines of three versions with both stores. Each choice is compared with all of them: it must
    // match those that it names, and no others.
    #[test]
    fn an_engine_matches_the_choices_that_name_its_version_and_its_store() {
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
            let matching = engines.iter().enumerate().filter(|(_, engine)| engine.matches(chosen));
            assert_eq!(matching.map(|(index, _)| index).collect::<Vec<_>>(), expected, "{choice}");
        }
    }
}
