//! If the daemon cannot use the configuration or write its context, it logs an error, so that a person
//! sees it.

use super::state::ConfigState;
use crate::oracle::quiet_logs::is_about_configuration;
use crate::record::{CONFIG_FILE, LogLevel, Stage, What};

/// Follows whether the daemon must log an error, and whether it has.
#[derive(Default)]
pub(super) struct ErrorReport {
    /// The engine was connected while the configuration could not be used: the daemon reads it then.
    required: bool,
    /// The engine was connected at the last record.
    was_connected: bool,
    /// An error in the log names the configuration's file.
    logged: bool,
    /// An error in the log is about the configuration, since the disk fails.
    disk_logged: bool,
    /// The world has been quiet since. Log lines are recorded only at the end of a step.
    quiet: bool,
}

impl ErrorReport {
    /// Applies the next record, and returns the violations that it shows.
    pub(super) fn apply(&mut self, state: &ConfigState, what: &What) -> Vec<String> {
        let about = state.user.as_ref().is_some_and(|user| user.about);
        self.disk_logged &= state.disk_fails;
        let was_connected = std::mem::replace(&mut self.was_connected, state.is_connected());
        let connects = self.was_connected && !was_connected;
        self.required |= about && connects && state.is_broken();
        match what {
            What::Log { level, text } if *level >= LogLevel::Error => {
                self.logged |= text.contains(CONFIG_FILE);
                self.disk_logged |= state.disk_fails && is_about_configuration(text);
            }
            What::Checkpoint { stage: Stage::Probed, .. } => self.quiet = true,
            // The end of the step in which the world became quiet: the log has been read up to here.
            What::StepDone { .. } | What::StepFailed { .. } | What::Ended if self.quiet => {
                self.quiet = false;
                let required = std::mem::take(&mut self.required);
                let logged = std::mem::take(&mut self.logged);
                // A connected daemon has tried to write its context (contract 5.1.3).
                let unwritten = about
                    && state.disk_fails
                    && state.is_connected()
                    && state.own_context().is_none();
                let unused = "config.json cannot be used, but no error in the log says so";
                let lacking = "the daemon's context could not be written, but no error in the log \
                               says so";
                let violations =
                    [(required && !logged, unused), (unwritten && !self.disk_logged, lacking)];
                return violations
                    .into_iter()
                    .filter(|(shown, _)| *shown)
                    .map(|(_, text)| text.to_owned())
                    .collect();
            }
            _ => {}
        }
        Vec::new()
    }
}
