//! What is the daemon's own: there while the engine is connected, and gone after a stop.

use super::facts::Facts;
use crate::record::{DockerContent, ProcessState, Record, Stage, What};

#[derive(Default)]
pub(super) struct Ours {
    /// The record at which the world was level the last time.
    level: u64,
    /// When the daemon's process ended, if it has.
    ended_us: Option<u64>,
    /// It was told to by its own command, which is a stop.
    stopped: bool,
    /// What that stop has left was not looked at yet.
    unjudged: bool,
    /// The daemon's context has been there.
    was_there: bool,
}

impl Ours {
    /// Takes one more record; gives what is wrong now.
    pub(super) fn see(&mut self, facts: &Facts, record: &Record) -> Vec<String> {
        match &record.what {
            What::Checkpoint { stage: Stage::Level, .. } => {
                self.level = record.seq;
                Vec::new()
            }
            What::Checkpoint { stage: Stage::Probed, .. } => self.judge(facts),
            What::Process { name, state, .. } if name == "daemon" => {
                self.ended_us = (*state == ProcessState::Stopped).then_some(record.at_us);
                self.stopped = false;
                Vec::new()
            }
            What::Command(run) if run.arguments == ["svc", "stop"] && run.exit.is_success() => {
                // It is recorded when it is over; whatever ended the daemon before it began, was no stop.
                let took_us = (run.took_ms + 1) * 1000;
                let began_us = record.at_us.saturating_sub(took_us);
                self.stopped = self.ended_us.is_some_and(|ended| ended >= began_us);
                self.unjudged = self.stopped;
                Vec::new()
            }
            // By then all is recorded that came before the end, and nobody has been started again.
            What::StepDone { .. } if std::mem::take(&mut self.unjudged) && !facts.killed => {
                self.judge_end(facts)
            }
            What::Ended if self.stopped && !facts.killed => self.judge_end(facts),
            What::DockerFile(file) => {
                self.was_there |= self.ours(facts).is_some();
                let touched = file.path.starts_with("other/") && !file.by_user;
                let touched = touched && file.holds != DockerContent::Nothing;
                let what = format!("{} was touched, which DOCKER_CONFIG does not name", file.path);
                touched.then_some(what).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn ours<'a>(&self, facts: &'a Facts) -> Option<&'a DockerContent> {
        facts.context(&facts.user.as_ref()?.context)
    }

    /// Judges a quiet world.
    fn judge(&self, facts: &Facts) -> Vec<String> {
        let Some(user) = &facts.user else { return Vec::new() };
        let mut wrong = self.strays(facts, self.level);
        if facts.is_stopped() {
            wrong.extend(self.left(facts));
        } else if facts.is_connected() && user.about && !facts.disk && self.ours(facts).is_none() {
            let context = &user.context;
            wrong.push(format!("the engine is connected, and there is no context {context}"));
        }
        wrong
    }

    /// Judges what a daemon has left that ended in order.
    fn judge_end(&self, facts: &Facts) -> Vec<String> {
        let mut wrong = self.strays(facts, u64::MAX);
        wrong.extend(self.left(facts));
        wrong
    }

    /// Nobody uses the context any more.
    fn left(&self, facts: &Facts) -> Vec<String> {
        let Some(user) = &facts.user else { return Vec::new() };
        let mut left = Vec::new();
        // What cannot be written cannot be cleared, and what was killed comes back to it later.
        if facts.disk && !self.was_there {
            return left;
        }
        if self.ours(facts).is_some() {
            left.push(format!("the engine is stopped, and the context {} is there", user.context));
        }
        if facts.config.as_ref().is_some_and(|config| config.current() == user.context) {
            left.push(format!(
                "the engine is stopped, and {} is the current context",
                user.context
            ));
        }
        left
    }

    /// Files that were there before this record, and are nobody's.
    fn strays(&self, facts: &Facts, before: u64) -> Vec<String> {
        if facts.killed && !facts.is_stopped() || facts.user_is_busy() {
            return Vec::new();
        }
        let old = facts.view.strays().filter(|(_, since)| *since < before);
        old.map(|(name, _)| format!("{name} was left beside the configuration")).collect()
    }
}
