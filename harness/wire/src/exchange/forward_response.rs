//! Forwards a response to the client, and applies what the rules decide for it.

use bytes::{Bytes, BytesMut};

use crate::connection_state::Activity;
use crate::event::What;
use crate::exchange::close_reason::CloseReason;
use crate::exchange::event_stream::{self, OpenEventStream};
use crate::exchange::response::{Delivery, Response};
use crate::faults::half_open::HalfOpen;
use crate::faults::slow::Slow;
use crate::faults::{lose, rewrite, truncate};
use crate::head_edits::HeadEdits;
use crate::http1::body::Body;
use crate::http1::head::Head;
use crate::point::Point;
use crate::rules::fault::{Cause, Decision, ResponseFault};
use crate::rules::last_answer::Answer;

/// What happens to the connection after a response.
pub(crate) enum AfterResponse {
    /// It can carry another exchange.
    KeepAlive,
    /// It must be closed.
    Close,
    /// It is a raw stream.
    Raw,
}

impl Response<'_> {
    /// Forwards the response to its end.
    pub(crate) async fn forward(&mut self) -> Result<AfterResponse, CloseReason> {
        let (mut head, status) = self.read_head().await?;
        let mut body = head.response_body(&self.call.method);
        // Before the rules decide: a recording keeps what the upstream has sent, not what a fault
        // makes of it.
        self.record(&head, &body, status).await?;
        let delivery = match self.context.shared.rules.on_response(self.call, self.request_body) {
            Decision::Forward => Delivery::Immediate,
            Decision::Hold(latch) => {
                self.buffer_whole(&head, &body).await?;
                // If the client closes meanwhile, the caller drops this future and with it the
                // wait.
                self.context.hold_at(&latch, Point::Response).await;
                Delivery::Immediate
            }
            Decision::Fault(fault, cause) => {
                self.apply(fault, cause, (&mut head, &mut body), status).await?
            }
        };
        self.report(What::Response { status });
        if status == 101 || self.is_hijacked(&body) {
            let head = self.upstream_reader.buffer.split_to(head.bytes);
            self.send(&head).await?;
            return Ok(AfterResponse::Raw);
        }
        let is_stream = self.call.is_event_stream() && status == 200 && !body.is_done();
        // Before the client has the head: a client that has it can rely on the new phase.
        let _open = is_stream.then(|| OpenEventStream::new(self.context));
        let mut head_bytes = head.bytes;
        if !matches!(delivery, Delivery::Immediate) {
            // Sends the head at once: the other deliveries are meant for the body only.
            let head = self.upstream_reader.buffer.split_to(std::mem::take(&mut head_bytes));
            self.send(&head).await?;
            self.delivery = delivery;
        }
        let bytes = if is_stream {
            event_stream::forward(self, head_bytes, &mut body).await?
        } else {
            self.forward_body(head_bytes, &mut body).await?
        };
        self.report(What::Finished { bytes });
        let closes = head.closes() || body == Body::UntilClose;
        Ok(if closes { AfterResponse::Close } else { AfterResponse::KeepAlive })
    }

    /// Applies the part of a fault that comes before the response is forwarded. Returns how its
    /// body is to be delivered.
    async fn apply(
        &mut self,
        fault: ResponseFault,
        cause: Cause,
        (head, body): (&mut Head, &mut Body),
        status: u16,
    ) -> Result<Delivery, CloseReason> {
        match fault {
            ResponseFault::Lose => {
                // Reads it to its end first: the upstream has then done all that the request asked
                // for.
                self.buffer_whole(head, body).await?;
                self.report_fault(&cause, lose::description(status));
                match self.context.cut().await {}
            }
            ResponseFault::HalfOpen { bytes } => {
                return Ok(Delivery::HalfOpen(HalfOpen::new(bytes, cause)));
            }
            ResponseFault::Slow(pieces) => return Ok(Delivery::Slow(Slow::new(pieces, cause))),
            ResponseFault::Truncate { bytes } => {
                let content = self.read_content(head, body).await?;
                let shorter = content.and_then(|old| truncate::truncate_content(bytes, old));
                self.replace_if_changed(shorter, &cause, head, body);
            }
            ResponseFault::Rewrite(of_head, of_body) => {
                // A response without an end has a head that can be rewritten as well.
                let mut done = self.rewrite_head(&of_head, head);
                if !of_body.is_empty() {
                    let content = self.read_content(head, body).await?;
                    let rewritten =
                        content.and_then(|old| rewrite::rewrite_content(&of_body, &old));
                    if let Some((content, description)) = rewritten {
                        self.replace_content(head, body, &content);
                        done.push(description);
                    }
                }
                if !done.is_empty() {
                    self.report_fault(&cause, done.join("; "));
                }
            }
        }
        Ok(Delivery::Immediate)
    }

    /// Rewrites the head in the buffer, and `head` with it. Returns a description; none if nothing
    /// changes.
    fn rewrite_head(&mut self, edits: &HeadEdits, head: &mut Head) -> Vec<String> {
        let buffer = &mut self.upstream_reader.buffer;
        let Some((mut bytes, description)) = edits.apply(&buffer[..head.bytes]) else {
            return Vec::new();
        };
        let length = bytes.len();
        bytes.extend_from_slice(&buffer[head.bytes..]);
        *buffer = BytesMut::from(&*bytes);
        head.bytes = length;
        vec![description]
    }

    /// Replaces the content and reports the fault, if there is new content with a description.
    fn replace_if_changed(
        &mut self,
        changed: Option<(Vec<u8>, String)>,
        cause: &Cause,
        head: &mut Head,
        body: &mut Body,
    ) {
        if let Some((content, description)) = changed {
            self.report_fault(cause, description);
            self.replace_content(head, body, &content);
        }
    }

    /// Passes the response to every recording that wants it.
    async fn record(&mut self, head: &Head, body: &Body, status: u16) -> Result<(), CloseReason> {
        let recorders = self.context.shared.rules.recorders(self.call, self.request_body);
        if recorders.is_empty() {
            return Ok(());
        }
        let Some(end) = self.buffer_whole(head, body).await? else { return Ok(()) };
        let bytes = Bytes::copy_from_slice(&self.upstream_reader.buffer[..end]);
        let body_bytes = (bytes.len() - head.bytes) as u64;
        let answer = Answer { status, bytes, body_bytes, closes: head.closes() };
        for recorder in recorders {
            recorder.keep(&self.call.method, answer.clone());
        }
        Ok(())
    }

    /// Forwards a body, behind the first `head_bytes` bytes of the buffer, which are the head.
    /// Returns the number of bytes of the body.
    async fn forward_body(
        &mut self,
        head_bytes: usize,
        body: &mut Body,
    ) -> Result<u64, CloseReason> {
        if self.call.is_open_ended() {
            self.context.state.set_activity(Activity::OpenEnded);
        }
        let (context, exchange) = (self.context, self.context.state.exchange());
        let tap = context.shared.tap_of(self.call);
        // Before the client can have the bytes: who compares the two never finds more at the client.
        let on_content = |_, content: &[u8]| {
            if let Some(tap) = tap {
                (tap.sink)(exchange, content);
            }
        };
        // The head and what has arrived of the body go to the client in one write.
        let buffered = &self.upstream_reader.buffer[head_bytes..];
        let mut bytes =
            body.advance(buffered, on_content).map_err(CloseReason::bad_response_body)?;
        let first = self.upstream_reader.buffer.split_to(head_bytes + bytes);
        self.send(&first).await?;
        let mut total = bytes as u64;
        while !body.is_done() {
            if self.upstream_reader.buffer.is_empty() && !self.fill_body(body).await? {
                break;
            }
            bytes = body
                .advance(&self.upstream_reader.buffer, on_content)
                .map_err(CloseReason::bad_response_body)?;
            let part = self.upstream_reader.buffer.split_to(bytes);
            self.send(&part).await?;
            total += bytes as u64;
        }
        Ok(total)
    }
}
