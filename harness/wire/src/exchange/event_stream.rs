//! Forwards an event stream frame by frame.
//!
//! A frame is known when it is complete. What is forwarded ends behind a frame. So a held frame
//! keeps back itself and everything behind it, and nothing before it.
//!
//! As long as no fault changes the stream, the bytes are forwarded as the upstream framed them. The
//! first fault that removes, inserts or changes a frame switches the framing to the wire: from
//! there on every frame has a chunk of its own.
//!
//! # Positions in the buffer
//!
//! While the upstream frames, the reader's buffer begins with the first byte that was not
//! forwarded:
//!
//! ```text
//!     already forwarded | ready      | held back           | not measured yet
//!                       ^ 0          ^ `ready`             ^ `measured`
//! ```
//!
//! `removed` exists because the buffer moves under the frames in hand. One read may complete
//! several frames, whose ends are positions in the buffer of that instant. Forwarding the first of
//! them removes bytes from the front of the buffer; `removed` counts these, so that the end of a
//! later frame is `frame.end - removed`.

use std::sync::Arc;

use bytes::Buf as _;
use tokio::sync::mpsc;

use crate::connection_state::Activity;
use crate::context::ConnectionContext;
use crate::event::What;
use crate::exchange::close_reason::CloseReason;
use crate::exchange::response::Response;
use crate::faults::reorder::DelayedFrame;
use crate::faults::rewrite::rewrite_frame;
use crate::frame::{Frame, FrameSplitter};
use crate::http1::body::Body;
use crate::http1::chunk_writer::ChunkWriter;
use crate::injection::Injection;
use crate::point::Point;
use crate::rules::fault::{Cause, Decision, FrameFault};
use crate::shared::Shared;

/// Forwards an event stream to its end and returns the number of bytes of its body. Begins with the
/// first `head_bytes` bytes of the buffer, which are the head.
pub(crate) async fn forward(
    response: &mut Response<'_>,
    head_bytes: usize,
    body: &mut Body,
) -> Result<u64, CloseReason> {
    // A body with a length must keep its length.
    let can_change = !matches!(body, Body::Length(_));
    // Opens the queue before the client has the head. Once the client has it, every `inject` finds
    // the stream.
    let injections = can_change.then(|| response.context.shared.injections.open());
    let head = response.upstream_reader.buffer.split_to(head_bytes);
    response.send(&head).await?;
    let framing = Framing::Upstream(body.clone());
    let stream = EventStream {
        response,
        splitter: FrameSplitter::default(),
        measured: 0,
        ready: 0,
        removed: 0,
        framing,
        delayed: Vec::new(),
        injections,
    };
    stream.forward(body).await
}

/// Who frames what the client reads.
enum Framing {
    /// The upstream. The body has measured what was forwarded, so that the wire knows at any time
    /// how it would have to continue.
    Upstream(Body),
    /// The wire.
    Wire(ChunkWriter),
}

struct EventStream<'r, 'a> {
    response: &'r mut Response<'a>,
    splitter: FrameSplitter,
    /// Number of bytes at the front of the buffer that belong to the body and whose content the
    /// splitter has.
    measured: usize,
    /// Number of bytes at the front of the buffer that may be forwarded unchanged; at most
    /// `measured`. Always 0 while the wire frames.
    ready: usize,
    /// Number of bytes removed from the front of the buffer since the frames in hand were split.
    removed: usize,
    framing: Framing,
    delayed: Vec<DelayedFrame>,
    /// None if the body has a length, so that no frame can be inserted, removed or changed.
    injections: Option<mpsc::Receiver<Injection>>,
}

impl EventStream<'_, '_> {
    async fn forward(mut self, body: &mut Body) -> Result<u64, CloseReason> {
        let mut total = 0;
        loop {
            total += self.forward_read(body).await?;
            if body.is_done() {
                self.finish(true).await?;
                return Ok(total);
            }
            let more = self.read_more(body).await;
            if !matches!(more, Ok(true)) {
                // The upstream has closed. The client still receives everything before that, also
                // the beginning of a frame.
                self.removed = 0;
                if let Some(frame) = self.splitter.finish(self.measured) {
                    self.decide(frame).await?;
                }
                self.ready = self.measured;
                self.consume().await?;
                self.finish(false).await?;
                return more.map(|_| total);
            }
        }
    }

