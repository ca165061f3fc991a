//! Holds one message until it is released. A `Gate` is the side that the test sees, a `Latch` the
//! side that the message sees.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::clock::{TimedOut, within};
use crate::point::Point;

/// What has happened at the latch. The states follow one another in this order; `Abandoned` may be
/// skipped, and `Released` is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LatchState {
    /// No message has arrived yet.
    Waiting,
    /// A message is held.
    Holding,
    /// The held message was dropped before the release.
    Abandoned,
    /// The gate was released or dropped. A message that arrives now is not held.
    Released,
}

/// Holds one message until it is released.
#[derive(Debug)]
pub(crate) struct Latch {
    /// Name of the gate.
    pub(crate) name: String,
    state: watch::Sender<LatchState>,
    /// Where the message is announced, if all messages are stopped.
    line: Option<mpsc::UnboundedSender<StoppedMessage>>,
}

/// A message that stands on the wire until it is released. Dropping it releases it, so that no message
/// is ever lost.
#[derive(Debug)]
#[must_use = "dropping the message lets it go on"]
pub struct StoppedMessage {
    latch: Arc<Latch>,
    connection: u64,
    point: Point,
}

impl Latch {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        let state = watch::Sender::new(LatchState::Waiting);
        Arc::new(Self { name: name.to_owned(), state, line: None })
    }

    /// A latch that announces its message.
    pub(crate) fn on_line(name: &str, line: mpsc::UnboundedSender<StoppedMessage>) -> Arc<Self> {
        let state = watch::Sender::new(LatchState::Waiting);
        Arc::new(Self { name: name.to_owned(), state, line: Some(line) })
    }

    /// Announces that a message of this connection is held. If nobody can release it any more, it is
    /// released.
    pub(crate) fn announce(self: &Arc<Self>, connection: u64, point: Point) {
        if let Some(line) = &self.line {
            // The error has the message, and dropping that releases it.
            let _ = line.send(StoppedMessage::new(self.clone(), connection, point));
        }
    }

    /// Whether it holds its message now.
    pub(crate) fn is_holding(&self) -> bool {
        *self.state.borrow() == LatchState::Holding
    }

    /// Holds the message that has arrived here; false if the gate was released before that.
    ///
    /// Calls `report` before the new state is visible to `reached`. So whatever a test does after
    /// `reached` is recorded behind the event that the message is held.
    pub(crate) fn arrive(&self, report: impl FnOnce()) -> bool {
        self.state.send_if_modified(|state| {
            let is_first = *state == LatchState::Waiting;
            if is_first {
                report();
                *state = LatchState::Holding;
            }
            is_first
        })
    }

    /// Waits until the held message is released. Cancel-safe: `Released` is final.
    pub(crate) async fn released(&self) {
        let is_released = |state: &LatchState| *state == LatchState::Released;
        // Cannot fail: `self` owns the sender, so the channel stays open during the wait.
        let _ = self.state.subscribe().wait_for(is_released).await;
    }

    /// Waits until a message has arrived. A message that was abandoned since counts, too.
    pub(crate) async fn reached(&self, limit: Duration) -> Result<(), TimedOut> {
        let mut state = self.state.subscribe();
        let arrival = state.wait_for(|state| *state != LatchState::Waiting);
        within(limit, arrival).await.map(|_| ())
    }

    /// The held message was dropped: its connection ends.
    pub(crate) fn abandon(&self) {
        self.state.send_if_modified(|state| {
            let was_holding = *state == LatchState::Holding;
            if was_holding {
                *state = LatchState::Abandoned;
            }
            was_holding
        });
    }

    pub(crate) fn release(&self) {
        self.state.send_replace(LatchState::Released);
    }
}

impl StoppedMessage {
    pub(crate) fn new(latch: Arc<Latch>, connection: u64, point: Point) -> Self {
        Self { latch, connection, point }
    }

    /// The name of its gate in the wire's events: the line, the kind of message, and which of that kind
    /// it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.latch.name
    }

    /// The number of its connection.
    #[must_use]
    pub fn connection(&self) -> u64 {
        self.connection
    }

    /// Whether it is a request, which the upstream answers once it goes on.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.point == Point::Request
    }

    /// Whether it still stands there: its connection may have ended.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.latch.is_holding()
    }

    /// Lets it go on.
    pub fn release(self) {}
}

impl Drop for StoppedMessage {
    fn drop(&mut self) {
        self.latch.release();
    }
}
