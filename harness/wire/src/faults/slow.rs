//! Slows responses down: their bodies come in small pieces.

use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

use crate::connection::End;
use crate::live::Line;
use crate::peer::Outgoing;
use crate::rule::{Cause, Effect, Matcher, ResponseFault, RuleGuard};
use crate::wire::Wire;

/// Pieces of a body, and how fast they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// Bytes in a piece at most, of the body as the engine framed it.
    pub bytes: NonZeroUsize,
    /// Time from one piece to the next; not zero.
    pub every: Duration,
}

impl Wire {
    /// Passes the bodies of matching responses on in pieces, streams of events too: `times` of
    /// them, or all; with a matcher's `nth`, from that one on. What is left when the rule is disarmed
    /// comes at once.
    ///
    /// # Panics
    /// Where the time between two pieces is zero.
    pub fn slow(
        &self,
        name: &str,
        matcher: Matcher,
        pieces: Pieces,
        times: Option<u32>,
    ) -> RuleGuard {
        assert!(!pieces.every.is_zero(), "pieces at no distance are no pieces");
        let fault = ResponseFault::Slow(pieces);
        self.shared.rules.arm(name, matcher, Effect::Response(fault, times))
    }
}

/// A body that passes slowly.
#[derive(Debug)]
pub(crate) struct Slow {
    pieces: Pieces,
    /// The pace is what this fault is: nothing is waited for by it.
    pace: Interval,
    cause: Cause,
    told: bool,
    disarmed: bool,
}

impl Slow {
    pub(crate) fn new(pieces: Pieces, cause: Cause) -> Self {
        let mut pace = tokio::time::interval(pieces.every);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { pieces, pace, cause, told: false, disarmed: false }
    }

    pub(crate) async fn send(
        &mut self,
        line: &Line,
        to: &mut Outgoing,
        bytes: &[u8],
    ) -> Result<(), End> {
        for piece in bytes.chunks(self.pieces.bytes.get()) {
            if !self.disarmed {
                self.wait_for_turn().await;
            }
            if !std::mem::replace(&mut self.told, true) {
                let Pieces { bytes, every } = self.pieces;
                self.cause.happened(line, format!("passes {bytes} bytes on each {every:?}"));
            }
            to.send(piece).await.map_err(|_| End::Closed)?;
        }
        Ok(())
    }

    async fn wait_for_turn(&mut self) {
        tokio::select! {
            // Cancel-safe: documented by tokio.
            _ = self.pace.tick() => {}
            // Cancel-safe: a rule that was disarmed stays so.
            () = self.cause.disarmed() => self.disarmed = true,
        }
    }
}
