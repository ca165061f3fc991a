//! How messages go through one connection.
//!
//! An exchange runs two directions at once: `up` forwards what is left of the request and then
//! watches for the daemon's end, `down` forwards the response. Whichever ends first ends both.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio::net::UnixStream;

use crate::call::Call;
use crate::event::{Side, What};
use crate::faults::answer;
use crate::frame::{Frame, Frames};
use crate::gate::GateCore;
use crate::http1::{Body, FramingError, Head, Start};
use crate::peer::{Incoming, Outgoing, split};
use crate::rule::{Asked, Decision, Point};
use crate::wire::Shared;

/// Longest request body that rules may look into, in bytes.
const BODY_MAX: usize = 1024 * 1024;

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// As HTTP says, or the daemon went away.
    Closed,
    /// The engine was not there, or went away in the middle.
    Upstream(String),
    /// One side sent what is no HTTP; the daemon is told by this status where it can be.
    Malformed(Side, FramingError, Option<u16>),
}

/// Serves a connection until it ends; `exchange` always holds the number of the one under way.
pub(crate) async fn serve(
    shared: &Arc<Shared>,
    stream: UnixStream,
    number: u64,
    exchange: &AtomicU64,
) {
    let (daemon_in, daemon_out) = split(stream);
    let engine = match UnixStream::connect(&shared.config.upstream).await {
        Ok(engine) => engine,
        Err(error) => return shared.tell(number, 0, What::UpstreamLost { reason: error.to_string() }),
    };
    let (engine_in, engine_out) = split(engine);
    let mut connection =
        Connection { shared, number, exchange, daemon_in, daemon_out, engine_in, engine_out };
    let end = loop {
        match connection.exchange().await {
            Ok(()) => {}
            Err(end) => break end,
        }
    };
    match end {
        End::Closed => {}
        End::Upstream(reason) => connection.tell(What::UpstreamLost { reason }),
        End::Malformed(side, error, status) => {
            connection.tell(What::Malformed { side, reason: error.to_string() });
            if let Some(status) = status {
                // The daemon may have gone meanwhile; there is nobody else to tell.
                let _ = connection.daemon_out.send(&closing_response(status)).await;
            }
        }
    }
}

fn closing_response(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} Malformed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

struct Connection<'a> {
    shared: &'a Arc<Shared>,
    number: u64,
    exchange: &'a AtomicU64,
    daemon_in: Incoming,
    daemon_out: Outgoing,
    engine_in: Incoming,
    engine_out: Outgoing,
}

/// How a response ended.
enum Down {
    /// The connection can carry another exchange.
    Next,
    /// It cannot.
    Last,
    /// It is a raw stream from here on.
    Raw,
}

