//! An engine as a privileged container on the user's own Docker, made by testcontainers.
//!
//! Its socket, its data and its configuration lie in the world's directory, which the container has
//! at the same path, so that everything else is as with an engine that is a process.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{
    InspectContainerOptions, KillContainerOptions, LogsOptionsBuilder, WaitContainerOptions,
};
use futures::StreamExt as _;
use racetrap_history::{ProcessState, What};
use testcontainers::core::Mount;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answer::wait_for_answer;
use super::choice::EngineVersion;
use super::error::EngineError;
use super::install::{Engines, Installed};
use super::site::Site;
use super::users_docker::{self, LABEL, UsersDockerError};
use crate::intent::Intent;
use crate::process::MARKER;
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal, remove_cgroups};

/// How long a container that was told to end may take.
const END_LIMIT: Duration = Duration::from_secs(60);

/// How long its dockerd may take of that before Docker kills it, in seconds.
const STOP_SECONDS: i32 = 30;

/// A running engine in a container.
pub(crate) struct Dind {
    site: Site,
    docker: Docker,
    container: ContainerAsync<GenericImage>,
    run: Run,
    _installed: Installed,
}

/// One run of the container's dockerd, from its start to its end.
#[derive(Debug)]
struct Run {
    expected: Arc<AtomicBool>,
    ended: watch::Receiver<Option<String>>,
}

impl std::fmt::Debug for Dind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dind").field("site", &self.site).field("run", &self.run).finish()
    }
}

impl Dind {
    /// Starts one and waits until it answers. `declare` is told what will be made, before.
    pub(super) async fn start(
        version: EngineVersion,
        site: Site,
        declare: impl Fn(Intent) -> io::Result<()>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        if site.live_restore {
            return Err(EngineError::NoLiveRestore);
        }
        let installed = Engines::of_user()?.take(version)?;
        let socket = users_docker::socket()?;
        let docker = users_docker::connect(&socket).await?;
        let (name, tag) = users_docker::image(&docker, &installed).await?;
        let failed = |source| EngineError::Process { what: "started", source };
        site.lay_out().map_err(failed)?;
        declare(Intent::ControlGroup(site.control_group.clone())).map_err(failed)?;
        declare(Intent::Containers { socket }).map_err(failed)?;
        let container = request(name, tag, &site).start().await?;
        let run = Run::follow(&docker, container.id(), &site, tasks, recorder).await?;
        let engine = Self { site, docker, container, run, _installed: installed };
        engine.wait_until_ready().await?;
        Ok(engine)
    }

    /// Its socket, past the wire.
    pub(super) fn socket(&self) -> PathBuf {
        self.site.socket()
    }

    /// Starts it again after it was killed or stopped, on the same data.
    pub(super) async fn restart(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        // Process IDs begin anew in the container, so that those of old files are other processes'.
        let failed = |source| EngineError::Process { what: "started again", source };
        for old in [self.site.pid_file(), self.site.running_state()] {
            remove(&old).map_err(failed)?;
        }
        self.container.start().await?;
        self.run =
            Run::follow(&self.docker, self.container.id(), &self.site, tasks, recorder).await?;
        self.wait_until_ready().await
    }

    /// Freezes the container, with all that it runs.
    pub(super) async fn freeze(&self) -> Result<(), EngineError> {
        Ok(self.container.pause().await?)
    }

    /// Ends a freeze.
    pub(super) async fn thaw(&self) -> Result<(), EngineError> {
        Ok(self.container.unpause().await?)
    }

    /// Ends the container's dockerd, and all that it runs with it; its data stay.
    pub(super) async fn end(&mut self, signal: Signal) -> Result<(), EngineError> {
        self.run.expected.store(true, Ordering::SeqCst);
        if signal == Signal::KILL {
            let id = self.container.id();
            let killed = self.docker.kill_container(id, None::<KillContainerOptions>).await;
            killed.map_err(|source| UsersDockerError::Refused { what: "killing", source })?;
        } else {
            self.container.stop_with_timeout(Some(STOP_SECONDS)).await?;
        }
        self.run.wait_for_end().await
    }

    /// Removes the container.
    pub(super) async fn close(mut self) -> Result<(), EngineError> {
        self.run.expected.store(true, Ordering::SeqCst);
        self.container.rm().await?;
        self.run.wait_for_end().await?;
        let failed = |source| EngineError::Process { what: "ended", source };
        remove_cgroups(&self.site.control_group).map_err(failed)
    }

