//! How messages go through one connection.
//!
//! An exchange runs two directions at once: `up` forwards the request and then watches for the
//! daemon's end, `down` forwards the response (`response`). Whichever ends first ends both.

use std::io;

use bytes::Buf as _;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::call::Call;
use crate::event::{Side, What};
use crate::faults::answer;
use crate::gate::GateCore;
use crate::http1::{Body, FramingError, Head, Start};
use crate::peer::{Incoming, Outgoing, split};
use crate::response::{Down, Response};
use crate::rule::{Asked, Decision, Point};
use crate::teller::Teller;

/// Longest request body that rules may look into, in bytes as they come.
const BODY_MAX: usize = 1024 * 1024;

/// Why a connection ends.
#[derive(Debug)]
pub(crate) enum End {
    /// As HTTP says, or the daemon went away.
    Closed,
    /// The engine was not there, or went away in the middle.
    Upstream(String),
    /// One side sent what is no HTTP.
    Malformed(Side, FramingError),
}

impl End {
    pub(crate) fn upstream(error: io::Error) -> Self {
        Self::Upstream(error.to_string())
    }

    fn malformed(error: FramingError) -> Self {
        Self::Malformed(Side::Daemon, error)
    }
}

/// Serves a connection until it ends.
pub(crate) async fn serve(teller: Teller<'_>, stream: UnixStream) {
    let (daemon_in, daemon_out) = split(stream);
    let engine = match UnixStream::connect(&teller.shared.config.upstream).await {
        Ok(engine) => engine,
        Err(error) => return teller.tell(What::UpstreamLost { reason: error.to_string() }),
    };
    let (engine_in, engine_out) = split(engine);
    let answered = false;
    let mut connection =
        Connection { teller, daemon_in, daemon_out, engine_in, engine_out, answered };
    let end = loop {
        match connection.exchange().await {
            Ok(()) => teller.end_exchange(),
            Err(end) => break end,
        }
    };
    connection.finish(end).await;
}

struct Connection<'a> {
    teller: Teller<'a>,
    daemon_in: Incoming,
    daemon_out: Outgoing,
    engine_in: Incoming,
    engine_out: Outgoing,
    /// The daemon was sent the head of the response under way, or is about to be.
    answered: bool,
}

