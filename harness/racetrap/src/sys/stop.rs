//! Requests to stop the harness: SIGINT, which Ctrl-C sends, SIGTERM, which a CI sends, and SIGHUP,
//! which the end of a terminal or of a connection sends.

use std::io;
use std::sync::OnceLock;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Receives requests to stop this process.
pub(crate) struct StopRequests {
    interrupt: Signal,
    terminate: Signal,
    /// Missing if the process ignores it, as under nohup(1): the user wants the run to go on.
    hang_up: Option<Signal>,
}

impl StopRequests {
    /// Starts to listen. From here on, SIGINT, SIGTERM and SIGHUP no longer end the
    /// process.
    pub(crate) fn listen() -> io::Result<Self> {
        let [interrupt, terminate] = [SignalKind::interrupt(), SignalKind::terminate()];
        let hang_up = if hang_up_is_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)?, hang_up })
    }

    /// Waits for the next request, and returns the name of its signal. Cancel-safe: a request that
    /// was not returned stays pending.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            // Cancel-safe: a signal that was not received stays pending.
            _ = self.interrupt.recv() => "SIGINT",
            // Cancel-safe, as above.
            _ = self.terminate.recv() => "SIGTERM",
            // Cancel-safe, as above.
            _ = async {
                match &mut self.hang_up {
                    Some(hang_up) => hang_up.recv().await,
                    None => std::future::pending().await,
                }
            } => "SIGHUP",
        }
    }
}

/// Whether this process was started with SIGHUP ignored. From the first call on, it ignores SIGHUP by a
/// handler: a program inherits a signal that is ignored, but no handler, and a daemon or a hostagent that
/// ignores SIGHUP lives on where the kernel would end it.
pub(crate) fn hang_up_is_ignored() -> bool {
    static IGNORED: OnceLock<bool> = OnceLock::new();
    *IGNORED.get_or_init(|| {
        let status = procfs::process::Process::myself().and_then(|process| process.status());
        // The mask has a bit for each signal; SIGHUP is signal 1.
        let is_ignored = status.is_ok_and(|status| status.sigign & 1 == 1);
        // Tokio keeps the handler for the rest of the process.
        is_ignored && signal(SignalKind::hangup()).is_ok()
    })
}
