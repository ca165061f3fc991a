//! A stream of events, passed on frame by frame and as the engine framed it.
//!
//! A frame is known when it is whole; what is passed on ends behind a frame, so that a held frame
//! keeps itself and all behind it back, and nothing before. The bytes are not framed anew until a
//! fault takes a frame out, or puts one in; from there on every frame has a chunk of its own.

use std::sync::Arc;

use bytes::Buf as _;
use tokio::sync::mpsc;

use crate::chunker::Chunker;
use crate::connection::End;
use crate::event::What;
use crate::faults::half_open;
use crate::faults::inject::Injection;
use crate::faults::reorder::Late;
use crate::frame::{Frame, Frames};
use crate::http1::Body;
use crate::live::{Activity, Line};
use crate::response::{Response, malformed};
use crate::rule::{Cause, Decision, FrameFault, Point};
use crate::wire::Shared;

/// Passes a stream of events on until it ends, with so many bytes of a head before it, and tells how
/// many bytes its body had.
pub(crate) async fn pass(
    response: &mut Response<'_>,
    head_bytes: usize,
    body: &mut Body,
) -> Result<u64, End> {
    let can_change = !matches!(body, Body::Length(_));
    let injections = can_change.then(|| response.line.shared.rules.injections.open());
    let head = response.engine_in.buffer.split_to(head_bytes);
    response.send(&head).await?;
    let framing = Framing::Engine(body.clone());
    let stream = Stream {
        response,
        frames: Frames::default(),
        measured: 0,
        ready: 0,
        sent: 0,
        framing,
        late: Vec::new(),
        injections,
    };
    stream.pass(body).await
}

/// Who frames what the daemon reads.
enum Framing {
    /// The engine; this has measured what has been passed on.
    Engine(Body),
    /// The wire.
    Own(Chunker),
}

struct Stream<'r, 'a> {
    response: &'r mut Response<'a>,
    frames: Frames,
    /// Bytes of the buffer that the framing has measured.
    measured: usize,
    /// Bytes of the buffer that may be passed on as they are: none, where the wire frames.
    ready: usize,
    /// Bytes that have been passed on as they were since frames were last looked for.
    sent: usize,
    framing: Framing,
    late: Vec<Late>,
    /// None where nothing can be put in or taken out.
    injections: Option<mpsc::Receiver<Injection>>,
}

impl Stream<'_, '_> {
    async fn pass(mut self, body: &mut Body) -> Result<u64, End> {
        let mut total = 0;
        loop {
            total += self.pass_read(body).await?;
            if body.is_done() {
                self.end(true).await?;
                return Ok(total);
            }
            let more = self.more(body).await;
            if !matches!(more, Ok(true)) {
                self.sent = 0;
                if let Some(frame) = self.frames.rest(self.measured) {
                    self.decide(frame).await?;
                }
                self.ready = self.measured;
                self.settle().await?;
                self.end(false).await?;
                return more.map(|_| total);
            }
        }
    }

    /// Passes on what has been read, up to the end of its last whole frame; gives its bytes.
    async fn pass_read(&mut self, body: &mut Body) -> Result<u64, End> {
        let (mut whole, before) = (Vec::new(), self.measured);
        let fresh = &self.response.engine_in.buffer[before..];
        let frames = &mut self.frames;
        let bytes = body
            .advance(fresh, |at, content| frames.push(before + at, content, &mut whole))
            .map_err(malformed)?;
        self.measured += bytes;
        self.sent = 0;
        if body.is_done() {
            whole.extend(self.frames.rest(self.measured));
        }
        for frame in whole {
            self.decide(frame).await?;
        }
        // Passing on ends where the wire could go on: not in the middle of a chunk's size.
        if body.is_done() || (self.frames.is_empty() && body.owed().is_some()) {
            self.ready = self.measured;
        }
        self.settle().await?;
        Ok(bytes as u64)
    }

    /// Reads more, and passes on what is put in meanwhile; false where the stream has ended.
    async fn more(&mut self, body: &Body) -> Result<bool, End> {
        loop {
            let injected = async {
                match &mut self.injections {
                    Some(injections) => injections.recv().await,
                    None => std::future::pending().await,
                }
            };
            let injection = tokio::select! {
                // Cancel-safe: what was read is in the buffer.
                more = self.response.fill_body(body) => return more,
                // Cancel-safe: documented by tokio.
                Some(injection) = injected => injection,
            };
            self.inject(injection).await?;
        }
    }

    /// Passes a frame on, or does with it what a rule wants.
    async fn decide(&mut self, frame: Frame) -> Result<(), End> {
        let rules = &self.response.line.shared.rules;
        match rules.on_frame(self.response.call, &frame.json) {
            Decision::Pass => self.pass_frame(frame).await,
            Decision::Hold(gate) => {
                self.flush().await?;
                self.response.line.stand_at(&gate, Point::Frame).await;
                self.pass_frame(frame).await
            }
            Decision::Fault(fault, cause) => self.strike(frame, fault, cause).await,
        }
    }

