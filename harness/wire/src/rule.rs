//! Rules: which messages are meant, and what is done to them. The first rule that fits decides.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use serde_json::Value;
use tokio::sync::watch;

use crate::call::Call;
use crate::event::What;
use crate::faults::inject::Injections;
use crate::faults::record::Kept;
use crate::faults::rewrite::Patch;
use crate::faults::slow::Pieces;
use crate::gate::GateCore;
use crate::live::Line;
use crate::phase::Phase;
use crate::table::{Action, Table};

/// Where on its way a message is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The engine has not seen one byte of the request.
    Request,
    /// The engine has answered, whole where its answer has an end; the daemon has seen nothing.
    Response,
    /// One frame of an event stream is kept back, and all behind it in the same stream.
    Frame,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Frame => "frame",
        })
    }
}

/// Which messages are meant; what is left out fits all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matcher {
    /// HTTP method.
    pub method: Option<String>,
    /// Only requests that may change something: of any method but those that are safe (RFC 9110,
    /// section 9.2.1).
    pub writes: bool,
    /// Route template such as `/images/{id}/json`, without the API version; one of
    /// [`Dialect::routes`](crate::Dialect::routes).
    pub route: Option<String>,
    /// Beginning of what the sender calls itself (`User-Agent`), such as `kubectl/`.
    pub agent: Option<String>,
    /// Parameters of the route.
    pub params: BTreeMap<String, String>,
    /// Query parameters.
    pub query: BTreeMap<String, String>,
    /// JSON pointers into the request's body, and the values there. Bodies of more than 1 MiB fit
    /// no such matcher.
    pub body: BTreeMap<String, Value>,
    /// JSON pointers into an event frame, and the values there.
    pub frame: BTreeMap<String, Value>,
    /// The n-th message that fits the rest, from 1 and from arming; the first where left out. A fault
    /// that happens several times begins with this one.
    pub nth: Option<u32>,
    /// Only in this phase.
    pub phase: Option<Phase>,
}

impl Matcher {
    /// Everything but the body, the frame and the count; cheap, and done for every request.
    pub(crate) fn fits_head(&self, call: &Call) -> bool {
        let fits = |wanted: &BTreeMap<String, String>, seen: &BTreeMap<String, String>| {
            wanted.iter().all(|(name, value)| seen.get(name) == Some(value))
        };
        self.route.as_deref().is_none_or(|route| call.route.template == Some(route))
            && self.method.as_deref().is_none_or(|method| call.method == method)
            && (!self.writes || call.is_write())
            && self.phase.is_none_or(|phase| call.phase == phase)
            && self.agent.as_deref().is_none_or(|agent| call.agent().starts_with(agent))
            && fits(&self.params, &call.route.params)
            && fits(&self.query, &call.route.query)
    }

    /// The body or the frame.
    pub(crate) fn fits_content(&self, asked: Asked<'_>) -> bool {
        match asked {
            Asked::Request(body) | Asked::Response(body) => {
                self.body.is_empty() || body.is_some_and(|body| fits_json(&self.body, body))
            }
            Asked::Frame(frame) => fits_json(&self.frame, frame),
        }
    }
}

fn fits_json(wanted: &BTreeMap<String, Value>, seen: &Value) -> bool {
    wanted.iter().all(|(pointer, value)| seen.pointer(pointer) == Some(value))
}

/// What a rule does to the messages that it fits; where there is a number, to so many of them.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Holds the one message that the count names.
    Hold(Point, Arc<GateCore>),
    /// Something else happens to requests.
    Request(RequestFault, Option<u32>),
    /// Something else happens to responses.
    Response(ResponseFault, Option<u32>),
    /// Something else happens to frames.
    Frame(FrameFault, Option<u32>),
    /// Keeps answers, and changes nothing.
    Record(Arc<Kept>, Option<u32>),
}

/// What happens to a request; the engine does not see it.
#[derive(Clone, Debug)]
pub(crate) enum RequestFault {
    /// Answered with this status.
    Answer { status: u16 },
    /// Answered with what was kept.
    Stale(Arc<Kept>),
}