    /// Forwards what has been read, up to the end of the last complete frame. Returns the number of
    /// bytes of the body that were new.
    async fn forward_read(&mut self, body: &mut Body) -> Result<u64, CloseReason> {
        let (mut complete, measured_before) = (Vec::new(), self.measured);
        let unmeasured = &self.response.upstream_reader.buffer[measured_before..];
        let splitter = &mut self.splitter;
        // The positions that `advance` gives begin at `unmeasured`, those of frames at the buffer.
        let bytes = body
            .advance(unmeasured, |at, content| {
                splitter.push(measured_before + at, content, &mut complete);
            })
            .map_err(CloseReason::bad_response_body)?;
        self.measured += bytes;
        // The positions of the frames in `complete` are relative to the buffer as it is now.
        self.removed = 0;
        if body.is_done() {
            complete.extend(self.splitter.finish(self.measured));
        }
        for frame in complete {
            self.decide(frame).await?;
        }
        // No frame needs the bytes behind the last one: they are framing, such as the size of the
        // next chunk. They are forwarded, too, but not if they end in the middle of a size: if a
        // fault comes next, the wire could not continue there.
        if body.is_done() || (self.splitter.is_empty() && body.unfinished_chunk().is_some()) {
            self.ready = self.measured;
        }
        self.consume().await?;
        Ok(bytes as u64)
    }

