//! Edits of a JSON value at places that JSON pointers name (RFC 6901).

use std::collections::BTreeMap;

use serde_json::Value;

/// JSON pointers, each with the value to set there; without a value, what is there is removed.
#[derive(Clone, Debug, Default)]
pub(crate) struct JsonEdits(BTreeMap<String, Option<Value>>);

impl JsonEdits {
    pub(crate) fn new(edits: BTreeMap<String, Option<Value>>) -> Self {
        Self(edits)
    }

    /// Whether there is nothing to change.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Applies every edit whose pointer can be applied, and returns a description of these edits;
    /// none if `json` has not changed.
    pub(crate) fn apply(&self, json: &mut Value) -> Option<String> {
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
}

/// Sets a value that exists, or adds a field to an object that exists.
fn set(json: &mut Value, pointer: &str, value: &Value) -> bool {
    if let Some(place) = json.pointer_mut(pointer) {
        *place = value.clone();
        return true;
    }
    let Some((parent, name)) = parent_and_name(json, pointer) else { return false };
    // Only an object: an array has no place for an index behind its end.
    parent.as_object_mut().map(|fields| fields.insert(name, value.clone())).is_some()
}

fn remove(json: &mut Value, pointer: &str) -> bool {
    let Some((parent, name)) = parent_and_name(json, pointer) else { return false };
    match parent {
        Value::Object(fields) => fields.remove(&name).is_some(),
        Value::Array(items) => {
            let at = name.parse().ok().filter(|at| *at < items.len());
            at.map(|at: usize| items.remove(at)).is_some()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The value above the last part of the pointer, and this last part, unescaped (RFC 6901, section
/// 4).
fn parent_and_name<'a>(json: &'a mut Value, pointer: &str) -> Option<(&'a mut Value, String)> {
    let (parent, name) = pointer.rsplit_once('/')?;
    Some((json.pointer_mut(parent)?, name.replace("~1", "/").replace("~0", "~")))
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
        let applied = JsonEdits([(pointer.to_owned(), value)].into()).apply(&mut json);
        assert_eq!(applied, Some(format!("rewrote `{pointer}`")));
        assert_eq!(json, expected);
    }

    // An edit that cannot be applied must not be described either: the fault did not happen.
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
        assert_eq!(JsonEdits([(pointer.to_owned(), value)].into()).apply(&mut json), None);
        assert_eq!(json, json!({"a": {"b": 1}, "c": [1, 2]}));
    }
}
