//! How a response goes down to the daemon, a stream of events frame by frame.

use std::io;

use bytes::Buf as _;
use serde_json::Value;

use crate::call::Call;
use crate::connection::End;
use crate::event::{Side, What};
use crate::frame::{Frame, Frames};
use crate::http1::{Body, FramingError, Head, Start};
use crate::peer::{Incoming, Outgoing};
use crate::rule::{Asked, Decision, Point};
use crate::teller::Teller;

/// Longest body that is kept back whole at a gate, in bytes as they come; what is behind that
/// stays with the engine.
const KEPT_MAX: usize = 64 * 1024 * 1024;

/// Routes that speak raw after a plain 200, where the daemon asked for no upgrade.
const HIJACKED: [&str; 2] = ["/containers/{id}/attach", "/exec/{id}/start"];

/// How a response ended.
pub(crate) enum Down {
    /// The connection can carry another exchange.
    Next,
    /// It cannot.
    Last,
    /// It is a raw stream from here on.
    Raw,
}

/// A response on its way.
pub(crate) struct Response<'a> {
    pub(crate) teller: Teller<'a>,
    pub(crate) call: &'a Call,
    /// The request's body, where a rule looks into it.
    pub(crate) content: Option<&'a Value>,
    pub(crate) engine_in: &'a mut Incoming,
    pub(crate) daemon_out: &'a mut Outgoing,
    /// Is set before the daemon is sent the head.
    pub(crate) answered: &'a mut bool,
}

