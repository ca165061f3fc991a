//! Serves a recorded response again. The upstream never receives the request.

use crate::faults::record::Recording;
use crate::rules::fault::{Effect, RequestFault};
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::wire::Wire;

impl Wire {
    /// Answers matching requests with the last recorded response, byte for byte, `times` of them or
    /// all, beginning with the matcher's `nth`. The upstream receives none of them.
    ///
    /// A request does not match while nothing is recorded, or if its method differs from that of
    /// the recorded request.
    pub fn stale(
        &self,
        name: &str,
        matcher: Matcher,
        recording: &Recording,
        times: Option<u32>,
    ) -> RuleGuard {
        let fault = RequestFault::Stale(recording.answer.clone());
        self.shared.rules.arm(name, matcher, Effect::Request(fault, times))
    }
}
