//! Leaves a connection half-open: after some point the client receives nothing more, not even an
//! end.

use std::io;

use crate::context::ConnectionContext;
use crate::rules::fault::{Cause, Effect, FrameFault, ResponseFault};
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::transport::halves::Writer;
use crate::wire::Wire;

/// The part of a response that the client still receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HalfOpenAfter {
    /// The head and this many bytes of the body, with the framing of the upstream.
    Bytes(u64),
    /// All frames of an event stream up to the one that the matcher selects, and this one.
    Frame,
}

impl Wire {
    /// Forwards the beginning of matching responses, and then nothing, `times` of them or all,
    /// beginning with the matcher's `nth`. The connection stays open until the client closes it;
    /// when the rule is disarmed, the wire cuts it.
    ///
    /// The fault happens when there is something to forward behind `after`, and not before. From
    /// then on the wire does not read from the upstream either.
    pub fn half_open(
        &self,
        name: &str,
        matcher: Matcher,
        after: HalfOpenAfter,
        times: Option<u32>,
    ) -> RuleGuard {
        let effect = match after {
            HalfOpenAfter::Bytes(bytes) => {
                Effect::Response(ResponseFault::HalfOpen { bytes }, times)
            }
            HalfOpenAfter::Frame => Effect::Frame(FrameFault::HalfOpen, times),
        };
        self.shared.rules.arm(name, matcher, effect)
    }
}

/// Sends the beginning of a body to the client.
#[derive(Debug)]
pub(crate) struct HalfOpen {
    bytes: u64,
    /// How many of `bytes` are not sent yet.
    left: u64,
    cause: Cause,
}

impl HalfOpen {
    pub(crate) fn new(bytes: u64, cause: Cause) -> Self {
        Self { bytes, left: bytes, cause }
    }

    /// Sends as much of the body as the client may receive. If that is not all, never returns.
    pub(crate) async fn send(
        &mut self,
        context: &ConnectionContext,
        client: &mut Writer,
        body: &[u8],
    ) -> io::Result<()> {
        let sendable = body.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        // Before the fault is reported: a test that has seen the event can read these bytes.
        client.send(&body[..sendable]).await?;
        self.left -= sendable as u64;
        if sendable < body.len() {
            let fault = format!("forwarded {} bytes of the body, and nothing more", self.bytes);
            match context.stall(&mut self.cause, fault).await {}
        }
        Ok(())
    }
}
