//! Refuses new connections: the socket is gone, as when an engine is down.

use std::sync::Arc;

use crate::event::What;
use crate::wire::{Shared, Wire, listen, remove_socket};

/// Refuses new connections until it is dropped.
#[must_use = "dropping the refusal accepts connections again"]
pub struct Refusal {
    shared: Arc<Shared>,
}

impl Wire {
    /// Takes the socket away; open connections live on.
    pub fn refuse(&self) -> Refusal {
        let shared = self.shared.clone();
        shared.tell(0, 0, What::Refused);
        if let Err(error) = remove_socket(&shared.config.listen) {
            shared.tell(0, 0, faulted(format!("the socket could not be removed: {error}")));
        }
        shared.listener.send_replace(None);
        Refusal { shared }
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        match listen(&self.shared.config.listen) {
            Ok(listener) => {
                self.shared.listener.send_replace(Some(Arc::new(listener)));
            }
            Err(error) => {
                let text = format!("the socket could not be bound again: {error}");
                self.shared.tell(0, 0, faulted(text));
            }
        }
    }
}

fn faulted(fault: String) -> What {
    What::Faulted { rule: "refuse".to_owned(), fault }
}
