//! Keeps what the engine has answered, for `stale`. By itself it changes nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::faults::answer::Answer;
use crate::rule::{Effect, Matcher, RuleGuard};
use crate::wire::Wire;

impl Wire {
    /// Keeps the last response to matching requests, as the engine sent it: of `times` of them, or
    /// of all; with a matcher's `nth`, from that one on. Every recording that fits keeps it, and
    /// other rules decide as if there were none. A response is passed on when it is whole; one that
    /// has no end of its own, or ends with the connection, is not kept.
    pub fn record(&self, name: &str, matcher: Matcher, times: Option<u32>) -> Recording {
        let kept = Arc::new(Kept::default());
        let rule = self.shared.rules.arm(name, matcher, Effect::Record(kept.clone(), times));
        Recording { name: name.to_owned(), kept, rule }
    }
}

/// The last response that fitted. What a rule serves of it outlives it.
#[derive(Debug)]
#[must_use = "dropping the recording ends it"]
pub struct Recording {
    name: String,
    pub(crate) kept: Arc<Kept>,
    rule: RuleGuard,
}

/// Nothing was recorded in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("waited {waited:.1?} for a response to record as `{recording}`; last seen: {last_seen}")]
pub struct NotRecorded {
    recording: String,
    waited: Duration,
    last_seen: String,
}

impl Recording {
    /// Waits until a response has been recorded.
    ///
    /// # Errors
    /// Where none came within `limit`; the error tells what went by instead.
    pub async fn recorded(&self, limit: Duration) -> Result<(), NotRecorded> {
        let began = Instant::now();
        let mut answers = self.kept.answer.subscribe();
        if tokio::time::timeout(limit, answers.wait_for(Option::is_some)).await.is_ok() {
            return Ok(());
        }
        let last_seen = self.rule.last_seen();
        Err(NotRecorded { recording: self.name.clone(), waited: began.elapsed(), last_seen })
    }
}

/// What was recorded, for all who use it.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    answer: watch::Sender<Option<(String, Answer)>>,
}

impl Kept {
    pub(crate) fn keep(&self, method: &str, answer: Answer) {
        self.answer.send_replace(Some((method.to_owned(), answer)));
    }

    /// There is a response to requests of this method: one to another may have its end elsewhere.
    pub(crate) fn answers(&self, method: &str) -> bool {
        self.answer.borrow().as_ref().is_some_and(|(kept, _)| kept == method)
    }

    pub(crate) fn answer(&self) -> Option<Answer> {
        self.answer.borrow().as_ref().map(|(_, answer)| answer.clone())
    }
}