impl Response<'_> {
    pub(crate) async fn pass(&mut self) -> Result<Down, End> {
        let (head, status) = self.head().await?;
        let mut body = head.response_body(&self.call.method);
        let decision = self.teller.shared.rules.decide(self.call, Asked::Response(self.content));
        if let Decision::Hold(gate) = decision {
            self.keep_whole(&head, &body).await?;
            // The daemon's going away ends the exchange around this wait.
            gate.stand(Point::Response, |what| self.teller.tell(what)).await;
        }
        self.teller.tell(What::Response { status });
        if status == 101 || self.is_hijacked(&body) {
            self.send_buffered(head.bytes).await?;
            return Ok(Down::Raw);
        }
        let bytes = if self.call.is_events() && status == 200 {
            let _open = Open::begin(self.teller);
            self.pass_events(&head, &mut body).await?
        } else {
            self.pass_body(&head, &mut body).await?
        };
        self.teller.tell(What::Finished { bytes });
        let last = head.closes() || body == Body::UntilClose;
        Ok(if last { Down::Last } else { Down::Next })
    }

    /// The response's own head; those that only say "go on" are passed on at once.
    async fn head(&mut self) -> Result<(Head, u16), End> {
        loop {
            if let Some(head) = Head::response(&self.engine_in.buffer).map_err(malformed)? {
                let Start::Response { status } = head.start else {
                    unreachable!("`Head::response` reads responses");
                };
                if !(100..200).contains(&status) || status == 101 {
                    return Ok((head, status));
                }
                self.send_buffered(head.bytes).await?;
                // The response itself is still to come.
                *self.answered = false;
            } else if self.fill().await? == 0 {
                return Err(End::Upstream("it ended before its response".to_owned()));
            }
        }
    }

    /// The connection is a raw stream from here on, with a head that does not say so.
    fn is_hijacked(&self, body: &Body) -> bool {
        *body == Body::UntilClose && self.call.route.template.is_some_and(|t| HIJACKED.contains(&t))
    }

    /// Reads a body that has an end into the buffer, so that the engine is done with it.
    async fn keep_whole(&mut self, head: &Head, body: &Body) -> Result<(), End> {
        if self.call.is_events() || *body == Body::UntilClose {
            return Ok(());
        }
        let mut ahead = body.clone();
        let mut kept = head.bytes;
        loop {
            kept += ahead.advance(&self.engine_in.buffer[kept..], |_| {}).map_err(malformed)?;
            // An engine that ends too early is found out when its response is passed on.
            if ahead.is_done() || kept >= KEPT_MAX || self.fill().await? == 0 {
                return Ok(());
            }
        }
    }

    async fn pass_body(&mut self, head: &Head, body: &mut Body) -> Result<u64, End> {
        let mut before = head.bytes;
        let mut total = 0;
        loop {
            let behind = &self.engine_in.buffer[before..];
            let bytes = body.advance(behind, |_| {}).map_err(malformed)?;
            self.send_buffered(before + bytes).await?;
            total += bytes as u64;
            before = 0;
            if !self.goes_on(body).await? {
                return Ok(total);
            }
        }
    }

    /// Passes frames on, one chunk each, as an engine sends them.
    async fn pass_events(&mut self, head: &Head, body: &mut Body) -> Result<u64, End> {
        let chunked = matches!(body, Body::Chunked(_));
        self.send_buffered(head.bytes).await?;
        let mut frames = Frames::default();
        let mut total = 0;
        loop {
            let mut whole = Vec::new();
            let advanced =
                body.advance(&self.engine_in.buffer, |content| whole.extend(frames.push(content)));
            let bytes = advanced.map_err(malformed)?;
            self.engine_in.buffer.advance(bytes);
            total += bytes as u64;
            for frame in whole {
                self.pass_frame(frame, chunked).await?;
            }
            if !self.goes_on(body).await? {
                break;
            }
        }
        if let Some(rest) = frames.rest() {
            self.pass_frame(rest, chunked).await?;
        }
        if chunked {
            self.send(b"0\r\n\r\n").await?;
        }
        Ok(total)
    }

    async fn pass_frame(&mut self, frame: Frame, chunked: bool) -> Result<(), End> {
        let decision = self.teller.shared.rules.decide(self.call, Asked::Frame(&frame.json));
        if let Decision::Hold(gate) = decision {
            gate.stand(Point::Frame, |what| self.teller.tell(what)).await;
        }
        self.teller.tell(What::Frame { json: frame.json });
        if !chunked {
            return self.send(&frame.bytes).await;
        }
        let mut chunk = format!("{:x}\r\n", frame.bytes.len()).into_bytes();
        chunk.extend_from_slice(&frame.bytes);
        chunk.extend_from_slice(b"\r\n");
        self.send(&chunk).await
    }

    /// Reads more of a body; false where it has ended as it should.
    async fn goes_on(&mut self, body: &Body) -> Result<bool, End> {
        if body.is_done() {
            return Ok(false);
        }
        match self.fill().await? {
            0 if *body == Body::UntilClose => Ok(false),
            0 => Err(End::Upstream("it ended in the middle of a body".to_owned())),
            _ => Ok(true),
        }
    }

    async fn fill(&mut self) -> Result<usize, End> {
        self.engine_in.fill().await.map_err(End::upstream)
    }

    async fn send_buffered(&mut self, bytes: usize) -> Result<(), End> {
        *self.answered = true;
        sent(self.daemon_out.send_from(&mut self.engine_in.buffer, bytes).await)
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), End> {
        sent(self.daemon_out.send(bytes).await)
    }
}

/// A daemon that takes nothing more has gone.
fn sent(result: io::Result<()>) -> Result<(), End> {
    result.map_err(|_| End::Closed)
}

fn malformed(error: FramingError) -> End {
    End::Malformed(Side::Engine, error)
}

/// A stream of events that is open as long as this value lives.
struct Open<'a> {
    teller: Teller<'a>,
}

impl<'a> Open<'a> {
    fn begin(teller: Teller<'a>) -> Self {
        let open = Self { teller };
        open.change(true);
        open
    }

    fn change(&self, opened: bool) {
        let mut state = self.teller.shared.state();
        if opened {
            state.phases.opened();
        } else {
            state.phases.ended();
        }
        if let Some(live) = state.connections.get_mut(&self.teller.connection) {
            live.carries_events = opened;
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.change(false);
    }
}
