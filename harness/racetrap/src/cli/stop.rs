//! Listens for requests to stop, once for the whole command.

use std::time::Duration;

use miette::{IntoDiagnostic as _, WrapErr as _};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::exit::{Exit, Failure};
use crate::report::tell;
use crate::run::{Stop, StopSender};
use crate::sys::StopRequests;

/// The words after "told to stop by" when `--killed-after` ends the run.
const OWN_DEADLINE: &str = "its own deadline";

/// Listens as long as it exists. The first request asks every run to stop and keeps further runs
/// from starting; the second request ends the process at once.
#[derive(Debug)]
pub(super) struct StopListener {
    stop: Stop,
    sender: StopSender,
    /// The listening task; dropping this set ends it.
    _task: JoinSet<()>,
}

impl StopListener {
    /// Starts to listen; from here on a signal no longer kills the process. After `limit` the
    /// harness asks itself to stop.
    pub(super) fn begin(limit: Option<Duration>) -> Result<Self, Failure> {
        let mut requests = StopRequests::listen()
            .into_diagnostic()
            .wrap_err("racetrap cannot listen for signals")
            .map_err(Failure::machine)?;
        let (sender, stop) = Stop::pair();
        let from_signals = sender.clone();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let by = match limit {
                Some(limit) => timeout(limit, requests.next()).await.unwrap_or(OWN_DEADLINE),
                None => requests.next().await,
            };
            from_signals.ask(by);
            tell(&format!(
                "{by}: closing the running worlds; a second request ends racetrap at once"
            ));
            requests.next().await;
            // The watchers of the worlds clean up, as after any other sudden end.
            std::process::exit(i32::from(Exit::Stopped as u8));
        });
        Ok(Self { stop, sender, _task: task })
    }

    /// Asks all runs to stop, for the reason `by`.
    pub(super) fn ask(&self, by: &'static str) {
        self.sender.ask(by);
    }

    /// The handle by which runs learn of a request to stop.
    pub(super) fn stop(&self) -> Stop {
        self.stop.clone()
    }
}
