//! Replaces the socket: a new inode at the same path, as after a restart of an engine.

use crate::error::WireError;
use crate::event::What;
use crate::wire::Wire;

impl Wire {
    /// Removes the socket and binds a new one at the same path. Open connections stay open; those
    /// that the wire has not accepted yet are refused. Does nothing while a refusal is in force:
    /// there is no socket to replace, and the end of the refusal binds a new one.
    ///
    /// # Errors
    /// If the socket cannot be removed, or cannot be bound again. In the second case nobody can
    /// connect any more.
    pub fn replace_socket(&self) -> Result<(), WireError> {
        // Holds the lock, so that no refusal begins or ends between the close and the bind.
        let state = self.shared.state();
        if state.refusals > 0 {
            return Ok(());
        }
        self.shared.endpoint.close()?;
        self.shared.endpoint.open()?;
        drop(state);
        let fault = "bound a new socket".to_owned();
        self.shared.report(0, 0, What::Faulted { rule: "replace_socket".to_owned(), fault });
        Ok(())
    }
}
