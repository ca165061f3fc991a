//! Waits until an engine is ready: until it answers a ping on its own socket.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::error::EngineError;
use crate::process::log_tail;
use crate::wait::{NotReached, polled};

/// How long a dockerd may take until it answers its first ping.
pub(super) const READY_LIMIT: Duration = Duration::from_secs(60);

/// Waits until the engine answers on `socket`. `ended` returns how the engine has ended, if it has;
/// then this fails at once.
///
/// # Errors
/// With the last lines of `log`.
pub(super) async fn wait_until_ready(
    socket: &Path,
    ended: impl Fn() -> Option<String>,
    log: &Path,
) -> Result<(), EngineError> {
    const WHAT: &str = "dockerd's answer to a ping";
    let ready = polled(WHAT, READY_LIMIT, async || {
        if let Some(how) = ended() {
            return ControlFlow::Break(Err(how));
        }
        match super::truth::connect(socket).await {
            Ok(_) => ControlFlow::Break(Ok(())),
            Err(error) => ControlFlow::Continue(error.to_string()),
        }
    })
    .await;
    let source = match ready {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(how)) => NotReached::new(WHAT, Duration::ZERO, format!("it ended: {how}")),
        Err(source) => source,
    };
    Err(EngineError::NotReady { source, log: log_tail(log) })
}