/// What happens to a response.
#[derive(Clone, Debug)]
pub(crate) enum ResponseFault {
    /// Nothing of it passes, and the connection ends.
    Lose,
    /// So many bytes of its body pass, and the connection stays.
    HalfOpen { bytes: u64 },
    /// Its body passes in pieces.
    Slow(Pieces),
    /// Its body is cut off and framed as if it were whole.
    Truncate { bytes: usize },
    /// Its body is changed.
    Rewrite(Arc<Patch>),
}

/// What happens to a frame.
#[derive(Clone, Debug)]
pub(crate) enum FrameFault {
    /// It does not pass.
    Drop,
    /// It passes twice.
    Duplicate,
    /// It passes behind so many others.
    Reorder { behind: NonZeroU32 },
    /// It is changed.
    Rewrite(Arc<Patch>),
    /// It passes, nothing behind it does, and the connection stays.
    HalfOpen,
}

/// What may happen to messages at one point of their way.
pub(crate) trait Fault: Clone {
    /// It can happen to a message of this call.
    fn can_happen(&self, _call: &Call) -> bool {
        true
    }
}

impl Fault for RequestFault {
    fn can_happen(&self, call: &Call) -> bool {
        match self {
            Self::Answer { .. } => true,
            Self::Stale(kept) => kept.answers(&call.method),
        }
    }
}

impl Fault for ResponseFault {}
impl Fault for FrameFault {}
impl Fault for Arc<Kept> {}

/// What is to be done with a message.
#[derive(Clone, Debug)]
pub(crate) enum Decision<F> {
    Pass,
    Hold(Arc<GateCore>),
    Fault(F, Cause),
}

/// The rule that decided.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) rule: String,
    pub(crate) armed: watch::Receiver<()>,
}

impl Cause {
    /// Tells what has happened to the message.
    pub(crate) fn happened(&self, line: &Line, fault: impl Into<String>) {
        line.tell(What::Faulted { rule: self.rule.clone(), fault: fault.into() });
    }

    /// Returns when the rule is disarmed. Cancel-safe: a rule that was disarmed stays so.
    pub(crate) async fn disarmed(&mut self) {
        // Nothing is ever sent: the channel ends with the rule's guard.
        while self.armed.changed().await.is_ok() {}
    }
}

/// All rules.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Rules that are armed: where there are none, nothing is locked.
    count: AtomicUsize,
    rules: Mutex<Armed>,
    /// Frames on their way into streams.
    pub(crate) injections: Injections,
}

/// The rules by what they do, so that those for other points cost a message nothing.
#[derive(Debug, Default)]
struct Armed {
    next: u64,
    requests: Table<RequestFault>,
    responses: Table<ResponseFault>,
    frames: Table<FrameFault>,
    recorders: Table<Arc<Kept>>,
    /// Requests and frames that were asked about, and the last of them in words.
    asked: u64,
    last: String,
}

