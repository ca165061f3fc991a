//! Label selectors and field selectors.

use serde_json::Value;

use crate::bundle_server::request::ParsedRequest;

/// The conditions of both selectors. An object must meet all of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selection(Vec<Condition>);

#[derive(Debug, PartialEq, Eq)]
struct Condition {
    /// The names of the fields from the root of the object to the value.
    path: Vec<String>,
    operator: Operator,
}

#[derive(Debug, PartialEq, Eq)]
enum Operator {
    /// The value is one of these.
    In(Vec<String>),
    /// The value is none of these, or it is missing.
    NotIn(Vec<String>),
    Exists,
    Missing,
}

impl Selection {
    /// Parses the selectors of a request.
    ///
    /// # Errors
    /// If a selector has an unknown syntax.
    pub(super) fn from_request(request: &ParsedRequest) -> Result<Self, String> {
        let fields = request.parameter("fieldSelector").unwrap_or_default();
        let labels = request.parameter("labelSelector").unwrap_or_default();
        let fields = split(fields).map(|part| {
            let (path, operator) = parse_equality(part)?;
            Some(Condition { path: path.split('.').map(str::to_owned).collect(), operator })
        });
        let labels = split(labels).map(|part| {
            let (label, operator) = parse_equality(part).or_else(|| parse_set(part))?;
            // The name of a label may contain dots, so it is one element of the path.
            let path = ["metadata", "labels", label].map(str::to_owned).into();
            Some(Condition { path, operator })
        });
        let conditions: Option<Vec<_>> = fields.chain(labels).collect();
        conditions.map(Self).ok_or_else(|| "the selector has an unknown syntax".to_owned())
    }

    /// Whether an object meets all conditions.
    pub(super) fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|condition| condition.is_met_by(object))
    }
}

impl Condition {
    fn is_met_by(&self, object: &Value) -> bool {
        let value = self.path.iter().try_fold(object, |value, name| value.get(name));
        // Selectors are text, so numbers and booleans are compared by their JSON.
        let text = value
            .filter(|value| !value.is_null())
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        match (&self.operator, text) {
            (Operator::In(values), text) => text.is_some_and(|text| values.contains(&text)),
            (Operator::NotIn(values), text) => text.is_none_or(|text| !values.contains(&text)),
            (Operator::Exists, text) => text.is_some(),
            (Operator::Missing, text) => text.is_none(),
        }
    }
}

/// Splits a selector at its commas, except for commas within parentheses, which separate values.
fn split(text: &str) -> impl Iterator<Item = &str> {
    // Whether the current letter is within parentheses.
    let mut deep = false;
    let parts = text.split(move |letter| {
        deep = letter == '(' || deep && letter != ')';
        letter == ',' && !deep
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// `NAME=VALUE`, `NAME==VALUE`, `NAME!=VALUE`.
fn parse_equality(part: &str) -> Option<(&str, Operator)> {
    let (name, value) = part.split_once('=')?;
    let value = vec![value.strip_prefix('=').unwrap_or(value).trim().to_owned()];
    Some(match name.strip_suffix('!') {
        Some(name) => (name.trim(), Operator::NotIn(value)),
        None => (name.trim(), Operator::In(value)),
    })
}

/// `NAME`, `!NAME`, `NAME in (VALUE, …)`, `NAME notin (VALUE, …)`.
fn parse_set(part: &str) -> Option<(&str, Operator)> {
    if let Some((name, values)) = part.split_once('(') {
        let values = values.strip_suffix(')')?.split(',');
        let values = values.map(|value| value.trim().to_owned()).collect();
        return match name.trim().rsplit_once(' ')? {
            (name, "in") => Some((name.trim(), Operator::In(values))),
            (name, "notin") => Some((name.trim(), Operator::NotIn(values))),
            _ => None,
        };
    }
    let (name, operator) = match part.strip_prefix('!') {
        Some(name) => (name.trim(), Operator::Missing),
        None => (part, Operator::Exists),
    };
    (!name.contains(' ')).then_some((name, operator))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bundle_server::request::tests::get;

    fn matches(query: &str) -> Result<bool, String> {
        let object = json!({
            "metadata": { "name": "one", "labels": { "app": "web", "tier": "1" } },
            "status": { "ready": true },
        });
        Ok(Selection::from_request(&get(&format!("/x?{query}")))?.matches(&object))
    }

    // Each selector is encoded as kubectl does it, and applied to the same object.
    #[test]
    fn selectors_match_the_same_objects_as_in_kubernetes() {
        for (query, expected) in [
            ("labelSelector=", true),
            ("labelSelector=app%3Dweb", true),
            ("labelSelector=app%3D%3Dweb%2Ctier%3D1", true),
            ("labelSelector=app%3Dweb%2Ctier%3D2", false),
            ("labelSelector=app%21%3Dweb", false),
            ("labelSelector=absent%21%3Dweb", true),
            ("labelSelector=app+in+%28db%2Cweb%29", true),
            ("labelSelector=app+notin+%28db%2C+web%29%2Ctier", false),
            ("labelSelector=tier", true),
            ("labelSelector=%21tier", false),
            ("fieldSelector=metadata.name%3Done", true),
            ("fieldSelector=metadata.name%3Dtwo", false),
            ("fieldSelector=status.ready%3Dtrue", true),
            ("fieldSelector=metadata.name%3Done&labelSelector=app%3Ddb", false),
        ] {
            assert_eq!(matches(query), Ok(expected), "{query}");
        }
        for query in ["labelSelector=app+like+%28x%29", "labelSelector=a+b", "fieldSelector=x"] {
            assert!(matches(query).is_err(), "{query}");
        }
    }
}
