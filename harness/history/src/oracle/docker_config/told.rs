//! A configuration that cannot be used is told as an error, so that a person sees it.

use super::facts::Facts;
use crate::record::{CONFIG_FILE, LogLevel, Stage, What};

#[derive(Default)]
pub(super) struct Told {
    /// The engine was connected while the configuration could not be used.
    owes: bool,
    /// A line of the log tells of it.
    told: bool,
    /// The world was quiet since: lines are recorded at the end of the step.
    quiet: bool,
}

impl Told {
    /// Takes one more record; gives what is wrong now.
    pub(super) fn see(&mut self, facts: &Facts, what: &What) -> Option<String> {
        match what {
            What::Log { level, text } if *level >= LogLevel::Error => {
                self.told |= text.contains(CONFIG_FILE);
            }
            What::Api(_) | What::Listed { .. } => {
                let about = facts.user.as_ref().is_some_and(|user| user.about);
                self.owes |= about && facts.is_connected() && facts.is_broken();
            }
            What::Checkpoint { stage: Stage::Probed, .. } => self.quiet = true,
            What::StepDone { .. } | What::StepFailed { .. } | What::Ended if self.quiet => {
                self.quiet = false;
                let (owes, told) = (std::mem::take(&mut self.owes), std::mem::take(&mut self.told));
                return (owes && !told).then(|| {
                    "config.json cannot be used, and no error in the log says so".to_owned()
                });
            }
            _ => {}
        }
        None
    }
}
