//! Docker commands of the user, which reach the engine by the same wire as the daemon.

use crate::record::{Record, What};
use crate::scenario::{CommandStep, Step};
use crate::steps::Steps;

/// Which docker commands of the user run now.
#[derive(Clone, Debug, Default)]
pub struct UserCommands {
    /// How many of the harness's own steps for them.
    docker: usize,
    /// A step runs the daemon's command `run`, whose command may be docker (contract 1.6.4).
    by_daemon: bool,
}

impl UserCommands {
    /// Applies the next record of a history with these steps.
    pub fn apply(&mut self, record: &Record, steps: Steps<'_>) {
        if let What::UserCommand(command) = &record.what {
            match command.end {
                None => self.docker += 1,
                Some(_) => self.docker = self.docker.saturating_sub(1),
            }
        }
        if matches!(record.what, What::StepDone { .. } | What::StepFailed { .. }) {
            self.by_daemon = false;
        }
        self.by_daemon |= steps.begun(record).is_some_and(is_run);
    }

    /// Whether one runs.
    #[must_use]
    pub fn run(&self) -> bool {
        self.docker > 0 || self.by_daemon
    }
}

fn is_run(step: &Step) -> bool {
    let Step::Command(CommandStep::RunCommand(command)) = step else { return false };
    command.words().next() == Some("run")
}
