//! The filters of lists: those that docker commonly uses. Any other filter is refused, because
//! ignoring it would return objects that the client has excluded.

use std::collections::BTreeMap;

use globset::Glob;
use serde_json::Value;

use crate::bundle_server::request::ParsedRequest;

/// The kind of the objects in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Container,
    Image,
    Volume,
    Network,
}

/// Filters by name. Of the values of a filter one must match, but of labels all.
#[derive(Debug, Default)]
pub(super) struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// Parses the parameter `filters`: a JSON object from name to values. The values are a list, or
    /// the keys of an object; clients send both forms.
    pub(super) fn from_request(request: &ParsedRequest) -> Result<Self, String> {
        let Some(text) = request.parameter("filters") else { return Ok(Self::default()) };
        let filters: Result<BTreeMap<String, Value>, _> = serde_json::from_str(text);
        let filters = filters.map_err(|error| format!("filters cannot be parsed: {error}"))?;
        let values = |value: Value| match value {
            Value::Array(list) => {
                list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
            }
            Value::Object(map) => map.keys().cloned().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        Ok(Self(filters.into_iter().map(|(name, value)| (name, values(value))).collect()))
    }

    /// Whether there is a filter of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether an entry passes all filters.
    ///
    /// # Errors
    /// If one of the filters is unknown.
    pub(super) fn match_entry(&self, kind: Kind, entry: &Value) -> Result<bool, String> {
        for (name, values) in &self.0 {
            let mut any = false;
            for value in values {
                any |= matches_value(kind, name, value, entry)
                    .ok_or_else(|| format!("a bundle does not support the filter {name:?}"))?;
            }
            let all = || values.iter().all(|it| matches_value(kind, name, it, entry) == Some(true));
            if !any || name == "label" && !all() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether an entry matches one value of a filter; `None` if the filter is unknown for this kind.
fn matches_value(kind: Kind, name: &str, value: &str, entry: &Value) -> Option<bool> {
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
        (_, "label") => has_label(entry, value),
        (Kind::Container | Kind::Image | Kind::Network, "id") => id(),
        // docker matches a part of the name.
        (Kind::Container, "name") => texts("Names").iter().any(|name| name.contains(value)),
        (Kind::Container, "status") => is("State"),
        (Kind::Container, "ancestor") => is("Image") || is("ImageID"),
        (Kind::Image, "reference") => texts("RepoTags").iter().any(|tag| matches_tag(value, tag)),
        // An image without a tag is dangling.
        (Kind::Image, "dangling") => {
            texts("RepoTags").is_empty() == (value == "true" || value == "1")
        }
        (Kind::Volume | Kind::Network, "name") => has("Name"),
        (Kind::Volume | Kind::Network, "driver") => is("Driver"),
        _ => return None,
    })
}

/// Whether an entry has a label, given as `KEY` or `KEY=VALUE`.
fn has_label(entry: &Value, wanted: &str) -> bool {
    let labels = entry["Labels"].as_object();
    match wanted.split_once('=') {
        Some((key, value)) => {
            labels.is_some_and(|labels| labels.get(key).is_some_and(|it| it == value))
        }
        None => labels.is_some_and(|labels| labels.contains_key(wanted)),
    }
}

/// Whether a glob matches a tag such as `base:1`, or the part of it before the colon.
fn matches_tag(pattern: &str, tag: &str) -> bool {
    let Ok(glob) = Glob::new(pattern) else { return false };
    let glob = glob.compile_matcher();
    let name = tag.rsplit_once(':').map_or(tag, |(name, _)| name);
    glob.is_match(tag) || glob.is_match(name)
}
