//! How messages go through one connection: the request's way up, and what follows it.
//!
//! An exchange runs two directions at once: `up` forwards what is left of the request and then
//! watches for the daemon's end, `down` forwards the response. Whichever ends first ends both.

use std::io;
use std::sync::Arc;

use serde_json::Value;

use crate::call::Call;
use crate::event::{Side, What};
use crate::farewell::Farewell;
use crate::faults::answer;
use crate::gate::GateCore;
use crate::http1::{Body, FramingError, Head, Start};
use crate::live::{Activity, Line};
use crate::peer::{Incoming, Outgoing};
use crate::response::{Down, Flow, Response};
use crate::rule::{Cause, Decision, Point, RequestFault};
use crate::transport::endpoint::Accepted;
use crate::watch_head;

/// Longest request body that rules may look into, in bytes.
const BODY_MAX: usize = 1024 * 1024;

/// Why a connection ends.
#[derive(Debug)]
pub(crate) enum End {
    /// As HTTP says, or the daemon went away.
    Closed,
    /// The engine was not there, or went away in the middle.
    Upstream(String),
    /// One side sent what is no HTTP; the daemon is told by this status where it can be.
    Malformed(Side, FramingError, Option<u16>),
}

impl End {
    /// The engine's side failed.
    pub(crate) fn upstream(error: io::Error) -> Self {
        Self::Upstream(error.to_string())
    }

    fn bad_request(error: FramingError) -> Self {
        Self::Malformed(Side::Daemon, error, Some(400))
    }
}

/// Serves a connection until it ends; gives what is to be said then, where its end is meant.
pub(crate) async fn serve(line: &Line, accepted: Accepted) -> Option<Farewell> {
    let (daemon_in, daemon_out) = match accepted.greet().await {
        Ok(halves) => halves,
        // It looked whether somebody listens, and went.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
        Err(error) => {
            let reason = format!("no TLS: {error}");
            line.tell_of_connection(What::Malformed { side: Side::Daemon, reason });
            return None;
        }
    };
    let (engine_in, engine_out) = match line.shared.connector.connect().await {
        Ok(halves) => halves,
        Err(error) => {
            line.tell_of_connection(What::UpstreamLost { reason: error.to_string() });
            return None;
        }
    };
    let mut connection = Connection { line, daemon_in, daemon_out, engine_in, engine_out };
    let end = loop {
        match connection.exchange().await {
            Ok(()) => line.turn(Activity::Idle),
            Err(end) => break end,
        }
    };
    match end {
        End::Closed => {}
        End::Upstream(reason) => {
            line.tell(What::UpstreamLost { reason });
            return None;
        }
        End::Malformed(side, error, status) => {
            line.tell(What::Malformed { side, reason: error.to_string() });
            // The daemon may have gone meanwhile; there is nobody else to tell.
            let _ = connection.daemon_out.send(&closing_response(status?)).await;
        }
    }
    let Connection { daemon_in, daemon_out, engine_out, .. } = connection;
    Some(Farewell { daemon_in, daemon_out, engine_out })
}

fn closing_response(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} Malformed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

struct Connection<'a> {
    line: &'a Line,
    daemon_in: Incoming,
    daemon_out: Outgoing,
    engine_in: Incoming,
    engine_out: Outgoing,
}

