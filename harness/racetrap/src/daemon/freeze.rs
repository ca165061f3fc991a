//! Freezes the daemon by SIGSTOP and lets it go on by SIGCONT.
//!
//! A signal is only a request: the kernel stops the threads one after the other. What they do until
//! then is up to chance, so the harness waits until the process has stopped before it goes on.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use super::adapter::Daemon;
use super::error::DaemonError;
use crate::sys::Signal;
use crate::wait::polled;

/// How long a process may take to stop after SIGSTOP.
const FREEZE_LIMIT: Duration = Duration::from_secs(10);

impl Daemon {
    /// Freezes the daemon's process and waits until it has stopped.
    pub(crate) async fn freeze(&self) -> Result<(), DaemonError> {
        self.signal(Signal::STOP)?;
        self.wait_until_frozen().await
    }

    /// Returns a function that sends SIGSTOP to the daemon's process;
    /// [`wait_until_frozen`](Self::wait_until_frozen) waits for its effect.
    pub(crate) fn freezer(
        &self,
    ) -> Result<impl FnOnce() -> io::Result<()> + Send + use<>, DaemonError> {
        let process = self.process().ok_or(DaemonError::NoProcess)?;
        Ok(move || process.signal(Signal::STOP))
    }

    /// Waits until the daemon's process, which was sent SIGSTOP, has stopped.
    pub(crate) async fn wait_until_frozen(&self) -> Result<(), DaemonError> {
        let process = self.process().ok_or(DaemonError::NoProcess)?;
        let frozen = polled("the daemon to be frozen", FREEZE_LIMIT, async || {
            // From the first stopped thread on, no other thread runs code of the program either.
            if process.is_being_stopped() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue("none of its threads is stopped".to_owned())
        });
        Ok(frozen.await?)
    }

    /// Lets a frozen daemon go on.
    pub(crate) fn thaw(&self) -> Result<(), DaemonError> {
        self.signal(Signal::CONT)
    }
}
