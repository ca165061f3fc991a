//! All armed rules of a wire, and the guard that keeps a rule armed.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use serde_json::Value;
use tokio::sync::watch;

use crate::call::Call;
use crate::point::Point;
use crate::rules::by_route::{RuleAction, RulesByRoute};
use crate::rules::fault::{
    Cause, Decision, Effect, Fault, FrameFault, RequestFault, ResponseFault,
};
use crate::rules::last_answer::LastAnswer;
use crate::rules::matcher::{Matcher, Message};

/// All armed rules of a wire.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Number of armed rules. While it is 0, a message takes no lock.
    count: AtomicUsize,
    armed: Mutex<ArmedRules>,
}

/// The rules by the kind of message that they want, so that rules for other kinds cost a message
/// nothing.
#[derive(Debug, Default)]
struct ArmedRules {
    next_id: u64,
    requests: RulesByRoute<RequestFault>,
    responses: RulesByRoute<ResponseFault>,
    frames: RulesByRoute<FrameFault>,
    recorders: RulesByRoute<Arc<LastAnswer>>,
    /// Number of messages for which rules had to decide.
    messages: u64,
    /// Description of the last of these messages.
    last_message: String,
}

impl Rules {
    /// Arms a rule until the guard is dropped.
    pub(crate) fn arm(self: &Arc<Self>, name: &str, matcher: Matcher, effect: Effect) -> RuleGuard {
        let alive = watch::Sender::new(());
        let cause = Cause::new(name, alive.subscribe());
        let mut armed = self.lock();
        let id = armed.next_id;
        armed.next_id += 1;
        armed.insert(id, cause, matcher, effect);
        // Under the lock: two threads that arm rules must not store their counts in the wrong
        // order. `Release` makes the rule visible to a task that reads the new count.
        self.count.store(armed.count(), Ordering::Release);
        let messages_before = armed.messages;
        RuleGuard { rules: Arc::downgrade(self), id, messages_before, _alive: alive }
    }

    /// Whether a rule needs the body of this request to decide.
    pub(crate) fn need_body(&self, call: &Call) -> bool {
        if self.is_empty() {
            return false;
        }
        let armed = self.lock();
        armed.requests.need_body(call)
            || armed.responses.need_body(call)
            || armed.recorders.need_body(call)
    }

    /// Decides for a request; `body` is its body, if the wire has read it.
    pub(crate) fn on_request(&self, call: &Call, body: Option<&Value>) -> Decision<RequestFault> {
        self.decide(call, Message::Request(body), |armed| &mut armed.requests)
    }

    /// Decides for a response; `body` is the body of its request.
    pub(crate) fn on_response(&self, call: &Call, body: Option<&Value>) -> Decision<ResponseFault> {
        self.decide(call, Message::Response(body), |armed| &mut armed.responses)
    }

    /// Decides for a frame of an event stream.
    pub(crate) fn on_frame(&self, call: &Call, frame: &Value) -> Decision<FrameFault> {
        self.decide(call, Message::Frame(frame), |armed| &mut armed.frames)
    }

    /// The recordings that want the response; `body` is the body of its request.
    pub(crate) fn recorders(&self, call: &Call, body: Option<&Value>) -> Vec<Arc<LastAnswer>> {
        if self.is_empty() {
            return Vec::new();
        }
        self.lock().recorders.all(call, Message::Response(body))
    }

    fn decide<F: Fault>(
        &self,
        call: &Call,
        message: Message<'_>,
        select: impl FnOnce(&mut ArmedRules) -> &mut RulesByRoute<F>,
    ) -> Decision<F> {
        if self.is_empty() {
            return Decision::Forward;
        }
        let mut armed = self.lock();
        armed.note(call, message);
        select(&mut armed).decide(call, message)
    }

    /// Reads the count without the lock. That misses a rule only while `arm` has not returned yet
    /// on another thread, and then the rule need not be in force.
    fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    fn lock(&self) -> MutexGuard<'_, ArmedRules> {
        self.armed.lock().expect("no code panics while it holds the rules")
    }
}

