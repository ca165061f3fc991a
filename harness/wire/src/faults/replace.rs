//! Replaces the socket: another inode at the same path, as after an engine's restart.

use crate::event::What;
use crate::wire::{Wire, WireError};

impl Wire {
    /// Removes the socket and binds a new one at its path; open connections live on, and who had
    /// connected without being accepted yet is refused. Where a refusal is in force there is no
    /// socket to replace: its end binds a new one, and this does nothing.
    ///
    /// # Errors
    /// Where the socket cannot be removed, or not be bound again; then nobody can connect any more.
    pub fn replace_socket(&self) -> Result<(), WireError> {
        let state = self.shared.state();
        if state.refusals > 0 {
            return Ok(());
        }
        self.shared.endpoint.shut()?;
        self.shared.endpoint.open()?;
        drop(state);
        let fault = "bound anew".to_owned();
        self.shared.tell(0, 0, What::Faulted { rule: "replace_socket".to_owned(), fault });
        Ok(())
    }
}
