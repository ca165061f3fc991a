//! The user's own Docker, which engines in containers run on: what is made there carries a label,
//! and nothing else there is touched.

use std::io;
use std::path::{Path, PathBuf};

use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures::StreamExt as _;
use tokio::io::{AsyncRead, DuplexStream};
use tokio_util::io::{ReaderStream, SyncIoBridge};

use super::install::Installed;

/// The label that each container of a world has, with the world's marker.
pub(super) const LABEL: &str = "racetrap.world";

/// The repository of the images that engines run from.
const REPOSITORY: &str = "racetrap-engine";

/// Where Docker is, where the user does not say (documentation of dockerd).
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// Seconds that one request may take; an image is written within one.
const REQUEST_SECONDS: u64 = 300;

/// Bytes of an image that are packed but not sent yet.
const PACKED_AHEAD: usize = 1 << 20;

/// The user's Docker cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsersDockerError {
    /// It is on another machine, or reached in another way.
    #[error(
        "DOCKER_HOST is `{host}`: an engine in a container shares a directory with its world, so \
         it needs a Docker on this machine, `unix://` and the path of its socket"
    )]
    NotHere {
        /// What the user says.
        host: String,
    },
    /// It does not answer.
    #[error("the Docker at {socket} does not answer; DOCKER_HOST names another one")]
    Silent {
        /// Its socket.
        socket: PathBuf,
        /// Why not.
        #[source]
        source: bollard::errors::Error,
    },
    /// It refused.
    #[error("the user's Docker refused: {what}")]
    Refused {
        /// What was asked of it.
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
    let connect = async {
        let path = socket.to_string_lossy();
        let docker = Docker::connect_with_unix(&path, REQUEST_SECONDS, API_DEFAULT_VERSION)?;
        docker.ping().await?;
        docker.negotiate_version().await
    };
    let silent = |source| UsersDockerError::Silent { socket: socket.to_owned(), source };
    connect.await.map_err(silent)
}

/// Removes every container of a world, by its marker; what was removed, as lines.
///
/// # Errors
/// Where the user's Docker does not answer or refuses.
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
        let Some(id) = container.id.filter(|_| labels.get(LABEL).is_some_and(|of| of == marker))
        else {
            continue;
        };
        remove(&docker, &id).await?;
        removed.push(format!("container {id}"));
    }
    Ok(removed)
}

/// Removes a container with its anonymous volumes; one that is not there is what is wanted.
pub(super) async fn remove(docker: &Docker, id: &str) -> Result<(), UsersDockerError> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    match docker.remove_container(id, Some(options)).await {
        Ok(())
        | Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        Err(source) => Err(UsersDockerError::Refused { what: "removing a container", source }),
    }
}

/// An image of an installed engine, made where it is not there yet. It stays, as the engine does;
/// repository and tag.
pub(super) async fn image(
    docker: &Docker,
    installed: &Installed,
) -> Result<(&'static str, String), UsersDockerError> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
    let tag: String = installed.package().chars().map(plain).collect();
    // Two worlds that make it at once would leave an image without a name.
    let _making = installed.alone_with_image().await.map_err(UsersDockerError::Packing)?;
    match docker.inspect_image(&format!("{REPOSITORY}:{tag}")).await {
        Ok(_) => return Ok((REPOSITORY, tag)),
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => {}
        Err(source) => {
            return Err(UsersDockerError::Refused { what: "looking an image up", source });
        }
    }
    let (writer, reader) = tokio::io::duplex(PACKED_AHEAD);
    let root = installed.root().to_owned();
    let packing = tokio::task::spawn_blocking(move || pack(&root, writer));
    let imported = import(docker, &tag, reader).await;
    match packing.await {
        Ok(Ok(())) => imported.map(|()| (REPOSITORY, tag)),
        // It was packed in vain where Docker refused, and that is the reason to tell.
        Ok(Err(error)) => {
            imported?;
            Err(UsersDockerError::Packing(error))
        }
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Writes an engine's tree as a tar, with all owners root, whoever installed it.
fn pack(root: &Path, writer: DuplexStream) -> io::Result<()> {
    let mut tar = tar::Builder::new(SyncIoBridge::new(writer));
    tar.follow_symlinks(false);
    tar.mode(tar::HeaderMode::Deterministic);
    tar.append_dir_all(".", root)?;
    tar.into_inner()?.shutdown()
}

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
