//! Rules: which messages are meant, and what is done to them. The first rule that fits decides.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use serde_json::Value;

use crate::call::Call;
use crate::gate::GateCore;
use crate::phase::Phase;

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
    /// Route template such as `/images/{id}/json`, without the API version; one of
    /// [`route_templates`](crate::route_templates).
    pub route: Option<String>,
    /// Parameters of the route.
    pub params: BTreeMap<String, String>,
    /// Query parameters.
    pub query: BTreeMap<String, String>,
    /// JSON pointers into the request's body, and the values there. Bodies of more than 1 MiB fit
    /// no such matcher.
    pub body: BTreeMap<String, Value>,
    /// JSON pointers into an event frame, and the values there.
    pub frame: BTreeMap<String, Value>,
    /// The n-th message that fits the rest, from 1 and from arming; the first where left out.
    pub nth: Option<u32>,
    /// Only in this phase.
    pub phase: Option<Phase>,
}

impl Matcher {
    /// Everything but the body, the frame and the count; cheap, and done for every request.
    fn fits_head(&self, call: &Call) -> bool {
        let fits = |wanted: &BTreeMap<String, String>, seen: &BTreeMap<String, String>| {
            wanted.iter().all(|(name, value)| seen.get(name) == Some(value))
        };
        self.route.as_deref().is_none_or(|route| call.route.template == Some(route))
            && self.method.as_deref().is_none_or(|method| call.method == method)
            && self.phase.is_none_or(|phase| call.phase == phase)
            && fits(&self.params, &call.route.params)
            && fits(&self.query, &call.route.query)
    }

    fn fits_body(&self, body: &Value) -> bool {
        fits_json(&self.body, body)
    }

    fn fits_frame(&self, frame: &Value) -> bool {
        fits_json(&self.frame, frame)
    }
}

fn fits_json(wanted: &BTreeMap<String, Value>, seen: &Value) -> bool {
    wanted.iter().all(|(pointer, value)| seen.pointer(pointer) == Some(value))
}

/// What a rule does to the messages that it fits.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Holds the one message that the count names.
    Hold(Point, Arc<GateCore>),
    /// Answers in the engine's place, so many times or always.
    Answer { status: u16, left: Option<u32> },
}

impl Effect {
    /// Where on a message's way it is decided upon.
    fn point(&self) -> Point {
        match self {
            Self::Hold(point, _) => *point,
            Self::Answer { .. } => Point::Request,
        }
    }
}

impl Asked<'_> {
    fn point(self) -> Point {
        match self {
            Self::Request(_) => Point::Request,
            Self::Response(_) => Point::Response,
            Self::Frame(_) => Point::Frame,
        }
    }
}

#[derive(Debug)]
struct Rule {
    name: String,
    matcher: Matcher,
    effect: Effect,
    /// Messages that fitted since arming.
    seen: u32,
    /// Messages of all kinds that were asked about before arming.
    before: u64,
}

/// What is to be done with a message.
#[derive(Clone, Debug)]
pub(crate) enum Decision {
    Pass,
    Hold(Arc<GateCore>),
    Answer { rule: String, status: u16 },
}

/// All rules, in the order of their arming.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Rules that are armed: where there are none, nothing is locked.
    count: AtomicUsize,
    rules: Mutex<Armed>,
}

#[derive(Debug, Default)]
struct Armed {
    next: u64,
    rules: BTreeMap<u64, Rule>,
    /// Rules by the point at which they are asked, so that those for others cost a message nothing.
    at: BTreeMap<Point, Routes>,
    /// Rules that want to look into bodies.
    with_body: usize,
    /// Requests and frames that were asked about, and the last of them in words.
    asked: u64,
    last: String,
}

