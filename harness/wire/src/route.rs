//! From a request's target to the route that it takes in an API.

mod docker;
mod kubernetes;

use std::collections::BTreeMap;

use crate::dialect::Dialect;

/// A target, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// What is spoken.
    pub(crate) dialect: Dialect,
    /// Template such as `/images/{id}/json`, without the API version; none for an unknown path.
    pub(crate) template: Option<&'static str>,
    /// Values of the template's parameters, decoded.
    pub(crate) params: BTreeMap<String, String>,
    /// Query, decoded.
    pub(crate) query: BTreeMap<String, String>,
}

/// All route templates of the engine's API that a [`Matcher`](crate::Matcher) can name; another one
/// fits no message. Those of an API server are [`Dialect::routes`].
#[must_use]
pub fn route_templates() -> &'static [&'static str] {
    Dialect::Docker.routes()
}

impl Dialect {
    /// All route templates of this dialect that a [`Matcher`](crate::Matcher) can name; another one
    /// fits no message.
    #[must_use]
    pub fn routes(self) -> &'static [&'static str] {
        match self {
            Self::Docker => docker::TEMPLATES,
            Self::Kubernetes => kubernetes::TEMPLATES,
        }
    }
}

impl Route {
    /// Takes a target such as `/v1.41/images/a%2Fb/json?x=1` apart.
    pub(crate) fn of(dialect: Dialect, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let found = match dialect {
            Dialect::Docker => docker::find(path),
            Dialect::Kubernetes => kubernetes::find(path),
        };
        let (template, params) =
            found.map_or((None, BTreeMap::new()), |(template, params)| (Some(template), params));
        Self { dialect, template, params, query: pairs(query) }
    }

    /// The response to a request of `method` is a stream of events, where it is a 200.
    pub(crate) fn streams_events(&self, method: &str) -> bool {
        match self.dialect {
            Dialect::Docker => self.template == Some("/events"),
            Dialect::Kubernetes => method == "GET" && kubernetes::is_watch(self),
        }
    }
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name, true), decoded(value, true)))
        .collect()
}

/// Percent-decoding; what is no valid escape stays as it is.
fn decoded(text: &str, plus_is_space: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let escape = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, escaped) {
            (b'%', Some(escaped)) => {
                bytes.push(escaped);
                rest = &behind[2..];
            }
            (b'+', _) if plus_is_space => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded() {
        let route =
            Route::of(Dialect::Docker, "/events?filters=%7B%22type%22%3A1%7D&since=5&a+b=%zz&flag");
        let value = |name: &str| route.query.get(name).map(String::as_str);
        assert_eq!(value("filters"), Some(r#"{"type":1}"#));
        assert_eq!(value("since"), Some("5"));
        assert_eq!(value("a b"), Some("%zz"));
        assert_eq!(value("flag"), Some(""));
    }
}
