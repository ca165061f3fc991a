//! Drops frames of event streams: the engine has told, and the daemon never hears of it.

use crate::rule::{Effect, FrameFault, Matcher, RuleGuard};
use crate::wire::Wire;

impl Wire {
    /// Drops matching frames: `times` of them, or all; with a matcher's `nth`, from that one on.
    ///
    /// Nothing can be taken out of a stream whose head has promised its length: there they pass.
    pub fn drop_frame(&self, name: &str, matcher: Matcher, times: Option<u32>) -> RuleGuard {
        self.shared.rules.arm(name, matcher, Effect::Frame(FrameFault::Drop, times))
    }
}
