//! Refuses new connections: the socket is gone, as when an engine is down.

use std::sync::Arc;

use crate::event::What;
use crate::wire::{Shared, Wire};

/// Refuses new connections until it is dropped; of several, until the last one is.
#[must_use = "dropping the refusal accepts connections again"]
pub struct Refusal {
    shared: Arc<Shared>,
}

impl Wire {
    /// Takes the socket away, so that nobody can connect; open connections live on.
    pub fn refuse(&self) -> Refusal {
        let shared = self.shared.clone();
        let mut state = shared.state();
        state.refusals += 1;
        let is_first = state.refusals == 1;
        let removed = if is_first { shared.endpoint.shut() } else { Ok(()) };
        drop(state);
        shared.tell(0, 0, What::Refused);
        if let Err(error) = removed {
            shared.tell(0, 0, faulted(format!("the socket is still there: {error}")));
        }
        Refusal { shared }
    }
}

impl Refusal {
    /// Accepts connections again, where no other refusal is in force.
    pub fn release(self) {}
}

impl Drop for Refusal {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.refusals -= 1;
        // A wire that has closed has given its path away.
        if state.refusals > 0 || *self.shared.closing.borrow() {
            return;
        }
        let told = match self.shared.endpoint.open() {
            Ok(()) => faulted("accepts again".to_owned()),
            Err(error) => faulted(format!("the socket could not be bound again: {error}")),
        };
        drop(state);
        self.shared.tell(0, 0, told);
    }
}

fn faulted(fault: String) -> What {
    What::Faulted { rule: "refuse".to_owned(), fault }
}
