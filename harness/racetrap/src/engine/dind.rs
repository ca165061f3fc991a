//! An engine as a privileged container on the user's Docker, managed by testcontainers.
//!
//! Its socket, data and configuration are in the world's directory, which is mounted into the
//! container at the same path. So the rest of the harness uses it like an engine that is a process.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{
    InspectContainerOptions, KillContainerOptions, LogsOptionsBuilder, WaitContainerOptions,
};
use futures::StreamExt as _;
use racetrap_history::Exit;
use testcontainers::core::Mount;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::choice::EngineVersion;
use super::config::EngineConfig;
use super::error::EngineError;
use super::install::{Engines, Installed};
use super::ready::wait_until_ready;
use super::users_docker::{self, LABEL, UsersDockerError};
use crate::intent::Intent;
use crate::process::{Lifetime, MARKER};
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal, remove_cgroups, remove_if_exists};

/// How long a container may take to end after it was told to.
const END_LIMIT: Duration = Duration::from_secs(60);

/// How long dockerd may take to end by SIGTERM until Docker kills it, in seconds.
const STOP_SECONDS: i32 = 30;

/// A running engine in a container.
pub(crate) struct Dind {
    config: EngineConfig,
    docker: Docker,
    container: ContainerAsync<GenericImage>,
    run: Run,
    _installed: Installed,
}

/// One run of the container, from its start to its end.
struct Run {
    lifetime: Lifetime,
    ended: watch::Receiver<Option<Exit>>,
}

impl std::fmt::Debug for Dind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dind").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Dind {
    /// Starts the engine and waits until it answers. Calls `declare` with each thing that it is
    /// going to create.
    pub(super) async fn start(
        version: EngineVersion,
        config: EngineConfig,
        declare: impl Fn(Intent) -> io::Result<()>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        if config.live_restore {
            return Err(EngineError::NoLiveRestore);
        }
        let installed = Engines::in_user_cache()?.acquire(version)?;
        let socket = users_docker::socket()?;
        let docker = users_docker::connect(&socket).await?;
        let (name, tag) = users_docker::image(&docker, &installed).await?;
        let failed = |source| EngineError::Process { what: "started", source };
        config.write_files().map_err(failed)?;
        declare(Intent::ControlGroup(config.control_group.clone())).map_err(failed)?;
        declare(Intent::Containers { socket }).map_err(failed)?;
        let container = request(name, tag, &config).start().await?;
        let run = Run::follow(&docker, container.id(), &config, tasks, recorder).await?;
        let engine = Self { config, docker, container, run, _installed: installed };
        engine.wait_until_ready().await?;
        Ok(engine)
    }

    /// The engine's own socket, past the wire.
    pub(super) fn socket(&self) -> PathBuf {
        self.config.socket()
    }

    /// Starts the engine again after it was killed or stopped, on the same data.
    pub(super) async fn restart(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        // A restarted container has a new PID namespace, in which the IDs that these files name
        // belong to other processes.
        let failed = |source| EngineError::Process { what: "started again", source };
        for outdated in [self.config.pid_file(), self.config.exec_root()] {
            remove_if_exists(&outdated).map_err(failed)?;
        }
        self.container.start().await?;
        let id = self.container.id();
        self.run = Run::follow(&self.docker, id, &self.config, tasks, recorder).await?;
        self.wait_until_ready().await
    }

    /// Freezes the container with everything that runs in it.
    pub(super) async fn freeze(&self) -> Result<(), EngineError> {
        Ok(self.container.pause().await?)
    }

    /// Lets a frozen engine go on.
    pub(super) async fn thaw(&self) -> Result<(), EngineError> {
        Ok(self.container.unpause().await?)
    }

    /// Ends dockerd and everything that runs in its container. Its data stay.
    pub(super) async fn end(&mut self, signal: Signal) -> Result<(), EngineError> {
        self.run.lifetime.expect_end();
        if signal == Signal::KILL {
            let id = self.container.id();
            let killed = self.docker.kill_container(id, None::<KillContainerOptions>).await;
            let what = "killing the engine's container";
            killed.map_err(|source| UsersDockerError::Refused { what, source })?;
        } else {
            self.container.stop_with_timeout(Some(STOP_SECONDS)).await?;
        }
        self.run.wait_for_end().await
    }

    /// Removes the container.
    pub(super) async fn close(mut self) -> Result<(), EngineError> {
        self.run.lifetime.expect_end();
        self.container.rm().await?;
        self.run.wait_for_end().await?;
        let failed = |source| EngineError::Process { what: "ended", source };
        remove_cgroups(&self.config.control_group).map_err(failed)
    }

    async fn wait_until_ready(&self) -> Result<(), EngineError> {
        let ended = || self.run.ended.borrow().as_ref().map(ToString::to_string);
        wait_until_ready(&self.socket(), ended, &self.config.log).await
    }
}

