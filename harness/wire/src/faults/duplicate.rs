//! Forwards frames of event streams twice.

use crate::rules::fault::{Effect, FrameFault};
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::wire::Wire;

impl Wire {
    /// Forwards matching frames twice, one directly behind the other, `times` of them or all,
    /// beginning with the matcher's `nth`.
    ///
    /// Frames of a response with a `Content-Length` are forwarded once: the body would be too long.
    pub fn duplicate_frame(&self, name: &str, matcher: Matcher, times: Option<u32>) -> RuleGuard {
        self.shared.rules.arm(name, matcher, Effect::Frame(FrameFault::Duplicate, times))
    }
}
