//! The user's own Docker, which runs engines in containers. Racetrap changes only containers that
//! carry its label, and images of its own repository.

use std::io;
use std::path::{Path, PathBuf};

use bollard::Docker;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use futures::StreamExt as _;
use tokio::io::{AsyncRead, DuplexStream};
use tokio_util::io::{ReaderStream, SyncIoBridge};

use super::client::{self, found};
use super::install::Installed;

/// The label of each container of a world. Its value is the world's marker.
pub(super) const LABEL: &str = "racetrap.world";

/// The repository of the images that are made of installed engines.
const REPOSITORY: &str = "racetrap-engine";

/// The socket of Docker if the user names none (documentation of dockerd).
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// How long one request may take, in seconds. One request transfers an image.
const REQUEST_SECONDS: u64 = 300;

/// How many bytes of an image may be packed ahead of the transfer.
const PACKED_AHEAD: usize = 1 << 20;

/// The user's Docker cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsersDockerError {
    /// `DOCKER_HOST` names a Docker that is not reached over a unix socket.
    #[error(
        "DOCKER_HOST is `{host}`, but an engine in a container shares a directory with its world, \
         and needs a Docker on this machine: set it to `unix://` and the path of a socket"
    )]
    NotHere {
        /// The value of `DOCKER_HOST`.
        host: String,
    },
    /// It does not answer.
    #[error("the Docker at {socket} does not answer; set DOCKER_HOST to use another one")]
    Silent {
        /// Its socket.
        socket: PathBuf,
        /// Why not.
        #[source]
        source: bollard::errors::Error,
    },
    /// It refused a request.
    #[error("the user's Docker refused a request: {what}")]
    Refused {
        /// What the request was for.
        what: &'static str,
        /// Why.
        #[source]
        source: bollard::errors::Error,
    },
    /// An installed engine could not be packed.
    #[error("the engine could not be packed as an image")]
    Packing(#[source] io::Error),
}

/// The socket of the user's Docker.
pub(super) fn socket() -> Result<PathBuf, UsersDockerError> {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    match host.strip_prefix("unix://") {
        Some(path) => Ok(PathBuf::from(path)),
        None if host.is_empty() => Ok(PathBuf::from(DEFAULT_SOCKET)),
        None => Err(UsersDockerError::NotHere { host }),
    }
}

/// Connects to the user's Docker.
pub(super) async fn connect(socket: &Path) -> Result<Docker, UsersDockerError> {
    let silent = |source| UsersDockerError::Silent { socket: socket.to_owned(), source };
    client::connect(socket, REQUEST_SECONDS).await.map_err(silent)
}

/// Removes every container whose label is the marker of a world. Returns a line for each.
///
/// # Errors
/// If the user's Docker does not answer, or refuses a request.
pub(crate) async fn remove_containers(
    socket: &Path,
    marker: &str,
) -> Result<Vec<String>, UsersDockerError> {
    let docker = connect(socket).await?;
    let options = ListContainersOptionsBuilder::default().all(true).build();
    let refused = |source| UsersDockerError::Refused { what: "listing containers", source };
    let mut removed = Vec::new();
    for container in docker.list_containers(Some(options)).await.map_err(refused)? {
        let labels = container.labels.unwrap_or_default();
        let is_of_world = labels.get(LABEL).is_some_and(|value| value == marker);
        let Some(id) = container.id.filter(|_| is_of_world) else {
            continue;
        };
        remove(&docker, &id).await?;
        removed.push(format!("container {id}"));
    }
    Ok(removed)
}

/// Removes a container with its anonymous volumes. Does nothing if there is no such container.
async fn remove(docker: &Docker, id: &str) -> Result<(), UsersDockerError> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let removed = found(docker.remove_container(id, Some(options)).await);
    let refused = |source| UsersDockerError::Refused { what: "removing a container", source };
    removed.map(drop).map_err(refused)
}

/// The image of an installed engine: repository and tag. Makes the image if it does not exist;
/// nothing removes it.
pub(super) async fn image(
    docker: &Docker,
    installed: &Installed,
) -> Result<(&'static str, String), UsersDockerError> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
    let tag: String = installed.package().chars().map(plain).collect();
    // If two worlds made the image at the same time, the first one would lose its name to the
    // second.
    let _lock = installed.lock_image().await.map_err(UsersDockerError::Packing)?;
    let existing = found(docker.inspect_image(&format!("{REPOSITORY}:{tag}")).await);
    let refused = |source| UsersDockerError::Refused { what: "looking an image up", source };
    if existing.map_err(refused)?.is_some() {
        return Ok((REPOSITORY, tag));
    }
    // Packed and sent at the same time, so that no copy of the image is held in memory or on disk.
    let (writer, reader) = tokio::io::duplex(PACKED_AHEAD);
    let root = installed.root().to_owned();
    let packing = tokio::task::spawn_blocking(move || pack(&root, writer));
    let imported = import(docker, &tag, reader).await;
    match packing.await {
        Ok(Ok(())) => imported.map(|()| (REPOSITORY, tag)),
        // If Docker refuses the image, the transfer breaks off and packing fails too. Then the
        // refusal is the error to return.
        Ok(Err(error)) => {
            imported?;
            Err(UsersDockerError::Packing(error))
        }
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Writes an engine's files as a tar archive. Root owns all of them there, whoever installed the
/// engine.
fn pack(root: &Path, writer: DuplexStream) -> io::Result<()> {
    let mut tar = tar::Builder::new(SyncIoBridge::new(writer));
    tar.follow_symlinks(false);
    tar.mode(tar::HeaderMode::Deterministic);
    tar.append_dir_all(".", root)?;
    tar.into_inner()?.shutdown()
}

/// Sends an archive to Docker, which makes an image of it.
async fn import(
    docker: &Docker,
    tag: &str,
    packed: impl AsyncRead + Send + 'static,
) -> Result<(), UsersDockerError> {
    let options = CreateImageOptionsBuilder::default().from_src("-").repo(REPOSITORY).tag(tag);
    let body = bollard::body_try_stream(ReaderStream::new(packed));
    let mut progress = std::pin::pin!(docker.create_image(Some(options.build()), Some(body), None));
    while let Some(line) = progress.next().await {
        line.map_err(|source| UsersDockerError::Refused { what: "importing an image", source })?;
    }
    Ok(())
}