impl Connection<'_> {
    /// One request and its response.
    async fn exchange(&mut self) -> Result<(), End> {
        self.answered = false;
        let head = self.request_head().await?;
        let call = self.begin(&head);
        let mut body = head.request_body();
        let content = self.content(&call, &head, &body).await?;
        let decision = self.teller.shared.rules.decide(&call, Asked::Request(content.as_ref()));
        match decision {
            Decision::Pass => {}
            Decision::Hold(gate) => self.hold(&gate).await?,
            Decision::Answer { rule, status } => {
                return self.answer(&call, &head, body, &rule, status).await;
            }
        }
        match self.both_ways(&call, &head, &mut body, content.as_ref()).await? {
            Down::Next if body.is_done() && !head.closes() => Ok(()),
            Down::Next | Down::Last => Err(End::Closed),
            Down::Raw => self.raw().await,
        }
    }

    /// The next request's head. Where the engine ends an idle connection the daemon must see it,
    /// lest it sends its next request into the void.
    async fn request_head(&mut self) -> Result<Head, End> {
        loop {
            if !self.engine_in.buffer.is_empty() {
                return Err(End::Malformed(Side::Engine, FramingError::Unasked));
            }
            if let Some(head) = Head::request(&self.daemon_in.buffer).map_err(End::malformed)? {
                return Ok(head);
            }
            let read = tokio::select! {
                biased;
                // Cancel-safe: what was read is in the buffer.
                read = self.daemon_in.fill() => read,
                // Cancel-safe, as above.
                read = self.engine_in.fill() => read,
            };
            if !matches!(read, Ok(1..)) {
                return Err(End::Closed);
            }
        }
    }

    /// Numbers the exchange and tells of it.
    fn begin(&self, head: &Head) -> Call {
        self.teller.begin_exchange();
        let Start::Request { method, target } = &head.start else {
            unreachable!("`Head::request` reads requests");
        };
        let phase = self.teller.shared.state().phases.now();
        let call = Call::new(method.clone(), target.clone(), phase);
        self.teller.tell(What::Request {
            method: method.clone(),
            target: target.clone(),
            route: call.route.template,
            phase,
        });
        call
    }

    /// The request's body as JSON, where a rule wants to look into it; it stays in the buffer.
    async fn content(
        &mut self,
        call: &Call,
        head: &Head,
        body: &Body,
    ) -> Result<Option<Value>, End> {
        // A daemon that waits to be told to continue would wait for ever.
        if head.expects_continue() || !self.teller.shared.rules.wants_body(call) {
            return Ok(None);
        }
        let mut ahead = body.clone();
        let mut content = Vec::new();
        let mut read = head.bytes;
        loop {
            let behind = &self.daemon_in.buffer[read..];
            let advanced = ahead.advance(behind, |part| content.extend_from_slice(part));
            read += advanced.map_err(End::malformed)?;
            if ahead.is_done() {
                return Ok(serde_json::from_slice(&content).ok());
            }
            if read - head.bytes > BODY_MAX {
                return Ok(None);
            }
            if !matches!(self.daemon_in.fill().await, Ok(1..)) {
                return Err(End::Closed);
            }
        }
    }

    /// Keeps the request back until its gate opens, or the daemon gives up.
    async fn hold(&mut self, gate: &GateCore) -> Result<(), End> {
        let teller = self.teller;
        tokio::select! {
            biased;
            // Cancel-safe: a wait that is dropped tells that the message was given up.
            () = gate.stand(Point::Request, |what| teller.tell(what)) => Ok(()),
            // Cancel-safe: what was read is in the buffer.
            () = self.daemon_in.gone() => Err(End::Closed),
        }
    }

    /// Takes the request from the daemon and answers it here.
    async fn answer(
        &mut self,
        call: &Call,
        head: &Head,
        mut body: Body,
        rule: &str,
        status: u16,
    ) -> Result<(), End> {
        self.daemon_in.buffer.advance(head.bytes);
        // Who waits to be told to continue is told the end instead, and need not send its body.
        while !head.expects_continue() {
            let taken = body.advance(&self.daemon_in.buffer, |_| {}).map_err(End::malformed)?;
            self.daemon_in.buffer.advance(taken);
            if body.is_done() {
                break;
            }
            if !matches!(self.daemon_in.fill().await, Ok(1..)) {
                return Err(End::Closed);
            }
        }
        let last = head.closes() || !body.is_done();
        let fault = format!("answered with {status}");
        self.teller.tell(What::Faulted { rule: rule.to_owned(), fault });
        self.teller.tell(What::Response { status });
        let (bytes, length) = answer::response(rule, status, &call.method, last);
        self.daemon_out.send(&bytes).await.map_err(|_| End::Closed)?;
        self.teller.tell(What::Finished { bytes: length });
        if last { Err(End::Closed) } else { Ok(()) }
    }

    /// Forwards the request and the response at once.
    async fn both_ways(
        &mut self,
        call: &Call,
        head: &Head,
        body: &mut Body,
        content: Option<&Value>,
    ) -> Result<Down, End> {
        let Self { teller, daemon_in, daemon_out, engine_in, engine_out, answered } = self;
        let up = async {
            match send_request(daemon_in, engine_out, head, body).await {
                Ok(()) => {
                    daemon_in.gone().await;
                    End::Closed
                }
                Err(end) => end,
            }
        };
        let mut down = Response { teller: *teller, call, content, engine_in, daemon_out, answered };
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
        self.teller.tell(What::Upgraded);
        let Self { daemon_in, daemon_out, engine_in, engine_out, .. } = self;
        let up = async {
            // An engine that has ended says so on its way down, and wants no more input.
            let _ = copy(daemon_in, engine_out).await;
            Ok(())
        };
        let down = async {
            copy(engine_in, daemon_out).await.map_err(|broken| match broken {
                Broken::Reading(error) => End::upstream(error),
                Broken::Writing => End::Closed,
            })
        };
        let ((), bytes) = tokio::try_join!(up, down)?;
        self.teller.tell(What::Finished { bytes });
        Err(End::Closed)
    }

    /// Tells why the connection ends; the daemon is told too, where it waits for a response.
    async fn finish(mut self, end: End) {
        let status = match end {
            End::Closed => return,
            End::Upstream(reason) => return self.teller.tell(What::UpstreamLost { reason }),
            End::Malformed(side, error) => {
                self.teller.tell(What::Malformed { side, reason: error.to_string() });
                match side {
                    Side::Daemon => 400,
                    Side::Engine if self.teller.in_exchange() => 502,
                    Side::Engine => return,
                }
            }
        };
        if !self.answered {
            let response = format!(
                "HTTP/1.1 {status} Malformed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            // The daemon may have gone meanwhile; there is nobody else to tell.
            let _ = self.daemon_out.send(response.as_bytes()).await;
        }
    }
}

/// Forwards a request whose head is in the buffer.
async fn send_request(
    from: &mut Incoming,
    to: &mut Outgoing,
    head: &Head,
    body: &mut Body,
) -> Result<(), End> {
    let mut before = head.bytes;
    loop {
        let bytes = body.advance(&from.buffer[before..], |_| {}).map_err(End::malformed)?;
        if to.send_from(&mut from.buffer, before + bytes).await.is_err() {
            // The engine takes no more. Why not is what it answered, or its end: both are on
            // their way down.
            return Ok(());
        }
        if body.is_done() {
            return Ok(());
        }
        if !matches!(from.fill().await, Ok(1..)) {
            return Err(End::Closed);
        }
        before = 0;
    }
}

/// Which end of a copy broke.
enum Broken {
    Reading(io::Error),
    Writing,
}

/// Copies what is buffered and all that comes, and passes the end on.
async fn copy(from: &mut Incoming, to: &mut Outgoing) -> Result<u64, Broken> {
    let mut bytes = 0;
    loop {
        let buffered = from.buffer.len();
        to.send_from(&mut from.buffer, buffered).await.map_err(|_| Broken::Writing)?;
        bytes += buffered as u64;
        if from.fill().await.map_err(Broken::Reading)? == 0 {
            // Who has gone need not be told that nothing more comes.
            let _ = to.finish().await;
            return Ok(bytes);
        }
    }
}