    async fn wait_until_ready(&self) -> Result<(), EngineError> {
        let ended = || self.run.ended.borrow().clone();
        wait_for_answer(&self.socket(), ended, &self.site.log).await
    }
}

/// What testcontainers is asked for. Nothing waits there for anything: whether the engine is ready is
/// asked on its socket.
fn request(name: &str, tag: String, site: &Site) -> testcontainers::ContainerRequest<GenericImage> {
    let directory = site.directory.to_string_lossy().into_owned();
    let marker = site.environment.marker().to_owned();
    GenericImage::new(name.to_owned(), tag)
        .with_entrypoint("/usr/sbin/dockerd")
        .with_cmd(site.arguments())
        .with_privileged(true)
        .with_mount(Mount::bind_mount(directory.clone(), directory))
        // Its containers have no network, and neither needs the user's Docker to have one.
        .with_host_config_modifier(|host| host.network_mode = Some("none".to_owned()))
        .with_label(LABEL, marker.clone())
        .with_env_var(MARKER, marker)
        .with_env_var("PATH", "/usr/sbin:/usr/bin")
}

impl Run {
    /// Follows a container that was just started, until it ends: what it says goes to the engine's
    /// log, and its beginning and end to the history.
    async fn follow(
        docker: &Docker,
        id: &str,
        site: &Site,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        let process = process_of(docker, id, site).await?;
        let record = move |recorder: &Recorder, state| {
            let Identity { pid, started } = process;
            recorder.append(What::Process { name: "engine".to_owned(), pid, started, state });
        };
        record(recorder, ProcessState::Started);
        let expected = Arc::new(AtomicBool::new(false));
        let (end, ended) = watch::channel(None);
        let failed = |source| EngineError::Process { what: "followed", source };
        // Docker tells all of it again, from the container's first start on.
        let log = std::fs::File::create(&site.log);
        let log = tokio::fs::File::from_std(log.map_err(failed)?);
        let (docker, id) = (docker.clone(), id.to_owned());
        let (asked, recorder) = (expected.clone(), recorder.clone());
        tasks.spawn(async move {
            let how = end_of(&docker, &id, log).await;
            let state = if asked.load(Ordering::SeqCst) {
                ProcessState::Stopped
            } else {
                ProcessState::Died { how: how.clone() }
            };
            record(&recorder, state);
            end.send_replace(Some(how));
        });
        Ok(Self { expected, ended })
    }

    async fn wait_for_end(&mut self) -> Result<(), EngineError> {
        match tokio::time::timeout(END_LIMIT, self.ended.wait_for(Option::is_some)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                let why =
                    format!("its container still runs {END_LIMIT:?} after it was told to end");
                Err(EngineError::Process { what: "ended", source: io::Error::other(why) })
            }
        }
    }
}

/// Removes a file or a directory; one that is not there is what is wanted.
fn remove(path: &Path) -> io::Result<()> {
    let removed =
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Its dockerd as this machine sees it; without an identity, where that is not the same machine.
async fn process_of(docker: &Docker, id: &str, site: &Site) -> Result<Identity, EngineError> {
    let container = docker.inspect_container(id, None::<InspectContainerOptions>).await;
    let container =
        container.map_err(|source| UsersDockerError::Refused { what: "inspecting", source })?;
    let pid = container.state.and_then(|state| state.pid).unwrap_or_default();
    let pid = u32::try_from(pid).unwrap_or_default();
    let seen = Identity::from_pid(pid).filter(|process| site.environment.is_of(*process));
    Ok(seen.unwrap_or(Identity { pid, started: 0 }))
}

/// Writes what a container says until it ends; how it ended.
async fn end_of(docker: &Docker, id: &str, mut log: tokio::fs::File) -> String {
    let options = LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).build();
    let mut said = std::pin::pin!(docker.logs(id, Some(options)));
    while let Some(Ok(part)) = said.next().await {
        // A log that cannot be written is missed, and the engine's end is told all the same.
        let _ = log.write_all(&part.into_bytes()).await;
    }
    let _ = log.flush().await;
    let mut ends = std::pin::pin!(docker.wait_container(id, None::<WaitContainerOptions>));
    match ends.next().await {
        Some(Ok(end)) => format!("exit code {}", end.status_code),
        Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => {
            format!("exit code {code}")
        }
        Some(Err(error)) => error.to_string(),
        None => "its container is gone".to_owned(),
    }
}
