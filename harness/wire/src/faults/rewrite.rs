//! Rewrites JSON on its way down: in the body of a response, or in a frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::connection::End;
use crate::frame::Frame;
use crate::http1::{Body, Head};
use crate::response::Response;
use crate::rule::{Cause, Effect, FrameFault, Matcher, ResponseFault, RuleGuard};
use crate::wire::Wire;

/// What is written in the place of what.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewrite {
    /// In which JSON.
    pub part: Part,
    /// JSON pointers, and what is to be there: nothing, where there is no value. What a pointer's
    /// last part names may be missing before; what is above it must be there.
    pub values: BTreeMap<String, Option<Value>>,
}

/// Which JSON is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The body of a response.
    Body,
    /// A frame of an event stream.
    Frame,
}

impl Wire {
    /// Rewrites matching messages: `times` of them, or all; with a matcher's `nth`, from that one on.
    /// A message to which no pointer applies, that is no JSON, or that has no end of its own, passes
    /// as it is; in one that is rewritten, fields may come in another order.
    pub fn rewrite(
        &self,
        name: &str,
        matcher: Matcher,
        rewrite: Rewrite,
        times: Option<u32>,
    ) -> RuleGuard {
        let patch = Arc::new(Patch(rewrite.values));
        let effect = match rewrite.part {
            Part::Body => Effect::Response(ResponseFault::Rewrite(patch), times),
            Part::Frame => Effect::Frame(FrameFault::Rewrite(patch), times),
        };
        self.shared.rules.arm(name, matcher, effect)
    }
}

/// JSON pointers, and what is to be there: nothing, where there is no value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patch(BTreeMap<String, Option<Value>>);

impl Patch {
    /// Applies what can be applied, and says in words what that was; none where nothing was.
    fn apply(&self, json: &mut Value) -> Option<String> {
        let applied: Vec<_> = self
            .0
            .iter()
            .filter(|(pointer, value)| match value {
                Some(value) => set(json, pointer, value),
                None => remove(json, pointer),
            })
            .map(|(pointer, _)| format!("`{pointer}`"))
            .collect();
        (!applied.is_empty()).then(|| format!("rewrote {}", applied.join(", ")))
    }

    /// Rewrites a frame; says in words what that was, where something was.
    pub(crate) fn rewrite_frame(&self, frame: &mut Frame) -> Option<String> {
        let applied = self.apply(&mut frame.json)?;
        let separator = frame.content.starts_with(b"\x1e").then_some(b'\x1e');
        let mut content: Vec<u8> = separator.into_iter().collect();
        content.extend_from_slice(frame.json.to_string().as_bytes());
        content.push(b'\n');
        frame.content = content;
        Some(applied)
    }
}

fn set(json: &mut Value, pointer: &str, value: &Value) -> bool {
    if let Some(place) = json.pointer_mut(pointer) {
        *place = value.clone();
        return true;
    }
    let Some((parent, name)) = parted(json, pointer) else { return false };
    // An array has no place to which this could be set.
    parent.as_object_mut().map(|fields| fields.insert(name, value.clone())).is_some()
}

fn remove(json: &mut Value, pointer: &str) -> bool {
    let Some((parent, name)) = parted(json, pointer) else { return false };
    match parent {
        Value::Object(fields) => fields.remove(&name).is_some(),
        Value::Array(items) => {
            let at = name.parse().ok().filter(|at| *at < items.len());
            at.map(|at: usize| items.remove(at)).is_some()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// What is above a pointer's last part, and the name that this part is (RFC 6901, section 4).
fn parted<'a>(json: &'a mut Value, pointer: &str) -> Option<(&'a mut Value, String)> {
    let (parent, name) = pointer.rsplit_once('/')?;
    Some((json.pointer_mut(parent)?, name.replace("~1", "/").replace("~0", "~")))
}

/// Does it to a response whose head is in the buffer.
pub(crate) async fn strike(
    response: &mut Response<'_>,
    head: &mut Head,
    body: &mut Body,
    patch: &Patch,
    cause: &Cause,
) -> Result<(), End> {
    let content = response.content(head, body).await?;
    let json = content.and_then(|content| serde_json::from_slice::<Value>(&content).ok());
    let Some(mut json) = json else { return Ok(()) };
    if let Some(applied) = patch.apply(&mut json) {
        cause.happened(response.line, applied);
        response.replace_content(head, body, json.to_string().as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::null("/a/b", Some(json!(null)), json!({"a": {"b": null}, "c": [1, 2]}))]
    #[case::missing_field("/a/x~1y", Some(json!(3)), json!({"a": {"b": 1, "x/y": 3}, "c": [1, 2]}))]
    #[case::item("/c/0", Some(json!("x")), json!({"a": {"b": 1}, "c": ["x", 2]}))]
    #[case::all("", Some(json!(7)), json!(7))]
    #[case::removed_field("/a", None, json!({"c": [1, 2]}))]
    #[case::removed_item("/c/0", None, json!({"a": {"b": 1}, "c": [2]}))]
    fn a_pointer_is_set_or_removed(
        #[case] pointer: &str,
        #[case] value: Option<Value>,
        #[case] expected: Value,
    ) {
        let mut json = json!({"a": {"b": 1}, "c": [1, 2]});
        let applied = Patch([(pointer.to_owned(), value)].into()).apply(&mut json);
        assert_eq!(applied, Some(format!("rewrote `{pointer}`")));
        assert_eq!(json, expected);
    }

    // Nothing is told of what did not happen.
    #[rstest]
    #[case::no_parent("/x/y", Some(json!(1)))]
    #[case::no_field("/x", None)]
    #[case::no_item("/c/2", None)]
    #[case::past_an_array("/c/2", Some(json!(1)))]
    #[case::below_a_number("/a/b/c", None)]
    fn a_pointer_that_does_not_apply_changes_nothing(
        #[case] pointer: &str,
        #[case] value: Option<Value>,
    ) {
        let mut json = json!({"a": {"b": 1}, "c": [1, 2]});
        assert_eq!(Patch([(pointer.to_owned(), value)].into()).apply(&mut json), None);
        assert_eq!(json, json!({"a": {"b": 1}, "c": [1, 2]}));
    }
}
