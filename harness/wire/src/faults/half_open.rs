//! Leaves a connection half-open: from somewhere on nothing comes any more, not even its end.

use std::convert::Infallible;

use crate::connection::End;
use crate::faults::cut;
use crate::live::Line;
use crate::peer::Outgoing;
use crate::rule::{Cause, Effect, FrameFault, Matcher, ResponseFault, RuleGuard};
use crate::wire::Wire;

/// What of a response still passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// Its head and so many bytes of its body, as the engine framed it.
    Bytes(u64),
    /// All frames of a stream of events up to one that the matcher names, and that one.
    Frame,
}

impl Wire {
    /// Passes on the beginning of matching responses, and then nothing: the connection stays open
    /// until the daemon ends it, and is cut when the rule is disarmed. `times` of them, or all; with
    /// a matcher's `nth`, from that one on. It happens where there is more to pass on, and not
    /// before; the engine is not read from any more then.
    pub fn half_open(
        &self,
        name: &str,
        matcher: Matcher,
        passes: Passes,
        times: Option<u32>,
    ) -> RuleGuard {
        let effect = match passes {
            Passes::Bytes(bytes) => Effect::Response(ResponseFault::HalfOpen { bytes }, times),
            Passes::Frame => Effect::Frame(FrameFault::HalfOpen, times),
        };
        self.shared.rules.arm(name, matcher, effect)
    }
}

/// What still passes of a body.
#[derive(Debug)]
pub(crate) struct HalfOpen {
    bytes: u64,
    left: u64,
    cause: Cause,
}

impl HalfOpen {
    pub(crate) fn new(bytes: u64, cause: Cause) -> Self {
        Self { bytes, left: bytes, cause }
    }

    /// Passes on what may pass, and does not return where that is not all.
    pub(crate) async fn send(
        &mut self,
        line: &Line,
        to: &mut Outgoing,
        bytes: &[u8],
    ) -> Result<(), End> {
        let passing = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        to.send(&bytes[..passing]).await.map_err(|_| End::Closed)?;
        self.left -= passing as u64;
        if passing < bytes.len() {
            let fault = format!("passed on {} bytes of the body, and nothing more", self.bytes);
            match halt(line, &mut self.cause, fault).await {}
        }
        Ok(())
    }
}

/// Lets nothing pass any more; cuts the connection when the rule is disarmed.
pub(crate) async fn halt(line: &Line, cause: &mut Cause, fault: impl Into<String>) -> Infallible {
    cause.happened(line, fault);
    cause.disarmed().await;
    cut::from_within(line).await
}