impl Connection<'_> {
    fn tell(&self, what: What) {
        self.shared.tell(self.number, self.exchange.load(Ordering::Relaxed), what);
    }

    /// One request and its response.
    async fn exchange(&mut self) -> Result<(), End> {
        let Some((head, call)) = self.request_head().await? else { return Err(End::Closed) };
        let mut body = head.request_body();
        let content = self.content(&call, &head, &body).await?;
        let decision = self.shared.rules.decide(&call, Asked::Request(content.as_ref()));
        match decision {
            Decision::Pass => {}
            Decision::Hold(gate) => self.hold_request(&gate).await?,
            Decision::Answer { rule, status } => {
                return self.answer(&head, body, &rule, status).await;
            }
        }
        let buffered = body
            .advance(&self.daemon_in.buffer[head.bytes..], |_| {})
            .map_err(|error| End::Malformed(Side::Daemon, error, Some(400)))?;
        let first = self.daemon_in.buffer.split_to(head.bytes + buffered);
        self.engine_out.send(&first).await.map_err(upstream)?;
        let request_closes = head.closes();
        match self.both_ways(&call, &mut body, content.as_ref()).await? {
            Down::Next if body.is_done() && !request_closes => Ok(()),
            Down::Next | Down::Last => Err(End::Closed),
            Down::Raw => self.raw().await,
        }
    }

    /// The next request's head; none where the daemon is done with this connection.
    async fn request_head(&mut self) -> Result<Option<(Head, Call)>, End> {
        loop {
            let parsed = Head::request(&self.daemon_in.buffer);
            match parsed {
                Ok(Some(head)) => return Ok(Some(self.begin(head))),
                Ok(None) => {}
                Err(error) => return Err(End::Malformed(Side::Daemon, error, Some(400))),
            }
            if !matches!(self.daemon_in.fill().await, Ok(1..)) {
                return Ok(None);
            }
        }
    }

    /// Numbers the exchange and tells of it.
    fn begin(&self, head: Head) -> (Head, Call) {
        self.exchange.store(self.shared.next_exchange(), Ordering::Relaxed);
        let (method, target) = match &head.start {
            Start::Request { method, target } => (method.clone(), target.clone()),
            Start::Response { .. } => unreachable!("`Head::request` reads requests"),
        };
        let phase = self.shared.state().phases.now();
        let call = Call::new(method.clone(), target.clone(), phase);
        self.tell(What::Request { method, target, route: call.route.template, phase });
        (head, call)
    }

    /// The request's body as JSON, where a rule wants to look into it; it stays in the buffer.
    async fn content(
        &mut self,
        call: &Call,
        head: &Head,
        body: &Body,
    ) -> Result<Option<Value>, End> {
        if !self.shared.rules.wants_body(call) {
            return Ok(None);
        }
        loop {
            let mut ahead = body.clone();
            let mut content = Vec::new();
            let behind = &self.daemon_in.buffer[head.bytes..];
            ahead
                .advance(behind, |part| content.extend_from_slice(part))
                .map_err(|error| End::Malformed(Side::Daemon, error, Some(400)))?;
            if ahead.is_done() {
                return Ok(serde_json::from_slice(&content).ok());
            }
            if behind.len() > BODY_MAX {
                return Ok(None);
            }
            if !matches!(self.daemon_in.fill().await, Ok(1..)) {
                return Err(End::Closed);
            }
        }
    }

    /// Keeps the request back until its gate opens, or the daemon gives up.
    async fn hold_request(&mut self, gate: &Arc<GateCore>) -> Result<(), End> {
        if !gate.arrive() {
            return Ok(());
        }
        self.tell(What::Held { gate: gate.name.clone(), point: Point::Request });
        tokio::select! {
            // Cancel-safe: the gate stays open once it is.
            () = gate.pass() => {
                self.tell(What::Released { gate: gate.name.clone() });
                Ok(())
            }
            // Cancel-safe: what was read is in the buffer.
            () = self.daemon_in.gone() => {
                gate.abandon();
                self.tell(What::Abandoned { gate: gate.name.clone() });
                Err(End::Closed)
            }
        }
    }

    /// Takes the request from the daemon and answers it here.
    async fn answer(
        &mut self,
        head: &Head,
        mut body: Body,
        rule: &str,
        status: u16,
    ) -> Result<(), End> {
        let _ = self.daemon_in.buffer.split_to(head.bytes);
        loop {
            let taken = body
                .advance(&self.daemon_in.buffer, |_| {})
                .map_err(|error| End::Malformed(Side::Daemon, error, Some(400)))?;
            let _ = self.daemon_in.buffer.split_to(taken);
            if body.is_done() {
                break;
            }
            if !matches!(self.daemon_in.fill().await, Ok(1..)) {
                return Err(End::Closed);
            }
        }
        let fault = format!("answered with {status}");
        self.tell(What::Faulted { rule: rule.to_owned(), fault });
        self.tell(What::Response { status });
        let bytes = answer::response(rule, status);
        self.daemon_out.send(&bytes).await.map_err(|_| End::Closed)?;
        self.tell(What::Finished { bytes: 0 });
        if head.closes() { Err(End::Closed) } else { Ok(()) }
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
            while !body.is_done() {
                if daemon_in.buffer.is_empty() && !matches!(daemon_in.fill().await, Ok(1..)) {
                    return End::Closed;
                }
                match body.advance(&daemon_in.buffer, |_| {}) {
                    Ok(bytes) => {
                        let part = daemon_in.buffer.split_to(bytes);
                        if let Err(error) = engine_out.send(&part).await {
                            return upstream(error);
                        }
                    }
                    Err(error) => return End::Malformed(Side::Daemon, error, None),
                }
            }
            daemon_in.gone().await;
            End::Closed
        };
        let mut down = Response {
            shared: self.shared,
            number: self.number,
            exchange: self.exchange.load(Ordering::Relaxed),
            call,
            content,
            engine_in: &mut self.engine_in,
            daemon_out: &mut self.daemon_out,
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
        self.tell(What::Upgraded);
        let up = copy(&mut self.daemon_in, &mut self.engine_out);
        let down = copy(&mut self.engine_in, &mut self.daemon_out);
        let (up, down) = tokio::join!(up, down);
        let bytes = down.map_err(upstream)?;
        up.map_err(upstream)?;
        self.tell(What::Finished { bytes });
        Err(End::Closed)
    }
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

