//! The response's way down: its head, its body, and what a rule keeps back of them.

use bytes::Bytes;
use serde_json::Value;

use crate::call::Call;
use crate::connection::End;
use crate::event::{Side, What};
use crate::faults::answer::Answer;
use crate::faults::half_open::HalfOpen;
use crate::faults::slow::Slow;
use crate::faults::{lose, rewrite, truncate};
use crate::http1::{Body, FramingError, Head, Start};
use crate::live::{Activity, Line};
use crate::peer::{Incoming, Outgoing};
use crate::rule::{Cause, Decision, Point, ResponseFault};
use crate::stream::{self, Open};

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

/// How a body passes.
#[derive(Debug)]
pub(crate) enum Flow {
    /// As it comes.
    Free,
    Slow(Slow),
    HalfOpen(HalfOpen),
}

/// A response on its way.
pub(crate) struct Response<'a> {
    pub(crate) line: &'a Line,
    pub(crate) call: &'a Call,
    pub(crate) content: Option<&'a Value>,
    pub(crate) engine_in: &'a mut Incoming,
    pub(crate) daemon_out: &'a mut Outgoing,
    pub(crate) flow: Flow,
}

impl Response<'_> {
    /// Passes the response on to its end.
    pub(crate) async fn pass(&mut self) -> Result<Down, End> {
        let (mut head, status) = self.head().await?;
        let mut body = head.response_body(&self.call.method);
        self.record(&head, &body, status).await?;
        let flow = match self.line.shared.rules.on_response(self.call, self.content) {
            Decision::Pass => Flow::Free,
            Decision::Hold(gate) => {
                self.keep_whole(&head, &body).await?;
                // The daemon's going away ends the exchange around this wait.
                self.line.stand_at(&gate, Point::Response).await;
                Flow::Free
            }
            Decision::Fault(fault, cause) => {
                self.strike(fault, cause, (&mut head, &mut body), status).await?
            }
        };
        self.line.tell(What::Response { status });
        if status == 101 || self.is_hijacked(&body) {
            let head = self.engine_in.buffer.split_to(head.bytes);
            self.send(&head).await?;
            return Ok(Down::Raw);
        }
        let is_stream = self.call.is_events() && status == 200 && !body.is_done();
        let _open = is_stream.then(|| Open::begin(self.line));
        let mut head_bytes = head.bytes;
        if !matches!(flow, Flow::Free) {
            // Only the body passes in that way.
            let head = self.engine_in.buffer.split_to(std::mem::take(&mut head_bytes));
            self.send(&head).await?;
            self.flow = flow;
        }
        let bytes = if is_stream {
            stream::pass(self, head_bytes, &mut body).await?
        } else {
            self.pass_body(head_bytes, &mut body).await?
        };
        self.line.tell(What::Finished { bytes });
        let last = head.closes() || body == Body::UntilClose;
        Ok(if last { Down::Last } else { Down::Next })
    }

    /// Does to the response what a rule wants, as far as that is done before it passes; gives the way
    /// in which its body is to pass.
    async fn strike(
        &mut self,
        fault: ResponseFault,
        cause: Cause,
        (head, body): (&mut Head, &mut Body),
        status: u16,
    ) -> Result<Flow, End> {
        match fault {
            ResponseFault::Lose => match lose::strike(self, head, body, status, &cause).await? {},
            ResponseFault::HalfOpen { bytes } => {
                return Ok(Flow::HalfOpen(HalfOpen::new(bytes, cause)));
            }
            ResponseFault::Slow(pieces) => return Ok(Flow::Slow(Slow::new(pieces, cause))),
            ResponseFault::Truncate { bytes } => {
                truncate::strike(self, head, body, bytes, &cause).await?;
            }
            ResponseFault::Rewrite(patch) => {
                rewrite::strike(self, head, body, &patch, &cause).await?;
            }
        }
        Ok(Flow::Free)
    }

    /// Gives the response to all who want to keep it.
    async fn record(&mut self, head: &Head, body: &Body, status: u16) -> Result<(), End> {
        let recorders = self.line.shared.rules.recorders(self.call, self.content);
        if recorders.is_empty() {
            return Ok(());
        }
        let Some(whole) = self.keep_whole(head, body).await? else { return Ok(()) };
        let bytes = Bytes::copy_from_slice(&self.engine_in.buffer[..whole]);
        let body_bytes = (bytes.len() - head.bytes) as u64;
        let answer = Answer { status, bytes, body_bytes, closes: head.closes() };
        for recorder in recorders {
            recorder.keep(&self.call.method, answer.clone());
        }
        Ok(())
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

    /// Reads a body that has an end into the buffer, so that the engine is done with it; gives
    /// the bytes of the whole response, where all of it is kept.
    pub(crate) async fn keep_whole(
        &mut self,
        head: &Head,
        body: &Body,
    ) -> Result<Option<usize>, End> {
        if self.call.is_events() || self.call.is_open_ended() || *body == Body::UntilClose {
            return Ok(None);
        }
        let (mut ahead, mut at) = (body.clone(), head.bytes);
        loop {
            at += ahead.advance(&self.engine_in.buffer[at..], |_, _| {}).map_err(malformed)?;
            if ahead.is_done() {
                return Ok(Some(at));
            }
            if at > KEPT_MAX {
                return Ok(None);
            }
            self.fill().await?;
        }
    }

    /// Passes a body on that has so many bytes of a head before it.
    async fn pass_body(&mut self, head_bytes: usize, body: &mut Body) -> Result<u64, End> {
        if self.call.is_open_ended() {
            self.line.turn(Activity::OpenEnded);
        }
        let buffered = &self.engine_in.buffer[head_bytes..];
        let mut bytes = body.advance(buffered, |_, _| {}).map_err(malformed)?;
        let first = self.engine_in.buffer.split_to(head_bytes + bytes);
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
        match &mut self.flow {
            Flow::Free => self.daemon_out.send(bytes).await.map_err(|_| End::Closed),
            Flow::Slow(slow) => slow.send(self.line, self.daemon_out, bytes).await,
            Flow::HalfOpen(half) => half.send(self.line, self.daemon_out, bytes).await,
        }
    }
}

/// What came of a body is no HTTP; a part of the response has been passed on by now.
pub(crate) fn malformed(error: FramingError) -> End {
    End::Malformed(Side::Engine, error, None)
}
