//! If the daemon cannot use the configuration, it logs an error, so that a person sees it.

use super::state::ConfigState;
use crate::record::{CONFIG_FILE, LogLevel, Stage, What};

/// Follows whether the daemon must log an error, and whether it has.
#[derive(Default)]
pub(super) struct ErrorReport {
    /// The engine was connected while the configuration could not be used.
    required: bool,
    /// An error in the log names the configuration's file.
    logged: bool,
    /// The world has been quiet since. Log lines are recorded only at the end of a step.
    quiet: bool,
}

impl ErrorReport {
    /// Applies the next record, and returns the violation that it shows.
    pub(super) fn apply(&mut self, state: &ConfigState, what: &What) -> Option<String> {
        match what {
            What::Log { level, text } if *level >= LogLevel::Error => {
                self.logged |= text.contains(CONFIG_FILE);
            }
            What::Api(_) | What::Listed { .. } => {
                let about = state.user.as_ref().is_some_and(|user| user.about);
                self.required |= about && state.is_connected() && state.is_broken();
            }
            What::Checkpoint { stage: Stage::Probed, .. } => self.quiet = true,
            // The end of the step in which the world became quiet: the log has been read up to here.
            What::StepDone { .. } | What::StepFailed { .. } | What::Ended if self.quiet => {
                self.quiet = false;
                let required = std::mem::take(&mut self.required);
                let logged = std::mem::take(&mut self.logged);
                return (required && !logged).then(|| {
                    "config.json cannot be used, but no error in the log says so".to_owned()
                });
            }
            _ => {}
        }
        None
    }
}
