//! Which entries of a list are asked for: the filters that every client uses, and a refusal of all others.

use std::collections::BTreeMap;

use globset::Glob;
use serde_json::Value;

use crate::exhibit::question::Question;

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Container,
    Image,
    Volume,
    Network,
}

/// By name, the values of which one must fit.
#[derive(Debug, Default)]
pub(super) struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// Of the parameter `filters`: a map to values, which are a list, or the keys of a map.
    pub(super) fn of(question: &Question) -> Result<Self, String> {
        let Some(text) = question.parameter("filters") else { return Ok(Self::default()) };
        let said: Result<BTreeMap<String, Value>, _> = serde_json::from_str(text);
        let said = said.map_err(|error| format!("filters cannot be read: {error}"))?;
        let values = |value: Value| match value {
            Value::Array(list) => {
                list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
            }
            Value::Object(map) => map.keys().cloned().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        Ok(Self(said.into_iter().map(|(name, value)| (name, values(value))).collect()))
    }

    /// Whether one of this name is there.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether all take an entry; refuses one that is not known here, as it would hide nothing.
    pub(super) fn take(&self, kind: Kind, entry: &Value) -> Result<bool, String> {
        for (name, values) in &self.0 {
            let mut fits = false;
            for value in values {
                fits |= fits_one(kind, name, value, entry)
                    .ok_or_else(|| format!("the filter {name:?} is not served of a bundle"))?;
            }
            // Of labels all must be there.
            let all = || values.iter().all(|it| fits_one(kind, name, it, entry) == Some(true));
            if !fits || name == "label" && !all() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether an entry fits one value; none, where no list of this kind is filtered so here.
fn fits_one(kind: Kind, name: &str, value: &str, entry: &Value) -> Option<bool> {
    let is = |key: &str| entry[key] == value;
    let has = |key: &str| entry[key].as_str().is_some_and(|text| text.contains(value));
    let id = || {
        let id = entry["Id"].as_str().unwrap_or_default();
        id.starts_with(value) || id.strip_prefix("sha256:").is_some_and(|id| id.starts_with(value))
    };
    let texts = |key: &str| -> Vec<String> {
        let texts = entry[key].as_array().into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    Some(match (kind, name) {
        (_, "label") => label(entry, value),
        (Kind::Container | Kind::Image | Kind::Network, "id") => id(),
        (Kind::Container, "name") => texts("Names").iter().any(|name| name.contains(value)),
        (Kind::Container, "status") => is("State"),
        (Kind::Container, "ancestor") => is("Image") || is("ImageID"),
        (Kind::Image, "reference") => texts("RepoTags").iter().any(|tag| refers(value, tag)),
        (Kind::Image, "dangling") => {
            texts("RepoTags").is_empty() == (value == "true" || value == "1")
        }
        (Kind::Volume | Kind::Network, "name") => has("Name"),
        (Kind::Volume | Kind::Network, "driver") => is("Driver"),
        _ => return None,
    })
}

/// `KEY` or `KEY=VALUE`.
fn label(entry: &Value, wanted: &str) -> bool {
    let labels = entry["Labels"].as_object();
    match wanted.split_once('=') {
        Some((key, value)) => {
            labels.is_some_and(|labels| labels.get(key).is_some_and(|it| it == value))
        }
        None => labels.is_some_and(|labels| labels.contains_key(wanted)),
    }
}

/// Whether a pattern is of a tag, with its version or without.
fn refers(pattern: &str, tag: &str) -> bool {
    let Ok(glob) = Glob::new(pattern) else { return false };
    let glob = glob.compile_matcher();
    let name = tag.rsplit_once(':').map_or(tag, |(name, _)| name);
    glob.is_match(tag) || glob.is_match(name)
}