fn upstream(error: io::Error) -> End {
    End::Upstream(error.to_string())
}

/// A response on its way.
struct Response<'a> {
    shared: &'a Arc<Shared>,
    number: u64,
    exchange: u64,
    call: &'a Call,
    content: Option<&'a Value>,
    engine_in: &'a mut Incoming,
    daemon_out: &'a mut Outgoing,
}

impl Response<'_> {
    fn tell(&self, what: What) {
        self.shared.tell(self.number, self.exchange, what);
    }

    async fn pass(&mut self) -> Result<Down, End> {
        let (head, status) = self.head().await?;
        let mut body = head.response_body(&self.call.method);
        let decision = self.shared.rules.decide(self.call, Asked::Response(self.content));
        if let Decision::Hold(gate) = decision {
            self.keep_whole(&head, &body).await?;
            self.stand_at(&gate, Point::Response).await;
        }
        self.tell(What::Response { status });
        if status == 101 || self.is_hijacked(&body) {
            let head = self.engine_in.buffer.split_to(head.bytes);
            self.send(&head).await?;
            return Ok(Down::Raw);
        }
        let bytes = if self.call.is_events() && status == 200 {
            Events::begin(self.shared, self.number).pass(self, &head, &mut body).await?
        } else {
            self.pass_body(&head, &mut body).await?
        };
        self.tell(What::Finished { bytes });
        let last = head.closes() || body == Body::UntilClose;
        Ok(if last { Down::Last } else { Down::Next })
    }

    /// The response's own head; those that only say "go on" are passed on at once.
    async fn head(&mut self) -> Result<(Head, u16), End> {
        loop {
            match Head::response(&self.engine_in.buffer) {
                Ok(Some(head)) => {
                    let Start::Response { status } = head.start else {
                        unreachable!("`Head::response` reads responses");
                    };
                    if !(100..200).contains(&status) || status == 101 {
                        return Ok((head, status));
                    }
                    let head = self.engine_in.buffer.split_to(head.bytes);
                    self.send(&head).await?;
                    continue;
                }
                Ok(None) => {}
                Err(error) => return Err(End::Malformed(Side::Engine, error, Some(502))),
            }
            self.fill().await?;
        }
    }

    /// attach and exec speak raw after a plain 200, where the daemon asked for no upgrade.
    fn is_hijacked(&self, body: &Body) -> bool {
        let raw = ["/containers/{id}/attach", "/exec/{id}/start"];
        *body == Body::UntilClose && self.call.route.template.is_some_and(|t| raw.contains(&t))
    }

    /// Reads a body that has an end into the buffer, so that the engine is done with it.
    async fn keep_whole(&mut self, head: &Head, body: &Body) -> Result<(), End> {
        if self.call.is_events() || *body == Body::UntilClose {
            return Ok(());
        }
        loop {
            let mut ahead = body.clone();
            ahead.advance(&self.engine_in.buffer[head.bytes..], |_| {}).map_err(malformed)?;
            if ahead.is_done() {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// The daemon's going away ends the exchange around this wait.
    async fn stand_at(&self, gate: &Arc<GateCore>, point: Point) {
        if !gate.arrive() {
            return;
        }
        self.tell(What::Held { gate: gate.name.clone(), point });
        let given_up = GivenUp { response: self, gate };
        gate.pass().await;
        std::mem::forget(given_up);
        self.tell(What::Released { gate: gate.name.clone() });
    }

    async fn pass_body(&mut self, head: &Head, body: &mut Body) -> Result<u64, End> {
        let buffered = &self.engine_in.buffer[head.bytes..];
        let mut bytes = body.advance(buffered, |_| {}).map_err(malformed)?;
        let first = self.engine_in.buffer.split_to(head.bytes + bytes);
        self.send(&first).await?;
        let mut total = bytes as u64;
        while !body.is_done() {
            if self.engine_in.buffer.is_empty() {
                let read = self.engine_in.fill().await.map_err(upstream)?;
                if read == 0 && *body == Body::UntilClose {
                    break;
                }
                if read == 0 {
                    return Err(End::Upstream("it ended in the middle of a body".to_owned()));
                }
            }
            bytes = body.advance(&self.engine_in.buffer, |_| {}).map_err(malformed)?;
            let part = self.engine_in.buffer.split_to(bytes);
            self.send(&part).await?;
            total += bytes as u64;
        }
        Ok(total)
    }

    async fn fill(&mut self) -> Result<(), End> {
        match self.engine_in.fill().await {
            Ok(0) => Err(End::Upstream("it ended before its response".to_owned())),
            Ok(_) => Ok(()),
            Err(error) => Err(upstream(error)),
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.daemon_out.send(bytes).await.map_err(|_| End::Closed)
    }
}

fn malformed(error: FramingError) -> End {
    End::Malformed(Side::Engine, error, None)
}

/// Tells that a held message was given up, where its wait is dropped instead of ended.
struct GivenUp<'a, 'b> {
    response: &'a Response<'b>,
    gate: &'a Arc<GateCore>,
}

impl Drop for GivenUp<'_, '_> {
    fn drop(&mut self) {
        self.gate.abandon();
        self.response.tell(What::Abandoned { gate: self.gate.name.clone() });
    }
}

/// A stream of events that is open as long as this value lives.
struct Events<'a> {
    shared: &'a Arc<Shared>,
    number: u64,
}

impl<'a> Events<'a> {
    fn begin(shared: &'a Arc<Shared>, number: u64) -> Self {
        let mut state = shared.state();
        state.phases.opened();
        if let Some(live) = state.connections.get_mut(&number) {
            live.carries_events = true;
        }
        drop(state);
        Self { shared, number }
    }

    /// Passes frames on, one chunk each, as an engine sends them.
    async fn pass(
        self,
        response: &mut Response<'_>,
        head: &Head,
        body: &mut Body,
    ) -> Result<u64, End> {
        let chunked = matches!(body, Body::Chunked(_));
        let head = response.engine_in.buffer.split_to(head.bytes);
        response.send(&head).await?;
        let mut frames = Frames::default();
        let mut bytes = 0;
        loop {
            let mut whole = Vec::new();
            let taken = body
                .advance(&response.engine_in.buffer, |content| whole.extend(frames.push(content)))
                .map_err(malformed)?;
            let _ = response.engine_in.buffer.split_to(taken);
            bytes += taken as u64;
            for frame in whole {
                pass_frame(response, frame, chunked).await?;
            }
            if body.is_done() {
                break;
            }
            match response.engine_in.fill().await {
                Ok(0) if *body == Body::UntilClose => break,
                Ok(0) => return Err(End::Upstream("the stream of events ended".to_owned())),
                Ok(_) => {}
                Err(error) => return Err(upstream(error)),
            }
        }
        if let Some(rest) = frames.rest() {
            pass_frame(response, rest, chunked).await?;
        }
        if chunked {
            response.send(b"0\r\n\r\n").await?;
        }
        Ok(bytes)
    }
}

impl Drop for Events<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.phases.ended();
        if let Some(live) = state.connections.get_mut(&self.number) {
            live.carries_events = false;
        }
    }
}

async fn pass_frame(response: &mut Response<'_>, frame: Frame, chunked: bool) -> Result<(), End> {
    let decision = response.shared.rules.decide(response.call, Asked::Frame(&frame.json));
    if let Decision::Hold(gate) = decision {
        response.stand_at(&gate, Point::Frame).await;
    }
    response.tell(What::Frame { json: frame.json });
    if !chunked {
        return response.send(&frame.bytes).await;
    }
    let mut chunk = format!("{:x}\r\n", frame.bytes.len()).into_bytes();
    chunk.extend_from_slice(&frame.bytes);
    chunk.extend_from_slice(b"\r\n");
    response.send(&chunk).await
}
