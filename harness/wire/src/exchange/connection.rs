//! Serves one connection: reads each request, lets the rules decide, and forwards it and what
//! follows.
//!
//! During an exchange two directions run at the same time: `up` forwards the rest of the request
//! and then watches whether the client closes, `down` forwards the response. Whichever ends first
//! ends both.

use std::io;
use std::sync::Arc;

use serde_json::Value;

use crate::call::Call;
use crate::connection_state::Activity;
use crate::context::ConnectionContext;
use crate::event::{Side, What};
use crate::exchange::close_reason::CloseReason;
use crate::exchange::forward_response::AfterResponse;
use crate::exchange::graceful_close::GracefulClose;
use crate::exchange::response::{Delivery, Response};
use crate::exchange::watch_head;
use crate::faults::answer;
use crate::http1::body::Body;
use crate::http1::head::{Head, Start};
use crate::point::Point;
use crate::rules::fault::{Cause, Decision, RequestFault};
use crate::rules::latch::Latch;
use crate::transport::endpoint::Accepted;
use crate::transport::halves::{Reader, Writer};

/// Longest request body that rules can match, in bytes.
const MATCHED_BODY_MAX: usize = 1024 * 1024;

/// Serves a connection until it ends. Returns the graceful close that is still to be run; none if
/// the client is to see that the connection was lost.
pub(crate) async fn serve(context: &ConnectionContext, client: Accepted) -> Option<GracefulClose> {
    let (client_reader, client_writer) = match client.handshake().await {
        Ok(halves) => halves,
        // A client that connects and closes only checks whether somebody listens. Not worth an
        // event.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
        Err(error) => {
            let reason = format!("the TLS handshake failed: {error}");
            context.report_for_connection(What::Malformed { side: Side::Client, reason });
            return None;
        }
    };
    // Before the first request: a client of an upstream that is down sees its connection closed at
    // once, also if it only connects.
    let (upstream_reader, upstream_writer) = match context.shared.connector.connect().await {
        Ok(halves) => halves,
        Err(error) => {
            context.report_for_connection(What::UpstreamLost { reason: error.to_string() });
            return None;
        }
    };
    let mut connection =
        Connection { context, client_reader, client_writer, upstream_reader, upstream_writer };
    let reason = loop {
        match connection.exchange().await {
            Ok(()) => context.state.set_activity(Activity::Idle),
            Err(reason) => break reason,
        }
    };
    match reason {
        CloseReason::Closed => {}
        CloseReason::UpstreamLost(reason) => {
            context.report(What::UpstreamLost { reason });
            return None;
        }
        CloseReason::Malformed(side, error, status) => {
            context.report(What::Malformed { side, reason: error.to_string() });
            // Without a status the client has a part of a response: a second head would be taken
            // for content. An error is ignored, because the client may have closed by now.
            let _ = connection.client_writer.send(&malformed_response(status?)).await;
        }
    }
    let Connection { client_reader, client_writer, upstream_writer, .. } = connection;
    Some(GracefulClose { client_reader, client_writer, upstream_writer })
}

fn malformed_response(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} Malformed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

struct Connection<'a> {
    context: &'a ConnectionContext,
    client_reader: Reader,
    client_writer: Writer,
    upstream_reader: Reader,
    upstream_writer: Writer,
}

