//! What the daemon itself puts into the configuration: its context exists while the engine is connected,
//! and nothing is left of it after a stop.

use super::state::ConfigState;
use crate::record::{DockerContent, ProcessState, Record, Stage, What};

/// Follows the daemon's context and the files that it leaves beside the configuration.
#[derive(Default)]
pub(super) struct OwnContext {
    /// The record at which the world was last level.
    level: u64,
    /// When the daemon's process ended, if it has ended.
    ended_us: Option<u64>,
    /// The daemon's own command ended it, which counts as a stop.
    stopped: bool,
    /// That stop has not been judged yet.
    unjudged: bool,
    /// The daemon's context existed at some time.
    existed: bool,
}

impl OwnContext {
    /// Applies the next record, and returns the violations that it shows.
    pub(super) fn apply(&mut self, state: &ConfigState, record: &Record) -> Vec<String> {
        match &record.what {
            What::Checkpoint { stage: Stage::Level, .. } => {
                self.level = record.seq;
                Vec::new()
            }
            What::Checkpoint { stage: Stage::Probed, .. } => self.judge(state),
            What::Process { name, state, .. } if name == "daemon" => {
                self.ended_us = (*state == ProcessState::Stopped).then_some(record.at_us);
                self.stopped = false;
                Vec::new()
            }
            What::Command(run) if run.arguments == ["svc", "stop"] && run.exit.is_success() => {
                // A command is recorded when it has ended. If the daemon ended before the command began,
                // something else ended it, and that was not a stop. One millisecond more, because
                // `took_ms` is rounded down.
                let took_us = (run.took_ms + 1) * 1000;
                let began_us = record.at_us.saturating_sub(took_us);
                self.stopped = self.ended_us.is_some_and(|ended| ended >= began_us);
                self.unjudged = self.stopped;
                Vec::new()
            }
            // At the end of the step, everything before the stop is recorded, and no step has started
            // the daemon again.
            What::StepDone { .. } if std::mem::take(&mut self.unjudged) && !state.killed => {
                self.judge_stop(state)
            }
            What::Ended if self.stopped && !state.killed => self.judge_stop(state),
            What::DockerFile(file) => {
                self.existed |= state.own_context().is_some();
                let changed = file.path.starts_with("other/") && !file.by_user;
                let changed = changed && file.holds != DockerContent::Nothing;
                let path = &file.path;
                let text = format!("the daemon changed {path}, which is outside DOCKER_CONFIG");
                changed.then_some(text).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Judges the configuration while the world is quiet.
    fn judge(&self, state: &ConfigState) -> Vec<String> {
        let Some(user) = &state.user else { return Vec::new() };
        // A file that is newer than the level may be a write that is still in progress.
        let mut violations = self.leftover_files(state, self.level);
        if state.is_stopped() {
            violations.extend(self.leftover_context(state));
        } else if state.is_connected()
            && user.about
            && !state.disk_failed
            && !state.context_is_users
            && state.own_context().is_none()
        {
            let context = &user.context;
            violations.push(format!("the engine is connected, but there is no context {context}"));
        }
        violations
    }

    /// Judges what a daemon left that stopped in order.
    fn judge_stop(&self, state: &ConfigState) -> Vec<String> {
        let mut violations = self.leftover_files(state, u64::MAX);
        violations.extend(self.leftover_context(state));
        violations
    }

    /// Violations if the daemon's context still exists, or is still the current one.
    fn leftover_context(&self, state: &ConfigState) -> Vec<String> {
        let Some(user) = &state.user else { return Vec::new() };
        let mut violations = Vec::new();
        // Nothing can be removed from a full or read-only disk. A daemon that has not created its context
        // cannot remove the context of an earlier, killed daemon either.
        if state.disk_fails || state.disk_failed && !self.existed {
            return violations;
        }
        let context = &user.context;
        if state.own_context().is_some() && !state.context_is_users {
            violations
                .push(format!("the engine is stopped, but the context {context} still exists"));
        }
        if state.config.as_ref().is_some_and(|config| config.current() == context) {
            violations
                .push(format!("the engine is stopped, but {context} is still the current context"));
        }
        violations
    }

    /// Violations for each file beside the configuration that no user put there, and that was first
    /// recorded before the record `before`.
    fn leftover_files(&self, state: &ConfigState, before: u64) -> Vec<String> {
        // A killed daemon could not remove its file. A docker command that runs has such a file, too.
        if state.killed && !state.is_stopped() || state.user_command_runs() {
            return Vec::new();
        }
        let old = state.view.strays().filter(|(_, since)| *since < before);
        old.map(|(name, _)| format!("{name} was left beside the configuration")).collect()
    }
}
