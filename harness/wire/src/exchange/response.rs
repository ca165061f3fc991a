//! A response that is on its way: reads it from the upstream, and sends its bytes to the client.

use serde_json::Value;

use crate::call::Call;
use crate::context::ConnectionContext;
use crate::event::What;
use crate::exchange::close_reason::CloseReason;
use crate::faults::half_open::HalfOpen;
use crate::faults::slow::Slow;
use crate::http1::body::Body;
use crate::http1::head::{Head, Start};
use crate::rules::fault::Cause;
use crate::transport::halves::{Reader, Writer};

/// Most bytes of a response that the wire reads before it forwards the first one, for a gate or a
/// recording. Of a longer response the upstream still has the rest.
const BUFFERED_MAX: usize = 64 * 1024 * 1024;

/// How the bytes of a body are sent to the client.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// As they arrive.
    Immediate,
    /// In pieces.
    Slow(Slow),
    /// Only the first of them.
    HalfOpen(HalfOpen),
}

/// A response that is on its way.
pub(crate) struct Response<'a> {
    pub(crate) context: &'a ConnectionContext,
    pub(crate) call: &'a Call,
    /// Body of the request, if a rule needed it.
    pub(crate) request_body: Option<&'a Value>,
    pub(crate) upstream_reader: &'a mut Reader,
    pub(crate) client_writer: &'a mut Writer,
    pub(crate) delivery: Delivery,
}

impl Response<'_> {
    /// Reads the head of the final response; the head stays in the buffer. Forwards interim
    /// responses such as `100 Continue` at once.
    pub(crate) async fn read_head(&mut self) -> Result<(Head, u16), CloseReason> {
        loop {
            let parsed = Head::response(&self.upstream_reader.buffer)
                .map_err(CloseReason::bad_response_head)?;
            let Some(head) = parsed else {
                self.fill().await?;
                continue;
            };
            let Start::Response { status } = head.start else {
                unreachable!("`Head::response` parses responses")
            };
            // 101 is final: the connection is a raw stream behind it.
            if !(100..200).contains(&status) || status == 101 {
                return Ok((head, status));
            }
            let head = self.upstream_reader.buffer.split_to(head.bytes);
            self.send(&head).await?;
        }
    }

    /// Whether the connection is a raw stream behind this response, although its status is not 101:
    /// attach and exec do that after a 200 if the client has not requested an upgrade.
    pub(crate) fn is_hijacked(&self, body: &Body) -> bool {
        *body == Body::UntilClose && self.call.can_hijack()
    }

    /// Reads a response that has an end into the buffer, so that the upstream has sent all of it.
    /// Returns the number of bytes of the whole response; none if it has no end or is too long.
    pub(crate) async fn buffer_whole(
        &mut self,
        head: &Head,
        body: &Body,
    ) -> Result<Option<usize>, CloseReason> {
        if self.call.is_event_stream() || self.call.is_open_ended() || *body == Body::UntilClose {
            return Ok(None);
        }
        // Measures with a copy: nothing is consumed here, and `body` will measure the same bytes
        // again when they are forwarded.
        let (mut lookahead, mut at) = (body.clone(), head.bytes);
        loop {
            at += lookahead
                .advance(&self.upstream_reader.buffer[at..], |_, _| {})
                .map_err(CloseReason::bad_response_body)?;
            if lookahead.is_done() {
                return Ok(Some(at));
            }
            if at > BUFFERED_MAX {
                return Ok(None);
            }
            self.fill().await?;
        }
    }

    /// Reads more of a body; false if the body has ended with the connection. Cancel-safe: what was
    /// read is in the buffer.
    pub(crate) async fn fill_body(&mut self, body: &Body) -> Result<bool, CloseReason> {
        match self.upstream_reader.fill().await {
            Ok(0) if *body == Body::UntilClose => Ok(false),
            Ok(0) => {
                let reason = "the upstream closed in the middle of a body".to_owned();
                Err(CloseReason::UpstreamLost(reason))
            }
            Ok(_) => Ok(true),
            Err(error) => Err(CloseReason::upstream_lost(error)),
        }
    }

    async fn fill(&mut self) -> Result<(), CloseReason> {
        match self.upstream_reader.fill().await {
            Ok(0) => {
                let reason = "the upstream closed before the end of its response".to_owned();
                Err(CloseReason::UpstreamLost(reason))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(CloseReason::upstream_lost(error)),
        }
    }

    /// Sends bytes to the client, in the way that `delivery` says.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), CloseReason> {
        let sent = match &mut self.delivery {
            Delivery::Immediate => self.client_writer.send(bytes).await,
            Delivery::Slow(slow) => slow.send(self.context, self.client_writer, bytes).await,
            Delivery::HalfOpen(half) => half.send(self.context, self.client_writer, bytes).await,
        };
        // A client that cannot be written to has closed the connection.
        sent.map_err(|_| CloseReason::Closed)
    }

    pub(crate) fn report(&self, what: What) {
        self.context.report(what);
    }

    pub(crate) fn report_fault(&self, cause: &Cause, fault: impl Into<String>) {
        self.context.report_fault(cause, fault);
    }
}