    async fn strike(
        &mut self,
        mut frame: Frame,
        fault: FrameFault,
        mut cause: Cause,
    ) -> Result<(), End> {
        let line = self.response.line;
        if self.injections.is_none() && !matches!(fault, FrameFault::HalfOpen) {
            return self.pass_frame(frame).await;
        }
        match fault {
            FrameFault::HalfOpen => {
                self.pass_frame(frame).await?;
                self.flush().await?;
                let fault = "passed on this frame, and nothing more";
                match half_open::halt(line, &mut cause, fault).await {}
            }
            FrameFault::Drop => {
                self.take_over().await?;
                cause.happened(line, format!("dropped the frame {}", frame.json));
                Ok(())
            }
            FrameFault::Duplicate => {
                self.take_over().await?;
                cause.happened(line, "passed a frame on twice");
                self.put(frame.clone()).await?;
                self.pass_frame(frame).await
            }
            FrameFault::Reorder { behind } => {
                self.take_over().await?;
                self.late.push(Late::new(frame, behind, cause));
                Ok(())
            }
            FrameFault::Rewrite(patch) => {
                if let Some(applied) = patch.rewrite_frame(&mut frame) {
                    self.take_over().await?;
                    cause.happened(line, applied);
                }
                self.pass_frame(frame).await
            }
        }
    }

    /// Passes a frame on, and those behind it whose turn has come.
    async fn pass_frame(&mut self, frame: Frame) -> Result<(), End> {
        self.put(frame).await?;
        self.late.iter_mut().for_each(Late::one_passed);
        while let Some(at) = self.late.iter().position(Late::is_due) {
            let frame = self.late.remove(at).into_frame(self.response.line);
            self.put(frame).await?;
        }
        Ok(())
    }

    async fn put(&mut self, frame: Frame) -> Result<(), End> {
        self.response.line.tell(What::Frame { json: frame.json });
        match &mut self.framing {
            Framing::Engine(_) => {
                let end = frame.end - self.sent;
                // The end of a chunk belongs to the frame before it: who reads chunk by chunk needs it.
                let behind = self.response.engine_in.buffer.get(end..self.measured);
                let ends_chunk = behind.is_some_and(|behind| behind.starts_with(b"\r\n"));
                self.ready = end + if ends_chunk { 2 } else { 0 };
                Ok(())
            }
            Framing::Own(chunker) => {
                let bytes = chunker.content(&frame.content);
                self.response.send(&bytes).await
            }
        }
    }

    async fn inject(&mut self, injection: Injection) -> Result<(), End> {
        let Injection { rule, content } = injection;
        self.take_over().await?;
        let fault = "injected a frame".to_owned();
        self.response.line.tell(What::Faulted { rule, fault });
        self.put(Frame::new(content, 0)).await
    }

    /// Makes the wire frame what follows.
    async fn take_over(&mut self) -> Result<(), End> {
        self.flush().await?;
        if let Framing::Engine(sent) = &self.framing {
            let chunker = Chunker::behind(sent);
            self.framing = Framing::Own(chunker.expect("passing on ends where the wire can go on"));
        }
        Ok(())
    }

    /// Passes on what may be passed on as it is.
    async fn flush(&mut self) -> Result<(), End> {
        let Framing::Engine(sent) = &mut self.framing else { return Ok(()) };
        let ready = std::mem::take(&mut self.ready);
        let part = self.response.engine_in.buffer.split_to(ready);
        sent.advance(&part, |_, _| {}).expect("the framing has measured it before");
        self.sent += ready;
        self.measured -= ready;
        self.response.send(&part).await
    }

    /// Is done with what was measured, as far as no frame needs it.
    async fn settle(&mut self) -> Result<(), End> {
        match self.framing {
            Framing::Engine(_) => self.flush().await,
            Framing::Own(_) => {
                self.response.engine_in.buffer.advance(std::mem::take(&mut self.measured));
                self.ready = 0;
                Ok(())
            }
        }
    }

    /// Nothing more comes; where the stream itself has ended, the daemon is to know.
    async fn end(&mut self, ended: bool) -> Result<(), End> {
        for late in std::mem::take(&mut self.late) {
            let frame = late.into_frame(self.response.line);
            self.put(frame).await?;
        }
        if let Framing::Own(chunker) = &mut self.framing
            && ended
        {
            let bytes = chunker.end();
            self.response.send(&bytes).await?;
        }
        Ok(())
    }
}

/// A stream of events that is open as long as this value lives.
pub(crate) struct Open {
    shared: Arc<Shared>,
}

impl Open {
    pub(crate) fn begin(line: &Line) -> Self {
        line.turn(Activity::Events);
        line.shared.state().phases.opened();
        Self { shared: line.shared.clone() }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.state().phases.ended();
    }
}
