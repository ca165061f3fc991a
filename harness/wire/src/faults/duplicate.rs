//! Passes frames of event streams on twice.

use crate::rule::{Effect, FrameFault, Matcher, RuleGuard};
use crate::wire::Wire;

impl Wire {
    /// Passes matching frames on twice, one right behind the other: `times` of them, or all; with a
    /// matcher's `nth`, from that one on.
    ///
    /// Nothing can be put into a stream whose head has promised its length: there they pass once.
    pub fn duplicate_frame(&self, name: &str, matcher: Matcher, times: Option<u32>) -> RuleGuard {
        self.shared.rules.arm(name, matcher, Effect::Frame(FrameFault::Duplicate, times))
    }
}
