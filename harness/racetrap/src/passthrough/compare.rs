//! A container's log, asked past the wire, beside what a client has got of it.

use bollard::Docker;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt as _;
use racetrap_history::LogTruth;
use sha2::{Digest as _, Sha256};

use super::client::Client;
use super::got::hexadecimal;
use crate::engine::TruthError;

/// Asks for the log that a client asked for, as far as it is there by now. None where the container,
/// and its log with it, is gone.
pub(crate) async fn compare(
    docker: &Docker,
    name: &str,
    client: &Client,
    tail: Option<&str>,
) -> Result<Option<LogTruth>, TruthError> {
    let Some(container) = client.container() else { return Ok(None) };
    // First, so that the engine has at least that.
    let (received, received_sha256) = client.total();
    let mut options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(false);
    if let Some(tail) = tail {
        options = options.tail(tail);
    }
    let mut log = std::pin::pin!(docker.logs(container, Some(options.build())));
    let (mut bytes, mut frames, mut prefix) = (0, 0, Sha256::new());
    while let Some(frame) = log.next().await {
        let frame = match frame {
            Ok(frame) => frame.into_bytes(),
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let left = usize::try_from(received.saturating_sub(bytes)).unwrap_or(usize::MAX);
        prefix.update(&frame[..frame.len().min(left)]);
        bytes += frame.len() as u64;
        frames += 1;
    }
    let prefix_sha256 = hexadecimal(prefix);
    let client = name.to_owned();
    Ok(Some(LogTruth { client, received, received_sha256, bytes, frames, prefix_sha256 }))
}
