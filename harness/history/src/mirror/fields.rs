//! The one table of a mirror's fields: how each is compared with the engine, or why it is not.
//!
//! The oracles, the page and the waits compare what this table says. A test of the repository holds
//! it against the definitions of the kinds and against contract 3.6.

use serde_json::Value;

use super::time::in_api_format;

/// One field of a mirror's `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MirrorField {
    /// Its name in the API.
    pub name: &'static str,
    /// What is done with it.
    pub treatment: Treatment,
}

/// What is done with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It says which object the mirror stands for ([`MirrorKey`](super::MirrorKey)), so a wrong value
    /// makes one mirror missing and another one superfluous.
    Identifies,
    /// It is compared with the engine's own answer, in this form.
    Compared(Form),
    /// It is not compared, for this reason.
    NotCompared(&'static str),
}

/// The form in which the values of both sides are compared. The API may leave out what is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A text; a missing one is empty.
    Text,
    /// A number; a missing one is 0.
    Number,
    /// A time in whole seconds, as the API has it; the year 1 stands for none.
    Time,
    /// A list whose order matters.
    List,
    /// A list whose order does not matter.
    Set,
    /// Texts by their keys.
    Map,
    /// Ports with their bindings, in any order.
    Ports,
}

use Treatment::{Compared, Identifies, NotCompared};

const CONTAINER: [MirrorField; 16] = [
    field("name", Compared(Form::Text)),
    field("namespace", Compared(Form::Text)),
    field("path", Compared(Form::Text)),
    field("args", Compared(Form::List)),
    field("image", Compared(Form::Text)),
    field("ports", Compared(Form::Ports)),
    field("labels", Compared(Form::Map)),
    field("status", Compared(Form::Text)),
    field("pid", Compared(Form::Number)),
    field("exitCode", Compared(Form::Number)),
    field("error", Compared(Form::Text)),
    field("createdAt", Compared(Form::Time)),
    field("startedAt", Compared(Form::Time)),
    field("finishedAt", Compared(Form::Time)),
    field(
        "lastAction",
        NotCompared("the engine knows no actions; `no_lost_update` and `liveness` judge it"),
    ),
    field(
        "conditions",
        NotCompared(
            "another controller derives them from `status`, and need not run in every daemon",
        ),
    ),
];

const IMAGE: [MirrorField; 10] = [
    field("namespace", Compared(Form::Text)),
    field("id", Identifies),
    field("repoTag", Identifies),
    field("repoDigests", Compared(Form::Set)),
    field("architecture", Compared(Form::Text)),
    field("os", Compared(Form::Text)),
    field("size", Compared(Form::Number)),
    field("createdAt", Compared(Form::Time)),
    field("labels", Compared(Form::Map)),
    field("conditions", NotCompared("the daemon writes none (contract 3.6.12)")),
];

const VOLUME: [MirrorField; 8] = [
    field("name", Identifies),
    field("namespace", Compared(Form::Text)),
    field("createdAt", Compared(Form::Time)),
    field("driver", Compared(Form::Text)),
    field("mountpoint", Compared(Form::Text)),
    field("scope", Compared(Form::Text)),
    field("labels", Compared(Form::Map)),
    field("options", Compared(Form::Map)),
];

const fn field(name: &'static str, treatment: Treatment) -> MirrorField {
    MirrorField { name, treatment }
}

/// The fields of the mirrors in a resource, by its plural name; none if it holds no mirrors.
#[must_use]
pub fn mirror_fields(resource: &str) -> &'static [MirrorField] {
    match resource {
        "containers" => &CONTAINER,
        "images" => &IMAGE,
        "volumes" => &VOLUME,
        _ => &[],
    }
}

/// The fields of a resource that are compared, each with its form.
pub(super) fn compared_fields(resource: &str) -> impl Iterator<Item = (&'static str, Form)> {
    mirror_fields(resource).iter().filter_map(|field| match field.treatment {
        Compared(form) => Some((field.name, form)),
        Identifies | NotCompared(_) => None,
    })
}

/// The form in which a field of a resource is compared; `None` if it is not.
pub(crate) fn field_form(resource: &str, name: &str) -> Option<Form> {
    compared_fields(resource).find(|(field, _)| *field == name).map(|(_, form)| form)
}

impl Form {
    /// A field's value as text that is equal exactly if both sides mean the same.
    #[must_use]
    pub fn text(self, value: Option<&Value>) -> String {
        let value = value.unwrap_or(&Value::Null);
        match self {
            Self::Number if value.is_null() => "0".to_owned(),
            Self::Time => value.as_str().map(in_api_format).unwrap_or_default(),
            Self::Set => sorted(value, plain).join(", "),
            Self::Ports => sorted(value, port).join("; "),
            Self::Text | Self::Number | Self::List | Self::Map => plain(value),
        }
    }
}

/// A value as text that is empty if the value is.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(map) if map.is_empty() => String::new(),
        Value::Array(list) if list.is_empty() => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Array(_) => value.to_string(),
    }
}

/// The texts of a list's items, in their own order.
fn sorted(list: &Value, text: fn(&Value) -> String) -> Vec<String> {
    let mut texts: Vec<_> = list.as_array().into_iter().flatten().map(text).collect();
    texts.sort_unstable();
    texts
}

/// A port with its bindings, such as `80/tcp at 0.0.0.0 8080, :: 8080`.
fn port(port: &Value) -> String {
    let binding =
        |binding: &Value| format!("{} {}", plain(&binding["hostIP"]), plain(&binding["hostPort"]));
    let (name, bindings) = (plain(&port["name"]), sorted(&port["bindings"], binding));
    if bindings.is_empty() { name } else { format!("{name} at {}", bindings.join(", ")) }
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
