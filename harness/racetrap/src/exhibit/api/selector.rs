//! Which objects of a list are asked for, by their labels and fields.

use serde_json::Value;

use crate::exhibit::question::Question;

/// Conditions that all must hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selection(Vec<Condition>);

#[derive(Debug, PartialEq, Eq)]
struct Condition {
    /// Names on the way to the value.
    path: Vec<String>,
    holds: Holds,
}

#[derive(Debug, PartialEq, Eq)]
enum Holds {
    /// It has one of these values.
    In(Vec<String>),
    /// It has none of these values, or is not there.
    NotIn(Vec<String>),
    Exists,
    Missing,
}

impl Selection {
    /// What a question selects.
    ///
    /// # Errors
    /// Where it is written in a way that this does not know.
    pub(super) fn of(question: &Question) -> Result<Self, String> {
        let fields = question.parameter("fieldSelector").unwrap_or_default();
        let labels = question.parameter("labelSelector").unwrap_or_default();
        let fields = parts(fields).map(|part| {
            let (path, holds) = equality(part)?;
            Some(Condition { path: path.split('.').map(str::to_owned).collect(), holds })
        });
        let labels = parts(labels).map(|part| {
            let (label, holds) = equality(part).or_else(|| set(part))?;
            Some(Condition { path: ["metadata", "labels", label].map(str::to_owned).into(), holds })
        });
        let conditions: Option<Vec<_>> = fields.chain(labels).collect();
        conditions.map(Self).ok_or_else(|| "the selector is written in no known way".to_owned())
    }

    /// Whether an object is asked for.
    pub(super) fn takes(&self, object: &Value) -> bool {
        self.0.iter().all(|condition| condition.holds_of(object))
    }
}

impl Condition {
    fn holds_of(&self, object: &Value) -> bool {
        let value = self.path.iter().try_fold(object, |value, name| value.get(name));
        let text = value
            .filter(|value| !value.is_null())
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        match (&self.holds, text) {
            (Holds::In(values), text) => text.is_some_and(|text| values.contains(&text)),
            (Holds::NotIn(values), text) => text.is_none_or(|text| !values.contains(&text)),
            (Holds::Exists, text) => text.is_some(),
            (Holds::Missing, text) => text.is_none(),
        }
    }
}

/// The parts of a selector: commas within parentheses separate values.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut deep = false;
    let parts = text.split(move |letter| {
        deep = letter == '(' || deep && letter != ')';
        letter == ',' && !deep
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// `NAME=VALUE`, `NAME==VALUE`, `NAME!=VALUE`.
fn equality(part: &str) -> Option<(&str, Holds)> {
    let (name, value) = part.split_once('=')?;
    let value = vec![value.strip_prefix('=').unwrap_or(value).trim().to_owned()];
    Some(match name.strip_suffix('!') {
        Some(name) => (name.trim(), Holds::NotIn(value)),
        None => (name.trim(), Holds::In(value)),
    })
}

/// `NAME`, `!NAME`, `NAME in (VALUE, …)`, `NAME notin (VALUE, …)`.
fn set(part: &str) -> Option<(&str, Holds)> {
    if let Some((name, values)) = part.split_once('(') {
        let values = values.strip_suffix(')')?.split(',');
        let values = values.map(|value| value.trim().to_owned()).collect();
        return match name.trim().rsplit_once(' ')? {
            (name, "in") => Some((name.trim(), Holds::In(values))),
            (name, "notin") => Some((name.trim(), Holds::NotIn(values))),
            _ => None,
        };
    }
    let (name, holds) = match part.strip_prefix('!') {
        Some(name) => (name.trim(), Holds::Missing),
        None => (part, Holds::Exists),
    };
    (!name.contains(' ')).then_some((name, holds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::exhibit::question::tests::reading;

    fn takes(query: &str) -> Result<bool, String> {
        let object = json!({
            "metadata": { "name": "one", "labels": { "app": "web", "tier": "1" } },
            "status": { "ready": true },
        });
        Ok(Selection::of(&reading(&format!("/x?{query}")))?.takes(&object))
    }

    // Each of these is asked of the same object, as kubectl writes them.
    #[test]
    fn selectors_mean_what_they_mean_to_kubernetes() {
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
            assert_eq!(takes(query), Ok(expected), "{query}");
        }
        for query in ["labelSelector=app+like+%28x%29", "labelSelector=a+b", "fieldSelector=x"] {
            assert!(takes(query).is_err(), "{query}");
        }
    }
}