    /// Reads more, and inserts injected frames while it waits. False if the stream has ended with
    /// the connection.
    async fn read_more(&mut self, body: &Body) -> Result<bool, CloseReason> {
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
                // Cancel-safe: `recv` is, as tokio documents; an injection that was not received
                // stays in the queue.
                Some(injection) = injected => injection,
            };
            // Outside of the `select!`, because inserting a frame is not cancel-safe.
            self.insert(injection).await?;
        }
    }

    /// Forwards a frame, or does what a rule has decided for it.
    async fn decide(&mut self, frame: Frame) -> Result<(), CloseReason> {
        let rules = &self.response.context.shared.rules;
        match rules.on_frame(self.response.call, &frame.json) {
            Decision::Forward => self.forward_frame(frame).await,
            Decision::Hold(latch) => {
                // The frames before it must not wait for the gate.
                self.flush().await?;
                self.response.context.hold_at(&latch, Point::Frame).await;
                self.forward_frame(frame).await
            }
            Decision::Fault(fault, cause) => self.apply(frame, fault, cause).await,
        }
    }

    async fn apply(
        &mut self,
        mut frame: Frame,
        fault: FrameFault,
        mut cause: Cause,
    ) -> Result<(), CloseReason> {
        let context = self.response.context;
        // Half-open only stops the stream, which is possible whatever its framing is.
        let can_change = self.injections.is_some();
        if !can_change && !matches!(fault, FrameFault::HalfOpen) {
            return self.forward_frame(frame).await;
        }
        match fault {
            FrameFault::HalfOpen => {
                self.forward_frame(frame).await?;
                self.flush().await?;
                let fault = "forwarded this frame, and nothing more";
                // Until the connection ends, which drops this future.
                let _silent = SilentEventStream::new(context);
                match context.stall(&mut cause, fault).await {}
            }
            FrameFault::Drop => {
                self.take_over_framing().await?;
                context.report_fault(&cause, format!("dropped the frame {}", frame.json));
                Ok(())
            }
            FrameFault::Duplicate => {
                self.take_over_framing().await?;
                context.report_fault(&cause, "forwarded a frame twice");
                self.write_frame(frame.clone()).await?;
                self.forward_frame(frame).await
            }
            FrameFault::Reorder { behind } => {
                self.take_over_framing().await?;
                self.delayed.push(DelayedFrame::new(frame, behind, cause));
                Ok(())
            }
            FrameFault::Rewrite(edits) => {
                if let Some(description) = rewrite_frame(&edits, &mut frame) {
                    self.take_over_framing().await?;
                    context.report_fault(&cause, description);
                }
                self.forward_frame(frame).await
            }
        }
    }

    /// Forwards a frame, and then the delayed frames that are due after it.
    async fn forward_frame(&mut self, frame: Frame) -> Result<(), CloseReason> {
        self.write_frame(frame).await?;
        self.delayed.iter_mut().for_each(DelayedFrame::count_passed);
        // A delayed frame that passes here does not count for other delayed frames: `behind` is the
        // number of frames that were sent later.
        while let Some(at) = self.delayed.iter().position(DelayedFrame::is_due) {
            let frame = self.delayed.remove(at).into_frame(self.response.context);
            self.write_frame(frame).await?;
        }
        Ok(())
    }

    /// Reports a frame, and marks it as ready if the upstream frames, or sends it if the wire
    /// frames.
    async fn write_frame(&mut self, frame: Frame) -> Result<(), CloseReason> {
        self.response.report(What::Frame { json: frame.json });
        match &mut self.framing {
            Framing::Upstream(_) => {
                // Not sent here: the frames of one read go to the client in one write.
                let end = frame.end - self.removed;
                // The line break that ends a chunk is forwarded with the frame before it. Otherwise
                // a client that reads chunk by chunk would not see this frame while the next is
                // held.
                let behind = self.response.upstream_reader.buffer.get(end..self.measured);
                let ends_chunk = behind.is_some_and(|behind| behind.starts_with(b"\r\n"));
                self.ready = end + if ends_chunk { 2 } else { 0 };
                Ok(())
            }
            Framing::Wire(writer) => {
                let bytes = writer.frame(&frame.content);
                self.response.send(&bytes).await
            }
        }
    }

    async fn insert(&mut self, injection: Injection) -> Result<(), CloseReason> {
        let Injection { rule, content } = injection;
        self.take_over_framing().await?;
        let fault = "injected a frame".to_owned();
        self.response.report(What::Faulted { rule, fault });
        // The wire frames now, so that nothing reads the end of this frame.
        self.write_frame(Frame::new(content, 0)).await
    }

    /// Switches the framing from the upstream to the wire, if that has not happened yet. The frame
    /// in hand must not be marked as ready before.
    async fn take_over_framing(&mut self) -> Result<(), CloseReason> {
        self.flush().await?;
        if let Framing::Upstream(forwarded) = &self.framing {
            let writer = ChunkWriter::continuing(forwarded);
            // `write_frame` and `forward_read` stop only behind a frame or where a chunk can
            // continue, and without a `Content-Length`.
            self.framing =
                Framing::Wire(writer.expect("forwarding stops where the wire can continue"));
        }
        Ok(())
    }

    /// Sends what is ready. Does nothing while the wire frames.
    async fn flush(&mut self) -> Result<(), CloseReason> {
        let Framing::Upstream(forwarded) = &mut self.framing else { return Ok(()) };
        let ready = std::mem::take(&mut self.ready);
        let part = self.response.upstream_reader.buffer.split_to(ready);
        forwarded.advance(&part, |_, _| {}).expect("`body` has measured these bytes before");
        // All three positions move with the front of the buffer; `ready` is 0 already.
        self.removed += ready;
        self.measured -= ready;
        self.response.send(&part).await
    }

    /// Removes from the buffer what is not needed any more, when every complete frame was decided.
    async fn consume(&mut self) -> Result<(), CloseReason> {
        match self.framing {
            Framing::Upstream(_) => self.flush().await,
            Framing::Wire(_) => {
                // The frames have copies of their content, and the wire does not forward the
                // upstream's framing.
                self.response.upstream_reader.buffer.advance(std::mem::take(&mut self.measured));
                self.ready = 0;
                Ok(())
            }
        }
    }

    /// Nothing more comes from the upstream. Sends the delayed frames, and the end of the body if
    /// the stream was complete: a client must be able to tell that from a lost connection.
    async fn finish(&mut self, complete: bool) -> Result<(), CloseReason> {
        for delayed in std::mem::take(&mut self.delayed) {
            let frame = delayed.into_frame(self.response.context);
            self.write_frame(frame).await?;
        }
        if let Framing::Wire(writer) = &mut self.framing
            && complete
        {
            let bytes = writer.finish();
            self.response.send(&bytes).await?;
        }
        Ok(())
    }
}

/// Counts an event stream as open for as long as this value exists.
pub(crate) struct OpenEventStream {
    shared: Arc<Shared>,
}

impl OpenEventStream {
    pub(crate) fn new(context: &ConnectionContext) -> Self {
        context.state.set_activity(Activity::Events);
        context.shared.state().phases.stream_opened();
        Self { shared: context.shared.clone() }
    }
}

/// Counts an open event stream as silent for as long as this value exists.
struct SilentEventStream {
    shared: Arc<Shared>,
}

impl SilentEventStream {
    fn new(context: &ConnectionContext) -> Self {
        context.shared.state().phases.stream_fell_silent();
        Self { shared: context.shared.clone() }
    }
}

impl Drop for SilentEventStream {
    fn drop(&mut self) {
        self.shared.state().phases.silent_stream_ended();
    }
}

impl Drop for OpenEventStream {
    fn drop(&mut self) {
        self.shared.state().phases.stream_ended();
    }
}
