//! Records responses of the upstream, for `stale`. Recording alone changes nothing for the client.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::TimedOut;
use crate::rules::fault::Effect;
use crate::rules::last_answer::LastAnswer;
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::wire::Wire;

impl Wire {
    /// Records the last response to matching requests, as the upstream sent it: of `times` of them
    /// or of all, beginning with the matcher's `nth`.
    ///
    /// Several recordings may record the same response, and do not affect other rules. The wire
    /// forwards a recorded response only when it is complete. It does not record a response without
    /// an end, nor one that ends with its connection.
    pub fn record(&self, name: &str, matcher: Matcher, times: Option<u32>) -> Recording {
        let answer = Arc::new(LastAnswer::default());
        let rule = self.shared.rules.arm(name, matcher, Effect::Record(answer.clone(), times));
        Recording { name: name.to_owned(), answer, rule }
    }
}

/// The last response that matched. A rule that serves it keeps it when the recording is dropped.
#[derive(Debug)]
#[must_use = "dropping the recording ends it"]
pub struct Recording {
    name: String,
    pub(crate) answer: Arc<LastAnswer>,
    rule: RuleGuard,
}

/// No response was recorded in time.
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
    /// If no response was recorded within `limit`. The error describes the messages that passed
    /// instead.
    pub async fn recorded(&self, limit: Duration) -> Result<(), NotRecorded> {
        self.answer.recorded(limit).await.map_err(|TimedOut { waited }| {
            let last_seen = self.rule.last_seen();
            NotRecorded { recording: self.name.clone(), waited, last_seen }
        })
    }
}