/// The container that testcontainers must create. It has no condition to wait for, because the
/// harness asks the engine on its socket whether it is ready.
fn request(
    name: &str,
    tag: String,
    config: &EngineConfig,
) -> testcontainers::ContainerRequest<GenericImage> {
    let directory = config.directory.to_string_lossy().into_owned();
    let marker = config.environment.marker().to_owned();
    GenericImage::new(name.to_owned(), tag)
        .with_entrypoint("/usr/sbin/dockerd")
        .with_cmd(config.arguments())
        .with_privileged(true)
        .with_mount(Mount::bind_mount(directory.clone(), directory))
        // The engine's containers have no network, so it works on a Docker that has none either.
        .with_host_config_modifier(|host| host.network_mode = Some("none".to_owned()))
        .with_label(LABEL, marker.clone())
        .with_env_var(MARKER, marker)
        .with_env_var("PATH", "/usr/sbin:/usr/bin")
}

impl Run {
    /// Records the start of a container that was just started. A task copies its output to the
    /// engine's log and records its end.
    async fn follow(
        docker: &Docker,
        id: &str,
        config: &EngineConfig,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        let process = process_of(docker, id, config).await?;
        let lifetime = Lifetime::begin("engine", process, recorder);
        let (end, ended) = watch::channel(None);
        let failed = |source| EngineError::Process { what: "followed", source };
        // Emptied at each start: Docker sends the output of all earlier runs of the container
        // again.
        let log = std::fs::File::create(&config.log);
        let log = tokio::fs::File::from_std(log.map_err(failed)?);
        let (docker, id, recorded) = (docker.clone(), id.to_owned(), lifetime.clone());
        tasks.spawn(async move {
            let exit = follow_to_end(&docker, &id, log).await;
            // Recorded first, so that the history has the end when whoever waits for it goes on.
            recorded.end(exit.clone());
            end.send_replace(Some(exit));
        });
        Ok(Self { lifetime, ended })
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

/// The container's dockerd as a process of this machine. Its start time is 0 if the process is not
/// visible here, because the user's Docker runs in another PID namespace or on another machine.
async fn process_of(
    docker: &Docker,
    id: &str,
    config: &EngineConfig,
) -> Result<Identity, EngineError> {
    let container = docker.inspect_container(id, None::<InspectContainerOptions>).await;
    let what = "inspecting the engine's container";
    let container = container.map_err(|source| UsersDockerError::Refused { what, source })?;
    let pid = container.state.and_then(|state| state.pid).unwrap_or_default();
    let pid = u32::try_from(pid).unwrap_or_default();
    // A process here that has this ID by chance does not carry the marker.
    let visible = Identity::from_pid(pid).filter(|process| config.environment.is_of(*process));
    Ok(visible.unwrap_or(Identity { pid, started: 0 }))
}

/// How a container ended, by the code that Docker reports. For a process that a signal has ended Docker
/// reports 128 and the signal's number, and so does a shell in a container for its child; so the code is
/// kept as it is.
fn container_exit(code: i64) -> Exit {
    i32::try_from(code).map_or_else(|_| Exit::Unknown(format!("exit code {code}")), Exit::Code)
}

/// Copies a container's output to `log` until the container ends. Returns how it ended.
async fn follow_to_end(docker: &Docker, id: &str, mut log: tokio::fs::File) -> Exit {
    let options = LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).build();
    let mut output = std::pin::pin!(docker.logs(id, Some(options)));
    while let Some(Ok(part)) = output.next().await {
        // If the log cannot be written, it is incomplete; the end must be noticed all the same.
        let _ = log.write_all(&part.into_bytes()).await;
    }
    let _ = log.flush().await;
    let mut ends = std::pin::pin!(docker.wait_container(id, None::<WaitContainerOptions>));
    match ends.next().await {
        Some(Ok(end)) => container_exit(end.status_code),
        // bollard returns an exit code other than 0 as an error.
        Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => {
            container_exit(code)
        }
        Some(Err(error)) => Exit::Unknown(error.to_string()),
        None => Exit::Unknown("its container is gone".to_owned()),
    }
}
