//! Connects to an engine, and reads its answers.

use std::path::Path;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker};

/// Connects to the engine on `socket` and agrees on a version of its API. A request may take
/// `request_seconds`.
///
/// # Errors
/// If the engine does not answer.
pub(super) async fn connect(socket: &Path, request_seconds: u64) -> Result<Docker, Error> {
    let path = socket.to_string_lossy();
    let docker = Docker::connect_with_unix(&path, request_seconds, API_DEFAULT_VERSION)?;
    docker.ping().await?;
    docker.negotiate_version().await
}

/// `None` if the engine has answered that the object does not exist.
///
/// # Errors
/// Any other error.
pub(crate) fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
