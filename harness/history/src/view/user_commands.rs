//! Docker commands of the user, which reach the engine by the same wire as the daemon.

use crate::record::What;

/// How many docker commands of the user run now.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserCommands(usize);

impl UserCommands {
    /// Applies the next record.
    pub(crate) fn apply(&mut self, what: &What) {
        let What::UserCommand(command) = what else { return };
        match command.end {
            None => self.0 += 1,
            Some(_) => self.0 = self.0.saturating_sub(1),
        }
    }

    /// Whether one runs.
    pub(crate) fn run(&self) -> bool {
        self.0 > 0
    }
}
