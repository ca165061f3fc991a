//! A stream of events, passed on frame by frame and as the engine framed it.
//!
//! The bytes are never framed anew. A frame is known when it is whole; what is passed on ends
//! behind a frame, so that a held frame keeps itself and all behind it back, and nothing before.

use std::sync::Arc;

use crate::connection::End;
use crate::event::What;
use crate::frame::{Frame, Frames};
use crate::http1::{Body, Head};
use crate::live::{Activity, Line};
use crate::response::{Response, malformed};
use crate::rule::{Asked, Decision, Point};
use crate::wire::Shared;

/// Passes a stream of events on until it ends, and tells how many bytes its body had.
pub(crate) async fn pass(
    response: &mut Response<'_>,
    head: &Head,
    body: &mut Body,
) -> Result<u64, End> {
    let _open = Open::begin(response.line);
    let first = response.engine_in.buffer.split_to(head.bytes);
    response.send(&first).await?;
    let mut frames = Frames::default();
    // Bytes of the buffer that the framing has measured: the beginning of a frame, as a rule none.
    let mut measured = 0;
    let mut total = 0;
    loop {
        let mut whole = Vec::new();
        let fresh = &response.engine_in.buffer[measured..];
        let bytes = body
            .advance(fresh, |at, content| frames.push(measured + at, content, &mut whole))
            .map_err(malformed)?;
        measured += bytes;
        total += bytes as u64;
        if body.is_done() {
            whole.extend(frames.rest(measured));
        }
        let passed = pass_frames(response, whole, &mut measured).await?;
        let settled = if frames.is_empty() { measured } else { passed };
        let part = response.engine_in.buffer.split_to(settled);
        measured -= settled;
        response.send(&part).await?;
        if body.is_done() {
            return Ok(total);
        }
        let more = response.fill_body(body).await;
        if !matches!(more, Ok(true)) {
            let rest = frames.rest(measured).into_iter().collect();
            pass_frames(response, rest, &mut measured).await?;
            let rest = response.engine_in.buffer.split();
            response.send(&rest).await?;
            return more.map(|_| total);
        }
    }
}

/// Tells of frames that are whole, and stops where one is to be held; gives the place behind the
/// last of them, up to which the buffer may be passed on. `measured` shrinks by what was passed on.
async fn pass_frames(
    response: &mut Response<'_>,
    whole: Vec<Frame>,
    measured: &mut usize,
) -> Result<usize, End> {
    let (mut begin, mut sent) = (0, 0);
    for frame in whole {
        let rules = &response.line.shared.rules;
        if let Decision::Hold(gate) = rules.decide(response.call, Asked::Frame(&frame.json)) {
            let before = response.engine_in.buffer.split_to(begin - sent);
            sent = begin;
            response.send(&before).await?;
            response.line.stand_at(&gate, Point::Frame).await;
        }
        response.line.tell(What::Frame { json: frame.json });
        // The end of a chunk belongs to the frame before it: who reads chunk by chunk needs it.
        let behind = response.engine_in.buffer.get(frame.end - sent..*measured - sent);
        let ends_chunk = behind.is_some_and(|behind| behind.starts_with(b"\r\n"));
        begin = frame.end + if ends_chunk { 2 } else { 0 };
    }
    *measured -= sent;
    Ok(begin - sent)
}

/// A stream of events that is open as long as this value lives.
struct Open {
    shared: Arc<Shared>,
}

impl Open {
    fn begin(line: &Line) -> Self {
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
