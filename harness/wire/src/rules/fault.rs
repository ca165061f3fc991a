//! What a rule does to the messages that it matches, and what the rules decide for one message.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::call::Call;
use crate::head_edits::HeadEdits;
use crate::json_edits::JsonEdits;
use crate::point::Point;
use crate::rules::last_answer::LastAnswer;
use crate::rules::latch::Latch;
use crate::rules::line::Line;

/// What a rule does to the messages that it matches. The number says to how many of them; without a
/// number, to all.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Holds the one message that the matcher's count selects.
    Hold(Point, Arc<Latch>),
    /// Holds each message.
    HoldEach(Point, Arc<Line>),
    /// Does something else to requests.
    Request(RequestFault, Option<u32>),
    /// Does something else to responses.
    Response(ResponseFault, Option<u32>),
    /// Does something else to frames.
    Frame(FrameFault, Option<u32>),
    /// Records responses and forwards them unchanged.
    Record(Arc<LastAnswer>, Option<u32>),
}

/// What happens to a request. The upstream does not receive it.
#[derive(Clone, Debug)]
pub(crate) enum RequestFault {
    /// The wire answers with this status, and with this body instead of the dialect's own.
    Answer { status: u16, body: Option<Arc<str>> },
    /// The wire answers with a recorded response.
    Stale(Arc<LastAnswer>),
}

/// What happens to a response.
#[derive(Clone, Debug)]
pub(crate) enum ResponseFault {
    /// The client receives nothing of it, and the connection is cut.
    Lose,
    /// The client receives this many bytes of the body, and the connection stays open.
    HalfOpen { bytes: u64 },
    /// The client receives the body in pieces.
    Slow(Pieces),
    /// The body is shortened, and framed so that it looks complete.
    Truncate { bytes: usize },
    /// Its head and its body are changed.
    Rewrite(Arc<HeadEdits>, Arc<JsonEdits>),
}

/// The pieces of a slow body, and the time between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// Most bytes in a piece. The framing of the body counts, too.
    pub bytes: NonZeroUsize,
    /// Time from one piece to the next; not zero.
    pub every: Duration,
}

/// What happens to a frame of an event stream.
#[derive(Clone, Debug)]
pub(crate) enum FrameFault {
    /// The client does not receive it.
    Drop,
    /// The client receives it twice.
    Duplicate,
    /// The client receives it behind this many later frames.
    Reorder { behind: NonZeroU32 },
    /// The frame is changed.
    Rewrite(Arc<JsonEdits>),
    /// The client receives it and nothing behind it, and the connection stays open.
    HalfOpen,
}

/// A fault of one kind of message.
pub(crate) trait Fault: Clone {
    /// Whether the fault can happen to a message of this call. If not, the rule does not match.
    fn can_happen(&self, _call: &Call) -> bool {
        true
    }
}

impl Fault for RequestFault {
    fn can_happen(&self, call: &Call) -> bool {
        match self {
            Self::Answer { .. } => true,
            Self::Stale(recorded) => recorded.can_answer(&call.method),
        }
    }
}

impl Fault for ResponseFault {}
impl Fault for FrameFault {}
impl Fault for Arc<LastAnswer> {}

/// What the rules decide for one message.
#[derive(Clone, Debug)]
pub(crate) enum Decision<F> {
    /// No rule wants the message.
    Forward,
    Hold(Arc<Latch>),
    Fault(F, Cause),
}

/// The rule that decided that a fault happens.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    /// Name of the rule.
    pub(crate) rule: String,
    /// Closed when the rule is disarmed; nothing is ever sent on it.
    armed: watch::Receiver<()>,
}

impl Cause {
    pub(crate) fn new(rule: &str, armed: watch::Receiver<()>) -> Self {
        Self { rule: rule.to_owned(), armed }
    }

    /// Waits until the rule is disarmed. Cancel-safe: a closed channel stays closed.
    pub(crate) async fn disarmed(&mut self) {
        // An error means that the guard has dropped the sender.
        while self.armed.changed().await.is_ok() {}
    }
}