impl Connection<'_> {
    /// Serves one request and its response.
    async fn exchange(&mut self) -> Result<(), CloseReason> {
        let Some(mut head) = self.read_request_head().await? else {
            return Err(CloseReason::Closed);
        };
        let call = self.begin(&mut head);
        let dialect = self.context.shared.dialect;
        watch_head::accept_only_json(dialect, &call, &mut head, &mut self.client_reader.buffer);
        let mut body = head.request_body();
        let content = self.read_content(&call, &head, &body).await?;
        let decision = self.context.shared.rules.on_request(&call, content.as_ref());
        let was_held = matches!(decision, Decision::Hold(_));
        match decision {
            Decision::Forward => {}
            Decision::Hold(latch) => self.hold(&latch).await?,
            Decision::Fault(fault, cause) => {
                return self.answer(&call, &head, fault, &cause).await;
            }
        }
        // Until here the request is only in the buffer: the upstream has received nothing of it.
        let buffered = body
            .advance(&self.client_reader.buffer[head.bytes..], |_, _| {})
            .map_err(CloseReason::bad_request)?;
        let first = self.client_reader.buffer.split_to(head.bytes + buffered);
        self.send_first(&first, was_held).await?;
        match self.forward_both_ways(&call, &mut body, content.as_ref()).await? {
            // If the upstream has answered before the whole request was forwarded, the rest of the
            // request would be taken for the next one.
            AfterResponse::KeepAlive if body.is_done() && !head.closes() => Ok(()),
            AfterResponse::KeepAlive | AfterResponse::Close => Err(CloseReason::Closed),
            AfterResponse::Raw => self.forward_raw().await,
        }
    }

    /// Reads the head of the next request; it stays in the buffer. None if one side has closed.
    async fn read_request_head(&mut self) -> Result<Option<Head>, CloseReason> {
        loop {
            let parsed = Head::request(&self.client_reader.buffer);
            if let Some(head) = parsed.map_err(CloseReason::bad_request)? {
                return Ok(Some(head));
            }
            tokio::select! {
                // Cancel-safe: what was read is in the buffer.
                read = self.client_reader.fill() => if !matches!(read, Ok(1..)) {
                    return Ok(None);
                },
                // Cancel-safe: what was read is in the buffer. The close is forwarded to the
                // client, which may keep idle connections in a pool and would use this one again.
                () = self.upstream_reader.closed() => return Ok(None),
            }
        }
    }

    /// Assigns a number to the exchange and reports the request. Moves the method, the target and
    /// the user agent from `head` into the returned call.
    fn begin(&self, head: &mut Head) -> Call {
        self.context.begin_exchange();
        let Start::Request { method, target } = &mut head.start else {
            unreachable!("`Head::request` parses requests")
        };
        let (method, target) = (std::mem::take(method), std::mem::take(target));
        let phase = self.context.shared.state().phases.current();
        let (dialect, agent) = (self.context.shared.dialect, head.agent.take());
        let call = Call::new(dialect, method.clone(), target.clone(), phase, agent.clone());
        let (route, body_bytes) = (call.route.template, head.body_bytes());
        self.context.report(What::Request { method, target, route, phase, body_bytes, agent });
        call
    }

    /// Reads the request's body as JSON, if a rule needs it; it stays in the buffer. None if no
    /// rule needs it, if it is too long, or if it is not JSON.
    async fn read_content(
        &mut self,
        call: &Call,
        head: &Head,
        body: &Body,
    ) -> Result<Option<Value>, CloseReason> {
        if !self.context.shared.rules.need_body(call) {
            return Ok(None);
        }
        if head.expects_continue() {
            // The client waits for this before it sends the body that the rule needs. The upstream
            // will send it once more, which is allowed (RFC 9110, section 15.2).
            let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
            self.client_writer.send(interim).await.map_err(|_| CloseReason::Closed)?;
        }
        // Measures with a copy of the body: the bytes are forwarded later, and measured again then.
        let (mut lookahead, mut at, mut content) = (body.clone(), head.bytes, Vec::new());
        loop {
            at += lookahead
                .advance(&self.client_reader.buffer[at..], |_, part| {
                    content.extend_from_slice(part);
                })
                .map_err(CloseReason::bad_request)?;
            if content.len() > MATCHED_BODY_MAX {
                return Ok(None);
            }
            if lookahead.is_done() {
                return Ok(serde_json::from_slice(&content).ok());
            }
            if !matches!(self.client_reader.fill().await, Ok(1..)) {
                return Err(CloseReason::Closed);
            }
        }
    }

    /// Holds the request until its gate is released or the client closes.
    async fn hold(&mut self, latch: &Arc<Latch>) -> Result<(), CloseReason> {
        tokio::select! {
            // Not resumed after the other arm has finished. Dropping it reports the message as
            // abandoned.
            () = self.context.hold_at(latch, Point::Request) => {}
            // Cancel-safe: what was read is in the buffer.
            () = self.client_reader.closed() => return Err(CloseReason::Closed),
        }
        Ok(())
    }

    /// Sends the first bytes of a request to the upstream.
    async fn send_first(&mut self, bytes: &[u8], was_held: bool) -> Result<(), CloseReason> {
        if !was_held {
            // As without the wire: the client learns that the upstream is lost, and may retry.
            return self.upstream_writer.send(bytes).await.map_err(CloseReason::upstream_lost);
        }
        if !self.upstream_reader.is_closed().await && self.upstream_writer.send(bytes).await.is_ok()
        {
            return Ok(());
        }
        // The upstream was restarted while the request was held. No upstream has received the whole
        // request, so it is safe to send it to the new one.
        let connected = self.context.shared.connector.connect().await;
        (self.upstream_reader, self.upstream_writer) =
            connected.map_err(CloseReason::upstream_lost)?;
        self.upstream_writer.send(bytes).await.map_err(CloseReason::upstream_lost)
    }

    /// Reads the request to its end and answers it in place of the upstream.
    async fn answer(
        &mut self,
        call: &Call,
        head: &Head,
        fault: RequestFault,
        cause: &Cause,
    ) -> Result<(), CloseReason> {
        let mut body = head.request_body();
        let _ = self.client_reader.buffer.split_to(head.bytes);
        loop {
            let consumed = body
                .advance(&self.client_reader.buffer, |_, _| {})
                .map_err(CloseReason::bad_request)?;
            let _ = self.client_reader.buffer.split_to(consumed);
            // A client that waits for `100 Continue` does not send its body: the final status tells
            // it not to.
            if body.is_done() || head.expects_continue() {
                break;
            }
            if !matches!(self.client_reader.fill().await, Ok(1..)) {
                return Err(CloseReason::Closed);
            }
        }
        let (answer, fault) = match fault {
            RequestFault::Answer { status, body } => {
                let body = body.as_deref();
                let answer = answer::answer_with_status(&cause.rule, status, body, call);
                (answer, format!("answered with {status}"))
            }
            RequestFault::Stale(recorded) => {
                let answer =
                    recorded.get().expect("the rule matches only if something is recorded");
                let fault = format!("answered with a recorded {}", answer.status);
                (answer, fault)
            }
        };
        self.context.report_fault(cause, fault);
        self.context.report(What::Response { status: answer.status });
        self.tap_answer(call, &answer.bytes)?;
        self.client_writer.send(&answer.bytes).await.map_err(|_| CloseReason::Closed)?;
        self.context.report(What::Finished { bytes: answer.body_bytes });
        // With a part of the body missing, what the client sends next could be part of it.
        let closes = head.closes() || answer.closes || !body.is_done();
        if closes { Err(CloseReason::Closed) } else { Ok(()) }
    }

    /// Passes the content of the wire's own response to the tap of its route, if there is one.
    fn tap_answer(&self, call: &Call, answer: &[u8]) -> Result<(), CloseReason> {
        let Some(tap) = self.context.shared.tap_of(call) else { return Ok(()) };
        let head = Head::response(answer).map_err(CloseReason::bad_response_head)?;
        let Some(head) = head else { return Ok(()) };
        let exchange = self.context.state.exchange();
        let tapped = head
            .response_body(&call.method)
            .advance(&answer[head.bytes..], |_, content| (tap.sink)(exchange, content));
        tapped.map(drop).map_err(CloseReason::bad_response_body)
    }

    /// Forwards the rest of the request and, at the same time, the response.
    async fn forward_both_ways(
        &mut self,
        call: &Call,
        body: &mut Body,
        content: Option<&Value>,
    ) -> Result<AfterResponse, CloseReason> {
        let Self { client_reader, upstream_writer, .. } = self;
        let up = async {
            if let Err(reason) = forward_body(body, client_reader, upstream_writer).await {
                return reason;
            }
            client_reader.closed().await;
            if call.can_hijack() {
                // The client may have closed only its own direction of the raw stream that is about
                // to begin. The output of the upstream must still reach it.
                std::future::pending::<()>().await;
            }
            CloseReason::Closed
        };
        let mut down = Response {
            context: self.context,
            call,
            request_body: content,
            upstream_reader: &mut self.upstream_reader,
            client_writer: &mut self.client_writer,
            delivery: Delivery::Immediate,
        };
        tokio::select! {
            // `down` first: a response that has arrived is forwarded, even if a side has closed
            // since.
            biased;
            // Neither arm is cancel-safe, and neither need be: the one that ends first ends the
            // exchange, and nobody resumes the other. The beginning of a next request that `up` has
            // read is in the buffer.
            after = down.forward() => after,
            reason = up => Err(reason),
        }
    }

    /// Copies bytes in both directions until both sides have closed, each in its own time.
    async fn forward_raw(&mut self) -> Result<(), CloseReason> {
        self.context.state.set_activity(Activity::OpenEnded);
        self.context.report(What::Upgraded);
        let up = copy(&mut self.client_reader, &mut self.upstream_writer);
        let down = copy(&mut self.upstream_reader, &mut self.client_writer);
        let (_, bytes) = tokio::try_join!(up, down).map_err(CloseReason::upstream_lost)?;
        self.context.report(What::Finished { bytes });
        Err(CloseReason::Closed)
    }
}

/// Forwards the rest of a request's body.
async fn forward_body(
    body: &mut Body,
    from: &mut Reader,
    to: &mut Writer,
) -> Result<(), CloseReason> {
    while !body.is_done() {
        if from.buffer.is_empty() && !matches!(from.fill().await, Ok(1..)) {
            return Err(CloseReason::Closed);
        }
        // Without a status: the upstream may have begun to answer already.
        let bytes = body
            .advance(&from.buffer, |_, _| {})
            .map_err(|error| CloseReason::Malformed(Side::Client, error, None))?;
        let part = from.buffer.split_to(bytes);
        if to.send(&part).await.is_err() {
            // An upstream that does not want the rest of a body may have answered before it closed.
            // So the end of the response decides how the exchange ends, not this error.
            return Ok(());
        }
    }
    Ok(())
}

/// Copies what is buffered and everything that follows, and then closes the other direction.
/// Returns the number of bytes.
async fn copy(from: &mut Reader, to: &mut Writer) -> io::Result<u64> {
    let mut bytes = 0;
    loop {
        let part = from.buffer.split();
        bytes += part.len() as u64;
        to.send(&part).await?;
        if from.fill().await? == 0 {
            to.shutdown().await?;
            return Ok(bytes);
        }
    }
}
