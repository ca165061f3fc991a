//! Slows responses down: the client receives their bodies in small pieces.

use std::io;

use crate::clock::Ticker;
use crate::context::ConnectionContext;
use crate::rules::fault::{Cause, Effect, Pieces, ResponseFault};
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::transport::halves::Writer;
use crate::wire::Wire;

impl Wire {
    /// Forwards the bodies of matching responses in pieces, event streams too: `times` of them or
    /// all, beginning with the matcher's `nth`. When the rule is disarmed, the rest is sent at
    /// once.
    ///
    /// # Panics
    /// If the time between two pieces is zero.
    pub fn slow(
        &self,
        name: &str,
        matcher: Matcher,
        pieces: Pieces,
        times: Option<u32>,
    ) -> RuleGuard {
        assert!(!pieces.every.is_zero(), "the time between two pieces must not be zero");
        let fault = ResponseFault::Slow(pieces);
        self.shared.rules.arm(name, matcher, Effect::Response(fault, times))
    }
}

/// Sends a body to the client in pieces.
#[derive(Debug)]
pub(crate) struct Slow {
    pieces: Pieces,
    pace: Ticker,
    cause: Cause,
    reported: bool,
    disarmed: bool,
}

impl Slow {
    pub(crate) fn new(pieces: Pieces, cause: Cause) -> Self {
        let pace = Ticker::new(pieces.every);
        Self { pieces, pace, cause, reported: false, disarmed: false }
    }

    pub(crate) async fn send(
        &mut self,
        context: &ConnectionContext,
        client: &mut Writer,
        body: &[u8],
    ) -> io::Result<()> {
        for piece in body.chunks(self.pieces.bytes.get()) {
            if !self.disarmed {
                self.wait_for_tick().await;
            }
            // Reported with the first piece: an empty body is not slowed down.
            if !std::mem::replace(&mut self.reported, true) {
                let Pieces { bytes, every } = self.pieces;
                context
                    .report_fault(&self.cause, format!("forwards {bytes} bytes every {every:?}"));
            }
            client.send(piece).await?;
        }
        Ok(())
    }

    async fn wait_for_tick(&mut self) {
        tokio::select! {
            // Cancel-safe: a tick that was not taken stays due.
            () = self.pace.tick() => {}
            // Cancel-safe: a rule that was disarmed stays disarmed.
            () = self.cause.disarmed() => self.disarmed = true,
        }
    }
}