impl ArmedRules {
    fn insert(&mut self, id: u64, cause: Cause, matcher: Matcher, effect: Effect) {
        match effect {
            Effect::Hold(Point::Request, latch) => {
                self.requests.insert(id, cause, matcher, RuleAction::Hold(latch));
            }
            Effect::Hold(Point::Response, latch) => {
                self.responses.insert(id, cause, matcher, RuleAction::Hold(latch));
            }
            Effect::Hold(Point::Frame, latch) => {
                self.frames.insert(id, cause, matcher, RuleAction::Hold(latch));
            }
            Effect::HoldEach(Point::Request, line) => {
                self.requests.insert(id, cause, matcher, RuleAction::HoldEach(line));
            }
            Effect::HoldEach(Point::Response, line) => {
                self.responses.insert(id, cause, matcher, RuleAction::HoldEach(line));
            }
            Effect::HoldEach(Point::Frame, line) => {
                self.frames.insert(id, cause, matcher, RuleAction::HoldEach(line));
            }
            Effect::Request(fault, left) => {
                self.requests.insert(id, cause, matcher, RuleAction::Fault { fault, left });
            }
            Effect::Response(fault, left) => {
                self.responses.insert(id, cause, matcher, RuleAction::Fault { fault, left });
            }
            Effect::Frame(fault, left) => {
                self.frames.insert(id, cause, matcher, RuleAction::Fault { fault, left });
            }
            Effect::Record(kept, left) => {
                self.recorders.insert(id, cause, matcher, RuleAction::Fault { fault: kept, left });
            }
        }
    }

    /// Removes a rule. Only one of the four has it; the ID does not say which.
    fn remove(&mut self, id: u64) {
        self.requests.remove(id);
        self.responses.remove(id);
        self.frames.remove(id);
        self.recorders.remove(id);
    }

    fn count(&self) -> usize {
        let Self { requests, responses, frames, recorders, .. } = self;
        requests.len() + responses.len() + frames.len() + recorders.len()
    }

    /// Remembers the message, for the error of a test that waits in vain for another one.
    fn note(&mut self, call: &Call, message: Message<'_>) {
        self.last_message.clear();
        let text = &mut self.last_message;
        let written = match message {
            Message::Request(_) => write!(text, "{} {}", call.method, call.target),
            Message::Frame(json) => write!(text, "frame {json}"),
            Message::Response(_) => write!(text, "response to {} {}", call.method, call.target),
        };
        written.expect("writing to a string cannot fail");
        self.messages += 1;
    }
}

/// Keeps a rule armed.
#[derive(Debug)]
#[must_use = "dropping the guard disarms the rule"]
pub struct RuleGuard {
    /// Weak, so that a guard that outlives its wire does not keep the rules in memory.
    rules: Weak<Rules>,
    id: u64,
    /// Number of messages for which rules had decided before this rule was armed.
    messages_before: u64,
    /// Dropped with the guard. That closes the channel on which `Cause::disarmed` waits.
    _alive: watch::Sender<()>,
}

impl RuleGuard {
    /// Disarms the rule.
    pub fn release(self) {}

    /// Describes the messages since the rule was armed, for the error of a test that waits in vain
    /// for another message.
    pub(crate) fn last_seen(&self) -> String {
        let rules = self.rules.upgrade();
        let armed = rules.as_ref().map(|rules| rules.lock());
        match armed {
            Some(armed) if armed.messages > self.messages_before => {
                let count = armed.messages - self.messages_before;
                format!("{count} other messages, the last one {}", armed.last_message)
            }
            Some(_) | None => "no message at all".to_owned(),
        }
    }
}

impl Drop for RuleGuard {
    fn drop(&mut self) {
        if let Some(rules) = self.rules.upgrade() {
            let mut armed = rules.lock();
            armed.remove(self.id);
            rules.count.store(armed.count(), Ordering::Release);
        }
    }
}
