//! A connection as its own task sees it: its state, the wire that it belongs to, and the operations
//! that end or hold it.

use std::convert::Infallible;
use std::sync::Arc;

use crate::connection_state::{Activity, ConnectionState};
use crate::event::What;
use crate::point::Point;
use crate::rules::fault::Cause;
use crate::rules::latch::Latch;
use crate::shared::Shared;

/// A connection as its own task sees it.
#[derive(Clone)]
pub(crate) struct ConnectionContext {
    pub(crate) shared: Arc<Shared>,
    pub(crate) state: Arc<ConnectionState>,
}

impl ConnectionContext {
    /// Reports an event of the connection itself.
    pub(crate) fn report_for_connection(&self, what: What) {
        self.shared.report(self.state.number, 0, what);
    }

    /// Reports an event of the exchange that is under way.
    pub(crate) fn report(&self, what: What) {
        self.shared.report(self.state.number, self.state.exchange(), what);
    }

    /// Reports what a rule has done to the message.
    pub(crate) fn report_fault(&self, cause: &Cause, fault: impl Into<String>) {
        self.report(What::Faulted { rule: cause.rule.clone(), fault: fault.into() });
    }

    /// Assigns a number to the exchange that begins.
    pub(crate) fn begin_exchange(&self) {
        self.state.set_exchange(self.shared.next_exchange());
        self.state.set_activity(Activity::Exchange);
    }

    /// Holds the current message until the gate is released. If this future is dropped before that,
    /// it reports that the message is abandoned.
    pub(crate) async fn hold_at(&self, latch: &Arc<Latch>, point: Point) {
        let held = What::Held { gate: latch.name.clone(), point };
        if !latch.arrive(|| self.report(held)) {
            return;
        }
        self.state.set_held(true);
        latch.announce(self.state.number, point);
        // A guard, because the release and the end of the connection race: whichever way this
        // future ends, exactly one of `Released` and `Abandoned` is reported.
        let mut message = HeldMessage { context: self, latch, released: false };
        latch.released().await;
        message.released = true;
    }

    /// Cuts the connection from within its own task. Never returns: the task that serves the
    /// connection sees the cut and drops this future.
    pub(crate) async fn cut(&self) -> Infallible {
        self.state.cut();
        std::future::pending().await
    }

    /// Reports the fault and forwards nothing any more. Cuts the connection when the rule is
    /// disarmed.
    pub(crate) async fn stall(&self, cause: &mut Cause, fault: impl Into<String>) -> Infallible {
        self.report_fault(cause, fault);
        cause.disarmed().await;
        self.cut().await
    }
}

/// A message that a gate holds, for as long as this value exists.
struct HeldMessage<'a> {
    context: &'a ConnectionContext,
    latch: &'a Latch,
    released: bool,
}

impl Drop for HeldMessage<'_> {
    fn drop(&mut self) {
        self.context.state.set_held(false);
        let gate = self.latch.name.clone();
        if self.released {
            self.context.report(What::Released { gate });
        } else {
            self.latch.abandon();
            self.context.report(What::Abandoned { gate });
        }
    }
}
