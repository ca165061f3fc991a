//! Changes the order of frames: a frame is delayed while later ones pass.

use std::num::NonZeroU32;

use crate::context::ConnectionContext;
use crate::frame::Frame;
use crate::rules::fault::{Cause, Effect, FrameFault};
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::wire::Wire;

impl Wire {
    /// Delays matching frames, each until `behind` later frames of its stream have passed or the
    /// stream has ended: `times` of them or all, beginning with the matcher's `nth`.
    ///
    /// The fault has happened when the frame is forwarded behind a later one. Disarming the rule
    /// does not affect a frame that is delayed already. In a response with a `Content-Length` the
    /// frames keep their order.
    pub fn reorder_frame(
        &self,
        name: &str,
        matcher: Matcher,
        behind: NonZeroU32,
        times: Option<u32>,
    ) -> RuleGuard {
        let fault = FrameFault::Reorder { behind };
        self.shared.rules.arm(name, matcher, Effect::Frame(fault, times))
    }
}

/// A frame that is delayed.
#[derive(Debug)]
pub(crate) struct DelayedFrame {
    frame: Frame,
    cause: Cause,
    /// Number of frames that are to pass before it.
    behind: u32,
    /// Number of frames that have passed since.
    passed: u32,
}

impl DelayedFrame {
    pub(crate) fn new(frame: Frame, behind: NonZeroU32, cause: Cause) -> Self {
        Self { frame, cause, behind: behind.get(), passed: 0 }
    }

    /// Counts a later frame that has passed.
    pub(crate) fn count_passed(&mut self) {
        self.passed += 1;
    }

    pub(crate) fn is_due(&self) -> bool {
        self.passed >= self.behind
    }

    /// The frame, to be forwarded now. Reports the fault, unless the stream has ended before any
    /// later frame passed: then the order is unchanged.
    pub(crate) fn into_frame(self, context: &ConnectionContext) -> Frame {
        if self.passed > 0 {
            let fault = format!("forwarded a frame behind {} later ones", self.passed);
            context.report_fault(&self.cause, fault);
        }
        self.frame
    }
}
