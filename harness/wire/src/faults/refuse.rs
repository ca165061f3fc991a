//! Refuses new connections: nobody listens, as while an engine is down.

use std::sync::Arc;

use crate::error::WireError;
use crate::event::What;
use crate::shared::Shared;
use crate::wire::Wire;

/// Refuses new connections until it is dropped. While there are several, until the last one is
/// dropped.
#[must_use = "dropping the refusal accepts connections again"]
pub struct Refusal {
    shared: Arc<Shared>,
    is_over: bool,
}

impl Wire {
    /// Stops listening, so that nobody can connect. Open connections stay open.
    ///
    /// # Errors
    /// If the socket cannot be removed. Nobody can connect then, either.
    pub fn refuse(&self) -> Result<Refusal, WireError> {
        let refusal = Refusal { shared: self.shared.clone(), is_over: false };
        let shared = &self.shared;
        // Holds the lock until the socket is closed. Otherwise the drop of another refusal could
        // bind the socket between the count and the close.
        let mut state = shared.state();
        state.refusals += 1;
        let is_first = state.refusals == 1;
        let closed = if is_first { shared.endpoint.close() } else { Ok(()) };
        drop(state);
        shared.report(0, 0, What::Refused);
        closed.map(|()| refusal)
    }
}

impl Refusal {
    /// Accepts connections again, if this is the last refusal.
    ///
    /// # Errors
    /// If the socket cannot be bound again.
    pub fn release(mut self) -> Result<(), WireError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), WireError> {
        if std::mem::replace(&mut self.is_over, true) {
            return Ok(());
        }
        let mut state = self.shared.state();
        state.refusals -= 1;
        // A closed wire must not bind again: its path or port may belong to somebody else by now.
        if state.refusals > 0 || *self.shared.closing.borrow() {
            return Ok(());
        }
        let opened = self.shared.endpoint.open();
        drop(state);
        let fault = match &opened {
            Ok(()) => "accepts connections again".to_owned(),
            Err(error) => format!("the socket could not be bound again: {error}"),
        };
        self.shared.report(0, 0, What::Faulted { rule: "refuse".to_owned(), fault });
        opened
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        // A drop cannot fail. The report says what happened.
        let _ = self.end();
    }
}
