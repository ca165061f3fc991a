//! Drops frames of event streams: the upstream has sent them, and the client never receives them.

use crate::rules::fault::{Effect, FrameFault};
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::wire::Wire;

impl Wire {
    /// Drops matching frames, `times` of them or all, beginning with the matcher's `nth`.
    ///
    /// Frames of a response with a `Content-Length` are not dropped: the body would be too short.
    pub fn drop_frame(&self, name: &str, matcher: Matcher, times: Option<u32>) -> RuleGuard {
        self.shared.rules.arm(name, matcher, Effect::Frame(FrameFault::Drop, times))
    }
}
