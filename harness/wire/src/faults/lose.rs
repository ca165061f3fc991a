//! Loses the answer to what was done: the engine has acted, and the daemon cannot know.

use std::convert::Infallible;

use crate::connection::End;
use crate::faults::cut;
use crate::http1::{Body, Head};
use crate::response::Response;
use crate::rule::{Cause, Effect, Matcher, ResponseFault, RuleGuard};
use crate::wire::Wire;

impl Wire {
    /// Lets matching requests reach the engine, reads its answers to their end, and cuts the
    /// daemon's connection without one byte of them: `times` of them, or all; with a matcher's `nth`,
    /// from that one on. Of an answer without an end only the head is waited for.
    ///
    /// A client may repeat by itself what it lost: Go's does so for requests without a body that are
    /// safe, on a connection that it has used before (RFC 9110, section 9.2.2). That counts anew.
    pub fn lose(&self, name: &str, matcher: Matcher, times: Option<u32>) -> RuleGuard {
        self.shared.rules.arm(name, matcher, Effect::Response(ResponseFault::Lose, times))
    }
}

/// Does it to a response whose head is in the buffer.
pub(crate) async fn strike(
    response: &mut Response<'_>,
    head: &Head,
    body: &Body,
    status: u16,
    cause: &Cause,
) -> Result<Infallible, End> {
    response.keep_whole(head, body).await?;
    cause.happened(response.line, format!("lost the response with status {status}"));
    Ok(cut::from_within(response.line).await)
}