impl Connection<'_> {
    /// One request and its response.
    async fn exchange(&mut self) -> Result<(), End> {
        let Some(mut head) = self.request_head().await? else { return Err(End::Closed) };
        let call = self.begin(&mut head);
        let dialect = self.line.shared.dialect;
        watch_head::ask_for_json(dialect, &call, &mut head, &mut self.daemon_in.buffer);
        let mut body = head.request_body();
        let content = self.content(&call, &head, &body).await?;
        let decision = self.line.shared.rules.on_request(&call, content.as_ref());
        let was_held = matches!(decision, Decision::Hold(_));
        match decision {
            Decision::Pass => {}
            Decision::Hold(gate) => self.hold(&gate).await?,
            Decision::Fault(fault, cause) => {
                return self.answer(&call, &head, fault, &cause).await;
            }
        }
        let buffered = body
            .advance(&self.daemon_in.buffer[head.bytes..], |_, _| {})
            .map_err(End::bad_request)?;
        let first = self.daemon_in.buffer.split_to(head.bytes + buffered);
        self.send_first(&first, was_held).await?;
        match self.both_ways(&call, &mut body, content.as_ref()).await? {
            Down::Next if body.is_done() && !head.closes() => Ok(()),
            Down::Next | Down::Last => Err(End::Closed),
            Down::Raw => self.raw().await,
        }
    }

    /// The next request's head; none where one side is done with this connection.
    async fn request_head(&mut self) -> Result<Option<Head>, End> {
        loop {
            if let Some(head) = Head::request(&self.daemon_in.buffer).map_err(End::bad_request)? {
                return Ok(Some(head));
            }
            tokio::select! {
                // Cancel-safe: what was read is in the buffer.
                read = self.daemon_in.fill() => if !matches!(read, Ok(1..)) {
                    return Ok(None);
                },
                // Cancel-safe, as above. A daemon that keeps connections for later must see that
                // this one cannot be used any more, as it would without the wire.
                () = self.engine_in.gone() => return Ok(None),
            }
        }
    }

    /// Numbers the exchange and tells of it. What stands in the head's first line is the call's then.
    fn begin(&self, head: &mut Head) -> Call {
        self.line.begin_exchange();
        let Start::Request { method, target } = &mut head.start else {
            unreachable!("`Head::request` reads requests")
        };
        let (method, target) = (std::mem::take(method), std::mem::take(target));
        let phase = self.line.shared.state().phases.now();
        let (dialect, agent) = (self.line.shared.dialect, head.agent.take());
        let call = Call::new(dialect, method.clone(), target.clone(), phase, agent.clone());
        let (route, body_bytes) = (call.route.template, head.body_bytes());
        self.line.tell(What::Request { method, target, route, phase, body_bytes, agent });
        call
    }

    /// The request's body as JSON, where a rule wants to look into it; it stays in the buffer.
    async fn content(
        &mut self,
        call: &Call,
        head: &Head,
        body: &Body,
    ) -> Result<Option<Value>, End> {
        if !self.line.shared.rules.wants_body(call) {
            return Ok(None);
        }
        if head.expects_continue() {
            // The daemon waits for this before it sends what the rule wants to see; that the engine
            // will say it once more is allowed (RFC 9110, section 15.2).
            let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
            self.daemon_out.send(go_on).await.map_err(|_| End::Closed)?;
        }
        let (mut ahead, mut at, mut content) = (body.clone(), head.bytes, Vec::new());
        loop {
            at += ahead
                .advance(&self.daemon_in.buffer[at..], |_, part| content.extend_from_slice(part))
                .map_err(End::bad_request)?;
            if content.len() > BODY_MAX {
                return Ok(None);
            }
            if ahead.is_done() {
                return Ok(serde_json::from_slice(&content).ok());
            }
            if !matches!(self.daemon_in.fill().await, Ok(1..)) {
                return Err(End::Closed);
            }
        }
    }

    /// Keeps the request back until its gate opens, or the daemon gives up.
    async fn hold(&mut self, gate: &Arc<GateCore>) -> Result<(), End> {
        tokio::select! {
            // Not resumed after the other has ended; a dropped wait gives the message up.
            () = self.line.stand_at(gate, Point::Request) => {}
            // Cancel-safe: what was read is in the buffer.
            () = self.daemon_in.gone() => return Err(End::Closed),
        }
        Ok(())
    }

    /// Sends the first bytes of a request to the engine.
    async fn send_first(&mut self, bytes: &[u8], was_held: bool) -> Result<(), End> {
        if !was_held {
            return self.engine_out.send(bytes).await.map_err(End::upstream);
        }
        if !self.engine_in.is_gone().await && self.engine_out.send(bytes).await.is_ok() {
            return Ok(());
        }
        // The engine went while the request was held, and has not had all of this: it goes to the
        // engine that is there by now.
        let connected = self.line.shared.connector.connect().await;
        (self.engine_in, self.engine_out) = connected.map_err(End::upstream)?;
        self.engine_out.send(bytes).await.map_err(End::upstream)
    }

    /// Takes the request from the daemon and answers it here.
    async fn answer(
        &mut self,
        call: &Call,
        head: &Head,
        fault: RequestFault,
        cause: &Cause,
    ) -> Result<(), End> {
        let mut body = head.request_body();
        let _ = self.daemon_in.buffer.split_to(head.bytes);
        loop {
            let taken =
                body.advance(&self.daemon_in.buffer, |_, _| {}).map_err(End::bad_request)?;
            let _ = self.daemon_in.buffer.split_to(taken);
            // Who expects to be told to go on with the body is told not to, by a final status.
            if body.is_done() || head.expects_continue() {
                break;
            }
            if !matches!(self.daemon_in.fill().await, Ok(1..)) {
                return Err(End::Closed);
            }
        }
        let (answer, fault) = match fault {
            RequestFault::Answer { status } => {
                let answer = answer::response(&cause.rule, status, call);
                (answer, format!("answered with {status}"))
            }
            RequestFault::Stale(kept) => {
                let answer = kept.answer().expect("a rule happens only where something is kept");
                let fault = format!("answered with a recorded {}", answer.status);
                (answer, fault)
            }
        };
        cause.happened(self.line, fault);
        self.line.tell(What::Response { status: answer.status });
        self.daemon_out.send(&answer.bytes).await.map_err(|_| End::Closed)?;
        self.line.tell(What::Finished { bytes: answer.body_bytes });
        let last = head.closes() || answer.closes || !body.is_done();
        if last { Err(End::Closed) } else { Ok(()) }
    }

    /// Forwards the rest of the request and the response at once.
    async fn both_ways(
        &mut self,
        call: &Call,
        body: &mut Body,
        content: Option<&Value>,
    ) -> Result<Down, End> {
        let Self { daemon_in, engine_out, .. } = self;
        let up = async {
            if let Err(end) = forward(body, daemon_in, engine_out).await {
                return end;
            }
            daemon_in.gone().await;
            if call.is_raw() {
                // It may have ended its own side of a stream that is about to begin.
                std::future::pending::<()>().await;
            }
            End::Closed
        };
        let mut down = Response {
            line: self.line,
            call,
            content,
            engine_in: &mut self.engine_in,
            daemon_out: &mut self.daemon_out,
            flow: Flow::Free,
        };
        tokio::select! {
            // A response that is there is passed on before anybody's end is looked at.
            biased;
            // Neither is resumed after the other has ended the exchange, so that neither needs to
            // be cancel-safe; what `up` has read of a next request is in the buffer.
            ended = down.pass() => ended,
            end = up => Err(end),
        }
    }

    /// Copies both ways until both sides have ended, each in its own time.
    async fn raw(&mut self) -> Result<(), End> {
        self.line.turn(Activity::OpenEnded);
        self.line.tell(What::Upgraded);
        let up = copy(&mut self.daemon_in, &mut self.engine_out);
        let down = copy(&mut self.engine_in, &mut self.daemon_out);
        let (_, bytes) = tokio::try_join!(up, down).map_err(End::upstream)?;
        self.line.tell(What::Finished { bytes });
        Err(End::Closed)
    }
}

/// Forwards what is left of a request's body.
async fn forward(body: &mut Body, from: &mut Incoming, to: &mut Outgoing) -> Result<(), End> {
    while !body.is_done() {
        if from.buffer.is_empty() && !matches!(from.fill().await, Ok(1..)) {
            return Err(End::Closed);
        }
        let bytes = body
            .advance(&from.buffer, |_, _| {})
            .map_err(|error| End::Malformed(Side::Daemon, error, None))?;
        let part = from.buffer.split_to(bytes);
        if to.send(&part).await.is_err() {
            // An engine that wants no more of a body may have answered before it closed: the
            // response's end decides, and not this one.
            return Ok(());
        }
    }
    Ok(())
}

/// Copies what is buffered and all that comes, and passes the end on.
async fn copy(from: &mut Incoming, to: &mut Outgoing) -> io::Result<u64> {
    let mut bytes = 0;
    loop {
        let part = from.buffer.split();
        bytes += part.len() as u64;
        to.send(&part).await?;
        if from.fill().await? == 0 {
            to.finish().await?;
            return Ok(bytes);
        }
    }
}
