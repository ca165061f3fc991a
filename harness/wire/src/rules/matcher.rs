//! Which messages a rule matches.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::call::Call;
use crate::phase::Phase;

/// Which messages a rule matches. A field that is left out matches every message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matcher {
    /// HTTP method.
    pub method: Option<String>,
    /// If true, only requests that may change something: those of any method that is not safe (RFC
    /// 9110, section 9.2.1).
    pub writes: bool,
    /// Route template such as `/images/{id}/json`, without the API version; one of
    /// [`Dialect::routes`](crate::Dialect::routes).
    pub route: Option<String>,
    /// Beginning of the `User-Agent` field, such as `kubectl/`.
    pub agent: Option<String>,
    /// Parameters of the route, with their values.
    pub params: BTreeMap<String, String>,
    /// Query parameters, with their values.
    pub query: BTreeMap<String, String>,
    /// JSON pointers into the body of the request, with the values there. A body of more than 1 MiB
    /// does not match.
    pub body: BTreeMap<String, Value>,
    /// JSON pointers into a frame of an event stream, with the values there.
    pub frame: BTreeMap<String, Value>,
    /// Which of the messages that match all other fields, counted from 1 since the rule was armed;
    /// without a value, the first. A fault that happens several times begins with this message.
    pub nth: Option<u32>,
    /// Only messages of this phase.
    pub phase: Option<Phase>,
}

/// A message for which rules decide, with the content that is known at that stage.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Message<'a> {
    /// A request, with its body as JSON if the wire has read it.
    Request(Option<&'a Value>),
    /// A response, with the body of its request.
    Response(Option<&'a Value>),
    /// A frame of an event stream.
    Frame(&'a Value),
}

impl Matcher {
    /// Matches everything except the body, the frame and the count. Cheap enough for every request.
    pub(crate) fn matches_call(&self, call: &Call) -> bool {
        let all_equal = |wanted: &BTreeMap<String, String>, found: &BTreeMap<String, String>| {
            wanted.iter().all(|(name, value)| found.get(name) == Some(value))
        };
        self.route.as_deref().is_none_or(|route| call.route.template == Some(route))
            && self.method.as_deref().is_none_or(|method| call.method == method)
            && (!self.writes || call.is_write())
            && self.phase.is_none_or(|phase| call.phase == phase)
            && self.agent.as_deref().is_none_or(|agent| call.agent().starts_with(agent))
            && all_equal(&self.params, &call.route.params)
            && all_equal(&self.query, &call.route.query)
    }

    /// Matches the body or the frame.
    pub(crate) fn matches_content(&self, message: Message<'_>) -> bool {
        match message {
            Message::Request(body) | Message::Response(body) => {
                self.body.is_empty() || body.is_some_and(|body| matches_json(&self.body, body))
            }
            Message::Frame(frame) => matches_json(&self.frame, frame),
        }
    }
}

fn matches_json(wanted: &BTreeMap<String, Value>, json: &Value) -> bool {
    wanted.iter().all(|(pointer, value)| json.pointer(pointer) == Some(value))
}