/// Which stage of a message's way is asked about, and what is known there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'a> {
    /// The request's head, and its body where one was read for this.
    Request(Option<&'a Value>),
    /// The response to a request that fits.
    Response(Option<&'a Value>),
    /// A frame of an event stream.
    Frame(&'a Value),
}

impl Rules {
    pub(crate) fn arm(self: &Arc<Self>, name: &str, matcher: Matcher, effect: Effect) -> RuleGuard {
        let alive = watch::Sender::new(());
        let cause = Cause { rule: name.to_owned(), armed: alive.subscribe() };
        let mut armed = self.armed();
        let id = armed.next;
        armed.next += 1;
        armed.arm(id, cause, matcher, effect);
        self.count.store(armed.count(), Ordering::Release);
        RuleGuard { rules: Arc::downgrade(self), id, before: armed.asked, _alive: alive }
    }

    /// Some rule wants to look into the body of this request.
    pub(crate) fn wants_body(&self, call: &Call) -> bool {
        if self.is_empty() {
            return false;
        }
        let armed = self.armed();
        armed.requests.want_body(call)
            || armed.responses.want_body(call)
            || armed.recorders.want_body(call)
    }

    /// What is to be done with a request, of which this is the body where one was read.
    pub(crate) fn on_request(&self, call: &Call, body: Option<&Value>) -> Decision<RequestFault> {
        self.decide(call, Asked::Request(body), |armed| &mut armed.requests)
    }

    /// What is to be done with the response to a request with this body.
    pub(crate) fn on_response(&self, call: &Call, body: Option<&Value>) -> Decision<ResponseFault> {
        self.decide(call, Asked::Response(body), |armed| &mut armed.responses)
    }

    /// What is to be done with a frame.
    pub(crate) fn on_frame(&self, call: &Call, frame: &Value) -> Decision<FrameFault> {
        self.decide(call, Asked::Frame(frame), |armed| &mut armed.frames)
    }

    /// Who keeps the response to a request with this body.
    pub(crate) fn recorders(&self, call: &Call, body: Option<&Value>) -> Vec<Arc<Kept>> {
        if self.is_empty() {
            return Vec::new();
        }
        self.armed().recorders.all(call, Asked::Response(body))
    }

    fn decide<F: Fault>(
        &self,
        call: &Call,
        asked: Asked<'_>,
        table: impl FnOnce(&mut Armed) -> &mut Table<F>,
    ) -> Decision<F> {
        if self.is_empty() {
            return Decision::Pass;
        }
        let mut armed = self.armed();
        armed.note(call, asked);
        table(&mut armed).decide(call, asked)
    }

    /// An arming on another thread that is not seen here has not returned yet.
    fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.rules.lock().expect("nothing panics while it holds the rules")
    }
}

impl Armed {
    fn arm(&mut self, id: u64, cause: Cause, matcher: Matcher, effect: Effect) {
        match effect {
            Effect::Hold(Point::Request, gate) => {
                self.requests.insert(id, cause, matcher, Action::Hold(gate));
            }
            Effect::Hold(Point::Response, gate) => {
                self.responses.insert(id, cause, matcher, Action::Hold(gate));
            }
            Effect::Hold(Point::Frame, gate) => {
                self.frames.insert(id, cause, matcher, Action::Hold(gate));
            }
            Effect::Request(fault, left) => {
                self.requests.insert(id, cause, matcher, Action::Fault { fault, left });
            }
            Effect::Response(fault, left) => {
                self.responses.insert(id, cause, matcher, Action::Fault { fault, left });
            }
            Effect::Frame(fault, left) => {
                self.frames.insert(id, cause, matcher, Action::Fault { fault, left });
            }
            Effect::Record(kept, left) => {
                self.recorders.insert(id, cause, matcher, Action::Fault { fault: kept, left });
            }
        }
    }

    fn disarm(&mut self, id: u64) {
        self.requests.remove(id);
        self.responses.remove(id);
        self.frames.remove(id);
        self.recorders.remove(id);
    }

    fn count(&self) -> usize {
        let Self { requests, responses, frames, recorders, .. } = self;
        requests.len() + responses.len() + frames.len() + recorders.len()
    }

    /// Remembers the message, for the error of who waits for another one.
    fn note(&mut self, call: &Call, asked: Asked<'_>) {
        self.last.clear();
        let written = match asked {
            Asked::Request(_) => write!(self.last, "{} {}", call.method, call.target),
            Asked::Frame(json) => write!(self.last, "frame {json}"),
            Asked::Response(_) => write!(self.last, "response to {} {}", call.method, call.target),
        };
        written.expect("a string takes all that is written");
        self.asked += 1;
    }
}

/// Keeps a rule armed.
#[derive(Debug)]
#[must_use = "dropping the guard disarms the rule"]
pub struct RuleGuard {
    rules: Weak<Rules>,
    id: u64,
    /// Messages of all kinds that were asked about before arming.
    before: u64,
    /// Whoever waits for the rule's end sees this one.
    _alive: watch::Sender<()>,
}

impl RuleGuard {
    /// Disarms the rule.
    pub fn release(self) {}

    /// What was asked about since arming, for the error of who waits for another message.
    pub(crate) fn last_seen(&self) -> String {
        let rules = self.rules.upgrade();
        let armed = rules.as_ref().map(|rules| rules.armed());
        match armed {
            Some(armed) if armed.asked > self.before => {
                let count = armed.asked - self.before;
                format!("{count} other messages, the last one {}", armed.last)
            }
            Some(_) | None => "no message at all".to_owned(),
        }
    }
}

impl Drop for RuleGuard {
    fn drop(&mut self) {
        if let Some(rules) = self.rules.upgrade() {
            let mut armed = rules.armed();
            armed.disarm(self.id);
            rules.count.store(armed.count(), Ordering::Release);
        }
    }
}
