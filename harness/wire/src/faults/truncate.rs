//! Shortens responses and frames them so that they look complete: the connection is intact, the
//! JSON is not.

use crate::rules::fault::{Effect, ResponseFault};
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::wire::Wire;

impl Wire {
    /// Forwards only the first `bytes` bytes of the content of matching responses, framed as if
    /// they were all: `times` of them or all, beginning with the matcher's `nth`. A response with
    /// no more content than that, or with no end of its own, is forwarded unchanged.
    pub fn truncate(
        &self,
        name: &str,
        matcher: Matcher,
        bytes: usize,
        times: Option<u32>,
    ) -> RuleGuard {
        let fault = ResponseFault::Truncate { bytes };
        self.shared.rules.arm(name, matcher, Effect::Response(fault, times))
    }
}

/// Shortens the content of a body. Returns the new content and a description; none if the content
/// has no more than `bytes` bytes.
pub(crate) fn truncate_content(bytes: usize, mut content: Vec<u8>) -> Option<(Vec<u8>, String)> {
    let length = content.len();
    if length <= bytes {
        return None;
    }
    content.truncate(bytes);
    Some((content, format!("cut the body from {length} to {bytes} bytes")))
}