/// Rules of one point by the route that they want.
#[derive(Debug, Default)]
struct Routes {
    named: BTreeMap<String, Vec<u64>>,
    any: Vec<u64>,
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
        let mut armed = self.armed();
        let id = armed.next;
        armed.next += 1;
        let before = armed.asked;
        armed.with_body += usize::from(!matcher.body.is_empty());
        armed.place(effect.point(), matcher.route.as_deref()).push(id);
        armed.rules.insert(id, Rule { name: name.to_owned(), matcher, effect, seen: 0, before });
        self.count.store(armed.rules.len(), Ordering::Release);
        RuleGuard { rules: Arc::downgrade(self), id }
    }

    /// Some rule wants to look into the body of this request.
    pub(crate) fn wants_body(&self, call: &Call) -> bool {
        if self.is_empty() {
            return false;
        }
        let armed = self.armed();
        let fits = |rule: &Rule| !rule.matcher.body.is_empty() && rule.matcher.fits_head(call);
        armed.with_body > 0 && armed.rules.values().any(fits)
    }

    /// What is to be done; counts the message for every rule that it fits up to the deciding one.
    pub(crate) fn decide(&self, call: &Call, asked: Asked<'_>) -> Decision {
        if self.is_empty() {
            return Decision::Pass;
        }
        let mut armed = self.armed();
        armed.note(call, asked);
        let candidates = armed.candidates(call, asked.point());
        let decision = candidates.into_iter().find_map(|id| {
            let rule = armed.rules.get_mut(&id).filter(|rule| rule.fits(call, asked))?;
            rule.seen += 1;
            rule.apply()
        });
        decision.unwrap_or(Decision::Pass)
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
    /// Rules that could fit, in the order of their arming.
    fn candidates(&self, call: &Call, point: Point) -> Vec<u64> {
        let Some(routes) = self.at.get(&point) else { return Vec::new() };
        let named = call.route.template.and_then(|template| routes.named.get(template));
        let mut ids = routes.any.clone();
        ids.extend(named.into_iter().flatten());
        ids.sort_unstable();
        ids
    }

    fn place(&mut self, point: Point, route: Option<&str>) -> &mut Vec<u64> {
        let routes = self.at.entry(point).or_default();
        match route {
            Some(route) => routes.named.entry(route.to_owned()).or_default(),
            None => &mut routes.any,
        }
    }

    fn disarm(&mut self, id: u64) {
        if let Some(rule) = self.rules.remove(&id) {
            self.with_body -= usize::from(!rule.matcher.body.is_empty());
            let route = rule.matcher.route.as_deref();
            self.place(rule.effect.point(), route).retain(|armed| *armed != id);
        }
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

impl Rule {
    fn fits(&self, call: &Call, asked: Asked<'_>) -> bool {
        self.matcher.fits_head(call) && self.fits_content(asked)
    }

    fn fits_content(&self, asked: Asked<'_>) -> bool {
        match asked {
            Asked::Request(body) | Asked::Response(body) => {
                self.matcher.body.is_empty()
                    || body.is_some_and(|body| self.matcher.fits_body(body))
            }
            Asked::Frame(frame) => self.matcher.fits_frame(frame),
        }
    }

    fn apply(&mut self) -> Option<Decision> {
        match &mut self.effect {
            Effect::Hold(_, gate) => {
                let due = self.seen == self.matcher.nth.unwrap_or(1);
                due.then(|| Decision::Hold(gate.clone()))
            }
            Effect::Answer { status, left } => {
                if self.matcher.nth.is_some_and(|nth| self.seen < nth) {
                    return None;
                }
                if let Some(left) = left {
                    *left = left.checked_sub(1)?;
                }
                Some(Decision::Answer { rule: self.name.clone(), status: *status })
            }
        }
    }
}

/// Keeps a rule armed.
#[derive(Debug)]
#[must_use = "dropping the guard disarms the rule"]
pub struct RuleGuard {
    rules: Weak<Rules>,
    id: u64,
}

impl RuleGuard {
    /// Disarms the rule.
    pub fn release(self) {}

    /// How many messages were asked about since arming, and the last of them in words.
    pub(crate) fn seen_since(&self) -> (u64, String) {
        let Some(rules) = self.rules.upgrade() else { return (0, String::new()) };
        let armed = rules.armed();
        let before = armed.rules.get(&self.id).map_or(armed.asked, |rule| rule.before);
        (armed.asked - before, armed.last.clone())
    }
}

impl Drop for RuleGuard {
    fn drop(&mut self) {
        if let Some(rules) = self.rules.upgrade() {
            let mut armed = rules.armed();
            armed.disarm(self.id);
            rules.count.store(armed.rules.len(), Ordering::Release);
        }
    }
}
