//! One listener for requests to stop, for the whole of a command.

use std::time::Duration;

use miette::{IntoDiagnostic as _, WrapErr as _};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::exit::{Exit, Failure};
use crate::report::tell;
use crate::run::Stop;
use crate::sys::StopRequests;

/// Who asks where no time is left, as the words after "told to stop by".
const OWN_DEADLINE: &str = "its own deadline";

/// Listens from when it is made: the first request asks every run to stop, and keeps those back
/// that have not begun; the second ends the process at once.
#[derive(Debug)]
pub(super) struct StopListener {
    stop: Stop,
    /// The listening task, which ends with this value.
    _task: JoinSet<()>,
}

impl StopListener {
    /// Begins to listen; from here on a request no longer ends the process by itself. After `limit`
    /// the harness asks itself.
    pub(super) fn begin(limit: Option<Duration>) -> Result<Self, Failure> {
        let mut requests = StopRequests::listen()
            .into_diagnostic()
            .wrap_err("requests to stop cannot be listened to")
            .map_err(Failure::machine)?;
        let (sender, stop) = Stop::pair();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let by = match limit {
                Some(limit) => timeout(limit, requests.next()).await.unwrap_or(OWN_DEADLINE),
                None => requests.next().await,
            };
            sender.ask(by);
            tell(&format!("{by}: closing the worlds that run; once more ends racetrap at once"));
            requests.next().await;
            // The worlds' watchers sweep, as they do after any other sudden end.
            std::process::exit(i32::from(Exit::Stopped as u8));
        });
        Ok(Self { stop, _task: task })
    }

    /// What runs are to be told to stop by.
    pub(super) fn stop(&self) -> Stop {
        self.stop.clone()
    }
}
