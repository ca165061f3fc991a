//! Refuses new connections: nobody listens, as while an engine is down.

use std::sync::Arc;

use crate::event::What;
use crate::shared::Shared;
use crate::wire::Wire;

/// Refuses new connections until it is dropped. While there are several, until the last one is
/// dropped.
#[must_use = "dropping the refusal accepts connections again"]
pub struct Refusal {
    shared: Arc<Shared>,
}

impl Wire {
    /// Stops listening, so that nobody can connect. Open connections stay open.
    pub fn refuse(&self) -> Refusal {
        let shared = self.shared.clone();
        // Holds the lock until the socket is closed. Otherwise the drop of another refusal could
        // bind the socket between the count and the close.
        let mut state = shared.state();
        state.refusals += 1;
        let is_first = state.refusals == 1;
        let closed = if is_first { shared.endpoint.close() } else { Ok(()) };
        drop(state);
        shared.report(0, 0, What::Refused);
        if let Err(error) = closed {
            shared.report(0, 0, faulted(format!("the socket is still there: {error}")));
        }
        Refusal { shared }
    }
}

impl Refusal {
    /// Accepts connections again, if this is the last refusal.
    pub fn release(self) {}
}

impl Drop for Refusal {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.refusals -= 1;
        // A closed wire must not bind again: its path or port may belong to somebody else by now.
        if state.refusals > 0 || *self.shared.closing.borrow() {
            return;
        }
        let event = match self.shared.endpoint.open() {
            Ok(()) => faulted("accepts connections again".to_owned()),
            Err(error) => faulted(format!("the socket could not be bound again: {error}")),
        };
        drop(state);
        self.shared.report(0, 0, event);
    }
}

fn faulted(fault: String) -> What {
    What::Faulted { rule: "refuse".to_owned(), fault }
}
