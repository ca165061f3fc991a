//! Requests to stop the harness: SIGINT, which Ctrl-C sends, and SIGTERM, which a CI sends.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Receives requests to stop this process.
pub(crate) struct StopRequests {
    interrupt: Signal,
    terminate: Signal,
}

impl StopRequests {
    /// Starts to listen. From here on, SIGINT and SIGTERM no longer end the process.
    pub(crate) fn listen() -> io::Result<Self> {
        let [interrupt, terminate] = [SignalKind::interrupt(), SignalKind::terminate()];
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// Waits for the next request, and returns the name of its signal. Cancel-safe: a request that
    /// was not returned stays pending.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            // Cancel-safe: a signal that was not received stays pending.
            _ = self.interrupt.recv() => "SIGINT",
            // Cancel-safe, as above.
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
