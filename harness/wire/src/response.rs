//! The response's way down: its head, its body, and what a rule keeps back of them.

use serde_json::Value;

use crate::call::Call;
use crate::connection::End;
use crate::event::{Side, What};
use crate::http1::{Body, FramingError, Head, Start};
use crate::live::{Activity, Line};
use crate::peer::{Incoming, Outgoing};
use crate::rule::{Asked, Decision, Point};
use crate::stream;

/// Most bytes of a held response that are read before the gate is reached; of a longer one the
/// engine still has the rest.
const KEPT_MAX: usize = 64 * 1024 * 1024;

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
    pub(crate) line: &'a Line,
    pub(crate) call: &'a Call,
    pub(crate) content: Option<&'a Value>,
    pub(crate) engine_in: &'a mut Incoming,
    pub(crate) daemon_out: &'a mut Outgoing,
}

impl Response<'_> {
    /// Passes the response on to its end.
    pub(crate) async fn pass(&mut self) -> Result<Down, End> {
        let (head, status) = self.head().await?;
        let mut body = head.response_body(&self.call.method);
        let decision = self.line.shared.rules.decide(self.call, Asked::Response(self.content));
        if let Decision::Hold(gate) = decision {
            self.keep_whole(&head, &body).await?;
            // The daemon's going away ends the exchange around this wait.
            self.line.stand_at(&gate, Point::Response).await;
        }
        self.line.tell(What::Response { status });
        if status == 101 || self.is_hijacked(&body) {
            let head = self.engine_in.buffer.split_to(head.bytes);
            self.send(&head).await?;
            return Ok(Down::Raw);
        }
        let bytes = if self.call.is_events() && status == 200 && !body.is_done() {
            stream::pass(self, &head, &mut body).await?
        } else {
            self.pass_body(&head, &mut body).await?
        };
        self.line.tell(What::Finished { bytes });
        let last = head.closes() || body == Body::UntilClose;
        Ok(if last { Down::Last } else { Down::Next })
    }

    /// The response's own head; those that only say "go on" are passed on at once.
    async fn head(&mut self) -> Result<(Head, u16), End> {
        loop {
            let parsed = Head::response(&self.engine_in.buffer)
                .map_err(|error| End::Malformed(Side::Engine, error, Some(502)))?;
            let Some(head) = parsed else {
                self.fill().await?;
                continue;
            };
            let Start::Response { status } = head.start else {
                unreachable!("`Head::response` reads responses")
            };
            if !(100..200).contains(&status) || status == 101 {
                return Ok((head, status));
            }
            let head = self.engine_in.buffer.split_to(head.bytes);
            self.send(&head).await?;
        }
    }

    /// attach and exec speak raw after a plain 200, where the daemon asked for no upgrade.
    fn is_hijacked(&self, body: &Body) -> bool {
        *body == Body::UntilClose && self.call.is_raw()
    }

    /// Reads a body that has an end into the buffer, so that the engine is done with it.
    async fn keep_whole(&mut self, head: &Head, body: &Body) -> Result<(), End> {
        if self.call.is_events() || self.call.is_open_ended() || *body == Body::UntilClose {
            return Ok(());
        }
        let (mut ahead, mut at) = (body.clone(), head.bytes);
        loop {
            at += ahead.advance(&self.engine_in.buffer[at..], |_, _| {}).map_err(malformed)?;
            if ahead.is_done() || at > KEPT_MAX {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    async fn pass_body(&mut self, head: &Head, body: &mut Body) -> Result<u64, End> {
        if self.call.is_open_ended() {
            self.line.turn(Activity::OpenEnded);
        }
        let buffered = &self.engine_in.buffer[head.bytes..];
        let mut bytes = body.advance(buffered, |_, _| {}).map_err(malformed)?;
        let first = self.engine_in.buffer.split_to(head.bytes + bytes);
        self.send(&first).await?;
        let mut total = bytes as u64;
        while !body.is_done() {
            if self.engine_in.buffer.is_empty() && !self.fill_body(body).await? {
                break;
            }
            bytes = body.advance(&self.engine_in.buffer, |_, _| {}).map_err(malformed)?;
            let part = self.engine_in.buffer.split_to(bytes);
            self.send(&part).await?;
            total += bytes as u64;
        }
        Ok(total)
    }

    /// Reads more of a body; false where it has ended with the connection.
    pub(crate) async fn fill_body(&mut self, body: &Body) -> Result<bool, End> {
        match self.engine_in.fill().await {
            Ok(0) if *body == Body::UntilClose => Ok(false),
            Ok(0) => Err(End::Upstream("it ended in the middle of a body".to_owned())),
            Ok(_) => Ok(true),
            Err(error) => Err(End::upstream(error)),
        }
    }

    async fn fill(&mut self) -> Result<(), End> {
        match self.engine_in.fill().await {
            Ok(0) => Err(End::Upstream("it ended before its response".to_owned())),
            Ok(_) => Ok(()),
            Err(error) => Err(End::upstream(error)),
        }
    }

    /// Passes bytes on to the daemon.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.daemon_out.send(bytes).await.map_err(|_| End::Closed)
    }
}

/// What came of a body is no HTTP; a part of the response has been passed on by now.
pub(crate) fn malformed(error: FramingError) -> End {
    End::Malformed(Side::Engine, error, None)
}
