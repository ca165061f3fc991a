//! Changes the order of frames: one is kept back while later ones pass.

use std::num::NonZeroU32;

use crate::frame::Frame;
use crate::live::Line;
use crate::rule::{Cause, Effect, FrameFault, Matcher, RuleGuard};
use crate::wire::Wire;

impl Wire {
    /// Keeps matching frames back, each until `behind` later ones of its stream have passed, or the
    /// stream has ended: `times` of them, or all; with a matcher's `nth`, from that one on. It has
    /// happened when the frame passes behind a later one. A frame that is kept back when the rule is
    /// disarmed keeps waiting for its turn.
    ///
    /// In a stream whose head has promised its length the frames pass in their order.
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

/// A frame that is kept back.
#[derive(Debug)]
pub(crate) struct Late {
    frame: Frame,
    cause: Cause,
    /// How many frames are to pass before it, and have passed.
    behind: u32,
    passed: u32,
}

impl Late {
    pub(crate) fn new(frame: Frame, behind: NonZeroU32, cause: Cause) -> Self {
        Self { frame, cause, behind: behind.get(), passed: 0 }
    }

    /// A later frame has passed.
    pub(crate) fn one_passed(&mut self) {
        self.passed += 1;
    }

    pub(crate) fn is_due(&self) -> bool {
        self.passed >= self.behind
    }

    /// Its turn has come.
    pub(crate) fn into_frame(self, line: &Line) -> Frame {
        if self.passed > 0 {
            self.cause.happened(line, format!("passed a frame on behind {} others", self.passed));
        }
        self.frame
    }
}
