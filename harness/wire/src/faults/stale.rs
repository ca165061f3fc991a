//! Serves an earlier answer again; the engine never sees the request.

use crate::faults::record::Recording;
use crate::rule::{Effect, Matcher, RequestFault, RuleGuard};
use crate::wire::Wire;

impl Wire {
    /// Answers matching requests with what was recorded last, byte for byte: `times` of them, or
    /// all; with a matcher's `nth`, from that one on. The engine sees none of them. A request that
    /// comes before anything was recorded, or is of another method than what was, does not count.
    pub fn stale(
        &self,
        name: &str,
        matcher: Matcher,
        recording: &Recording,
        times: Option<u32>,
    ) -> RuleGuard {
        let fault = RequestFault::Stale(recording.kept.clone());
        self.shared.rules.arm(name, matcher, Effect::Request(fault, times))
    }
}
