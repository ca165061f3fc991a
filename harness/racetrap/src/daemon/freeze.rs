//! SIGSTOP and its end, as levels: what a daemon still does while it is being stopped is done by chance.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use super::adapter::{Daemon, DaemonError};
use crate::sys::Signal;
use crate::wait::polled;

/// How long a process may take to be stopped.
const FREEZE_LIMIT: Duration = Duration::from_secs(10);

impl Daemon {
    /// Freezes its process, and waits until it does nothing any more.
    pub(crate) async fn freeze(&self) -> Result<(), DaemonError> {
        self.signal(Signal::STOP)?;
        self.frozen().await
    }

    /// What freezes its process when it is called; [`frozen`](Self::frozen) waits for that.
    pub(crate) fn freezer(
        &self,
    ) -> Result<impl FnOnce() -> io::Result<()> + Send + use<>, DaemonError> {
        let process = self.process().ok_or(DaemonError::NoProcess)?;
        Ok(move || process.signal(Signal::STOP))
    }

    /// Waits until its process, which was sent SIGSTOP, does nothing any more.
    pub(crate) async fn frozen(&self) -> Result<(), DaemonError> {
        let process = self.process().ok_or(DaemonError::NoProcess)?;
        let frozen = polled("the daemon to be frozen", FREEZE_LIMIT, async || {
            if process.is_being_stopped() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue("none of its threads is stopped".to_owned())
        });
        Ok(frozen.await?)
    }

    /// Ends a freeze.
    pub(crate) fn thaw(&self) -> Result<(), DaemonError> {
        self.signal(Signal::CONT)
    }
}
