//! Loses responses: the upstream has acted on the request, and the client cannot know.

use crate::rules::fault::{Effect, ResponseFault};
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::wire::Wire;

impl Wire {
    /// Forwards matching requests, reads their responses to the end, and then cuts the connection
    /// without sending the client one byte of the response: `times` of them or all, beginning with
    /// the matcher's `nth`. Of a response without an end, the wire reads only the head.
    ///
    /// A client may repeat such a request by itself. Go's client does so for safe requests without
    /// a body on a connection that it has used before (RFC 9110, section 9.2.2). The repetition
    /// counts as another message.
    pub fn lose(&self, name: &str, matcher: Matcher, times: Option<u32>) -> RuleGuard {
        self.shared.rules.arm(name, matcher, Effect::Response(ResponseFault::Lose, times))
    }
}

/// The description of a response that was lost.
pub(crate) fn description(status: u16) -> String {
    format!("lost the response with status {status}")
}
