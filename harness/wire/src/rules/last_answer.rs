//! The last response that a recording has kept. `Wire::record` writes it, `Wire::stale` serves it.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use crate::clock::{TimedOut, within};

/// A complete response that the wire can send in place of the upstream.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The whole response, head and body.
    pub(crate) bytes: Bytes,
    /// Bytes of the body, with its framing.
    pub(crate) body_bytes: u64,
    /// Whether the connection ends with this response.
    pub(crate) closes: bool,
}

/// The last response that a recording has kept, shared with the rules that serve it.
#[derive(Debug, Default)]
pub(crate) struct LastAnswer {
    /// The method of the request, and the response to it.
    kept: watch::Sender<Option<(String, Answer)>>,
}

impl LastAnswer {
    pub(crate) fn keep(&self, method: &str, answer: Answer) {
        self.kept.send_replace(Some((method.to_owned(), answer)));
    }

    /// Whether there is a response to a request of this method. The method must be the same,
    /// because it decides where a response ends: a response to `HEAD` has no body.
    pub(crate) fn can_answer(&self, method: &str) -> bool {
        self.kept.borrow().as_ref().is_some_and(|(kept, _)| kept == method)
    }

    pub(crate) fn get(&self) -> Option<Answer> {
        self.kept.borrow().as_ref().map(|(_, answer)| answer.clone())
    }

    /// Waits until a response has been kept.
    pub(crate) async fn recorded(&self, limit: Duration) -> Result<(), TimedOut> {
        let mut kept = self.kept.subscribe();
        within(limit, kept.wait_for(Option::is_some)).await.map(|_| ())
    }
}
