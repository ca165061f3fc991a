//! How long a log is in the engine, past the wire, beside what a client has received of it.

use bollard::Docker;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt as _;
use racetrap_history::LogTruth;
use sha2::{Digest as _, Sha256};

use super::client::Client;
use super::received::hexadecimal;
use crate::engine::{TruthError, found};

/// Asks the engine for the log that the client asked for, as long as it is now. `tail` is the
/// client's query parameter. Returns `None` if the container is gone, and its log with it.
pub(crate) async fn compare_with_engine(
    docker: &Docker,
    name: &str,
    client: &Client,
    tail: Option<&str>,
) -> Result<Option<LogTruth>, TruthError> {
    let Some(container) = client.container() else { return Ok(None) };
    // Before the engine is asked: so the engine's log has at least the bytes that the client
    // received.
    let (received, received_sha256) = client.total();
    let mut options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(false);
    if let Some(tail) = tail {
        options = options.tail(tail);
    }
    let mut log = std::pin::pin!(docker.logs(container, Some(options.build())));
    // Two hashes are compared: of the bytes that the client received, and of as many bytes of the
    // log.
    let (mut bytes, mut frames, mut prefix) = (0, 0, Sha256::new());
    while let Some(frame) = log.next().await {
        let Some(frame) = found(frame)? else { return Ok(None) };
        let frame = frame.into_bytes();
        let left = usize::try_from(received.saturating_sub(bytes)).unwrap_or(usize::MAX);
        prefix.update(&frame[..frame.len().min(left)]);
        bytes += frame.len() as u64;
        frames += 1;
    }
    let prefix_sha256 = hexadecimal(prefix);
    let client = name.to_owned();
    Ok(Some(LogTruth { client, received, received_sha256, bytes, frames, prefix_sha256 }))
}
