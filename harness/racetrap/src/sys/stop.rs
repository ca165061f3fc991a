//! Requests to stop: what a person types, and what a CI sends.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests to stop this process, from when this value is made.
pub(crate) struct StopRequests {
    interrupt: Signal,
    terminate: Signal,
}

impl StopRequests {
    /// From here on a request no longer ends the process by itself.
    pub(crate) fn listen() -> io::Result<Self> {
        let [interrupt, terminate] = [SignalKind::interrupt(), SignalKind::terminate()];
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// Waits for the next one, and gives its name. Cancel-safe: a request not told yet stays.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            // Cancel-safe: a signal that was not received stays pending.
            _ = self.interrupt.recv() => "SIGINT",
            // Cancel-safe, as above.
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
