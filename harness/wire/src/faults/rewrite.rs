//! Changes a message on its way to the client: the head of a response, and JSON in its body or in a
//! frame of an event stream.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::frame::Frame;
use crate::head_edits::HeadEdits;
use crate::json_edits::JsonEdits;
use crate::rules::fault::{Effect, FrameFault, ResponseFault};
use crate::rules::matcher::Matcher;
use crate::rules::registry::RuleGuard;
use crate::wire::Wire;

/// Which values to change, and in which JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewrite {
    /// The JSON to change.
    pub part: Part,
    /// JSON pointers, each with the new value; without a value, the field or item is removed. A
    /// field that is set may be new; the object that contains it must exist.
    pub values: BTreeMap<String, Option<Value>>,
    /// Fields of a response's head, each with the new value; without a value, the field is removed.
    /// Those by which the body is framed stay as they are. A frame has no head.
    pub head: BTreeMap<String, Option<String>>,
}

/// The part of the traffic that is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The body of a response.
    Body,
    /// A frame of an event stream.
    Frame,
}

impl Wire {
    /// Rewrites matching messages, `times` of them or all, beginning with the matcher's `nth`.
    ///
    /// The JSON of a message is forwarded unchanged if no pointer can be applied, if it is not JSON,
    /// or if it has no end of its own. In a rewritten message the order of fields may differ.
    pub fn rewrite(
        &self,
        name: &str,
        matcher: Matcher,
        rewrite: Rewrite,
        times: Option<u32>,
    ) -> RuleGuard {
        let edits = Arc::new(JsonEdits::new(rewrite.values));
        let effect = match rewrite.part {
            Part::Body => {
                let head = Arc::new(HeadEdits::new(rewrite.head));
                Effect::Response(ResponseFault::Rewrite(head, edits), times)
            }
            Part::Frame => Effect::Frame(FrameFault::Rewrite(edits), times),
        };
        self.shared.rules.arm(name, matcher, effect)
    }
}

/// Rewrites the content of a body. Returns the new content and a description; none if nothing
/// changes.
pub(crate) fn rewrite_content(edits: &JsonEdits, content: &[u8]) -> Option<(Vec<u8>, String)> {
    let mut json = serde_json::from_slice::<Value>(content).ok()?;
    let description = edits.apply(&mut json)?;
    Some((json.to_string().into_bytes(), description))
}

/// Rewrites a frame. Returns a description; none if nothing changes.
pub(crate) fn rewrite_frame(edits: &JsonEdits, frame: &mut Frame) -> Option<String> {
    let description = edits.apply(&mut frame.json)?;
    // A frame that began with a record separator keeps it (RFC 7464).
    let separator = frame.content.starts_with(b"\x1e").then_some(b'\x1e');
    let mut content: Vec<u8> = separator.into_iter().collect();
    content.extend_from_slice(frame.json.to_string().as_bytes());
    content.push(b'\n');
    frame.content = content;
    Some(description)
}
