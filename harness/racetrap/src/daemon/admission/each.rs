//! Holds every write of the daemon until each is released.
//!
//! Writes of users are never held: a step that waits for its own write would wait for itself.

use std::collections::BTreeMap;

use racetrap_search::is_users;
use tokio::sync::{mpsc, oneshot};

use super::reviewer::Reviewer;
use super::write::Write;

/// Holds every write of the daemon, until each is released or this is dropped.
#[must_use = "dropping it releases what is held, and disarms it"]
pub(crate) struct HoldEachWrite {
    pub(super) reviewer: Reviewer,
    pub(super) stopped: mpsc::UnboundedReceiver<StoppedWrite>,
}

impl HoldEachWrite {
    /// The next write that was stopped, in the order of their arrival. Cancel-safe: a write that was not
    /// returned stays in the queue.
    pub(crate) async fn next(&mut self) -> StoppedWrite {
        match self.stopped.recv().await {
            Some(stopped) => stopped,
            // Cannot happen: the rules have a sender as long as this is armed.
            None => std::future::pending().await,
        }
    }

    /// The next write, if one was stopped.
    pub(crate) fn try_next(&mut self) -> Option<StoppedWrite> {
        self.stopped.try_recv().ok()
    }
}

impl Drop for HoldEachWrite {
    fn drop(&mut self) {
        // First, so that a write that comes now is not put into a queue that nobody reads any more.
        self.reviewer.rules().each = None;
    }
}

/// A write that waits. Dropped, it goes on.
#[derive(Debug)]
pub(crate) struct StoppedWrite {
    name: String,
    writer: String,
    /// Closed when the write goes on, or is given up.
    goes: oneshot::Sender<()>,
}

impl StoppedWrite {
    /// The write's own name among all that were stopped: the same in each run with the same writes.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The field manager of its writer.
    pub(crate) fn writer(&self) -> &str {
        &self.writer
    }

    /// Whether its client still waits for the answer.
    pub(crate) fn is_there(&self) -> bool {
        !self.goes.is_closed()
    }
}

/// Where the writes go that are stopped one by one.
#[derive(Debug)]
pub(super) struct Each {
    prefix: String,
    queue: mpsc::UnboundedSender<StoppedWrite>,
    /// How many writes of each kind were stopped.
    counts: BTreeMap<String, u32>,
}

impl Each {
    /// Names of writes begin with `prefix`.
    pub(super) fn new(prefix: &str) -> (Self, mpsc::UnboundedReceiver<StoppedWrite>) {
        let (queue, stopped) = mpsc::unbounded_channel();
        (Self { prefix: prefix.to_owned(), queue, counts: BTreeMap::new() }, stopped)
    }

    /// Stops the write, if it is one of the daemon's.
    pub(super) fn stop(&mut self, write: &Write) -> Option<Stop> {
        let writer = write.manager().filter(|manager| !is_users(manager))?;
        // Without the object's name, which is another one in each run.
        let kind = format!("{} write {}", self.prefix, write.kind());
        let count = self.counts.entry(kind.clone()).or_default();
        *count += 1;
        let name = format!("{kind} {count}");
        Some(Stop { name, writer: writer.to_owned(), queue: self.queue.clone() })
    }
}

/// The decision to stop a write.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    /// The name of the write.
    pub(super) name: String,
    writer: String,
    queue: mpsc::UnboundedSender<StoppedWrite>,
}

impl Stop {
    /// Puts the write into the queue, and returns when it may go on.
    pub(super) async fn wait(self) {
        let Self { name, writer, queue } = self;
        let (goes, gone) = oneshot::channel();
        // If nobody reads the queue any more, both sides are dropped, and the write goes on.
        drop(queue.send(StoppedWrite { name, writer, goes }));
        let _ = gone.await;
    }
}
