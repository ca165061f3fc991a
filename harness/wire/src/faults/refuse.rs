//! Refuses new connections: the socket is gone, as when an engine is down.

use std::sync::Arc;

use crate::event::What;
use crate::socket;
use crate::wire::{Shared, Wire};

/// Refuses new connections until it is dropped.
#[must_use = "dropping the refusal accepts connections again"]
pub struct Refusal {
    shared: Arc<Shared>,
}

impl Wire {
    /// Takes the socket away; open connections live on. It is bound again when the last of all
    /// refusals is dropped.
    pub fn refuse(&self) -> Refusal {
        let shared = self.shared.clone();
        shared.tell(0, 0, What::Refused);
        shared.state().refusals += 1;
        if let Err(error) = shared.unbind() {
            shared.tell(0, 0, faulted(format!("the socket could not be removed: {error}")));
        }
        Refusal { shared }
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        let failed = {
            let mut state = self.shared.state();
            state.refusals -= 1;
            // A wire that was closed meanwhile must leave no socket behind.
            let again = state.refusals == 0 && !self.shared.is_closing();
            again.then(|| bind_again(&self.shared)).and_then(Result::err)
        };
        if let Some(error) = failed {
            let text = format!("the socket could not be bound again: {error}");
            self.shared.tell(0, 0, faulted(text));
        }
    }
}

fn bind_again(shared: &Shared) -> Result<(), crate::WireError> {
    let _runtime = shared.runtime.enter();
    let listener = socket::listen(&shared.config.listen)?;
    shared.listener.send_replace(Some(Arc::new(listener)));
    Ok(())
}

fn faulted(fault: String) -> What {
    What::Faulted { rule: "refuse".to_owned(), fault }
}
