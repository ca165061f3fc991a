//! Ends the daemon: by its own command, by SIGKILL, or by a request for its stacks.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use super::adapter::{Daemon, Service};
use super::error::DaemonError;
use crate::chain::chain;
use crate::sys::{Identity, Signal, wait_for_end};
use crate::wait::{NotReached, polled};

/// How long `svc stop` may take.
pub(super) const STOP_LIMIT: Duration = Duration::from_secs(60);

/// The time limit of a stop that is meant to be late.
const LATE: &str = "--timeout=2s";

/// How long a process may take to end after SIGKILL.
const KILL_LIMIT: Duration = Duration::from_secs(10);

impl Daemon {
    /// Stops the daemon by `svc stop`. If something did not end in order, returns a line about it.
    pub(crate) async fn stop(&mut self) -> Option<String> {
        if self.dumps_stacks {
            return self.end_after_stacks().await;
        }
        // The controllers first: without their service they would end anyway, and a failure to stop
        // them would go unnoticed.
        let controllers = match self.controllers.take() {
            Some(controllers) => controllers.end(&self.recorder).await,
            None => None,
        };
        self.expect_service_end();
        let stopped = self.must_succeed(&["svc", "stop"], STOP_LIMIT).await;
        self.read_log();
        let leak = controllers.or(stopped.err().map(|error| chain(&error)));
        let Some(service) = self.process.take() else { return leak };
        let process = service.identity;
        if process.lives() {
            let _ = process.signal(Signal::KILL);
            let text = format!("the daemon's process {} ran on after `svc stop`", process.pid);
            return Some(leak.unwrap_or(text));
        }
        service.end();
        leak
    }

    /// Lets `svc stop` be late, because the daemon is frozen, and lets the daemon go on then. Returns a
    /// line if the daemon or its command breaks a promise (contract 1.3.7).
    pub(crate) async fn stop_late(&mut self) -> Result<Option<String>, DaemonError> {
        let process = self.process().ok_or(DaemonError::NoProcess)?;
        self.expect_end();
        self.freeze().await?;
        let late = self.command(&["svc", "stop", LATE], STOP_LIMIT).await?;
        let files = ["pid_file", "config"].into_iter().filter_map(|key| self.paths.get(key));
        let lost = files.into_iter().find(|path| !path.exists()).cloned();
        self.thaw()?;
        if late.exit.code() != Some(4) {
            let exit = late.exit.predicate();
            return Ok(Some(format!("`svc stop {LATE}` of a frozen daemon {exit}, not 4")));
        }
        if let Some(lost) = lost {
            let lost = lost.display();
            return Ok(Some(format!("`svc stop {LATE}` has removed {lost} of a daemon that runs")));
        }
        let failed = |source| self.program_error(source);
        if !wait_for_end(process, KILL_LIMIT).await.map_err(failed)? {
            return Ok(Some(format!("the daemon runs on after `svc stop {LATE}`")));
        }
        wait_until_reaped(process).await?;
        self.process.take().iter().for_each(Service::end);
        let second = self.must_succeed(&["svc", "stop"], STOP_LIMIT).await;
        Ok(second.err().map(|error| chain(&error)))
    }

    /// Kills the daemon's process by SIGKILL and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> Result<(), DaemonError> {
        let process = self.process().ok_or(DaemonError::NoProcess)?;
        self.expect_end();
        let service = self.process.take();
        let ended = async {
            process.signal(Signal::KILL)?;
            wait_for_end(process, KILL_LIMIT).await
        };
        match ended.await {
            Ok(true) => {
                wait_until_reaped(process).await?;
                service.iter().for_each(Service::end);
                Ok(())
            }
            Ok(false) => {
                let late = NotReached::new("the daemon's end", KILL_LIMIT, "it still runs");
                Err(late.into())
            }
            Err(source) => Err(self.program_error(source)),
        }
    }

    /// Returns a function that sends SIGKILL to the daemon's process; [`kill`](Self::kill) waits
    /// for its end afterwards.
    pub(crate) fn killer(
        &self,
    ) -> Result<impl FnOnce() -> io::Result<()> + Send + use<>, DaemonError> {
        let service = self.process.as_ref().ok_or(DaemonError::NoProcess)?;
        let (process, lifetime) = (service.identity, service.lifetime.clone());
        Ok(move || {
            lifetime.expect_end();
            process.signal(Signal::KILL)
        })
    }

    /// Prepares for a request for the daemon's stacks, which ends it: its end is expected from here
    /// on, its logs are not recorded any more, and what it leaves behind is not counted as its
    /// leak.
    pub(crate) fn expect_stack_dump(&mut self) {
        // What the daemon logged before the request still counts.
        self.read_log();
        self.dumps_stacks = true;
        self.expect_end();
    }

    /// Whether [`expect_stack_dump`](Self::expect_stack_dump) was called.
    pub(crate) fn dumps_stacks(&self) -> bool {
        self.dumps_stacks
    }

    /// The end of the service and of its controllers is expected from here on.
    fn expect_end(&self) {
        self.expect_service_end();
        if let Some(controllers) = &self.controllers {
            controllers.expect_end();
        }
    }

    fn expect_service_end(&self) {
        if let Some(service) = &self.process {
            service.lifetime.expect_end();
        }
    }

    /// Kills the processes that still run after a request for their stacks. The daemon promises
    /// nothing for that case, so only a failure of the harness is returned.
    async fn end_after_stacks(&mut self) -> Option<String> {
        if let Some(controllers) = self.controllers.take() {
            controllers.kill().await;
        }
        let process = self.process.take()?.identity;
        let failed = |error: io::Error| format!("the daemon's process {}: {error}", process.pid);
        match process.signal(Signal::KILL) {
            Ok(()) => wait_for_end(process, KILL_LIMIT).await.err().map(failed),
            Err(error) => Some(failed(error)),
        }
    }
}

/// Waits until the parent of an ended daemon has reaped it: `svc start` takes a zombie for a daemon
/// that still runs (contract 1.3).
async fn wait_until_reaped(process: Identity) -> Result<(), NotReached> {
    polled("the daemon's parent to reap it", KILL_LIMIT, async || {
        if process.is_gone() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue("it is a zombie".to_owned())
    })
    .await
}
