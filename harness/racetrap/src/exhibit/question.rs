//! What a client asks.

use http::{Method, Request, header};
use percent_encoding::percent_decode_str;

/// A request, as far as an answer depends on it.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) method: Method,
    /// The parts of the path, decoded.
    pub(super) path: Vec<String>,
    query: Vec<(String, String)>,
    /// The token of the header `Authorization`.
    pub(super) token: Option<String>,
}

impl Question {
    /// Of a request; its body says nothing.
    pub(super) fn of<T>(request: &Request<T>) -> Self {
        let path = request.uri().path().trim_matches('/').split('/');
        let query = request.uri().query().unwrap_or_default().split('&');
        let pairs = query.filter(|pair| !pair.is_empty());
        let authorization = request.headers().get(header::AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        Self {
            method: request.method().clone(),
            path: path.filter(|part| !part.is_empty()).map(decoded).collect(),
            query: pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decoded(name), decoded(&value.replace('+', " ")))
                })
                .collect(),
            token: authorization.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned),
        }
    }

    /// Whether it only reads.
    pub(super) fn reads(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// The path's parts.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// A parameter that is there, and not empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is set, as Go reads it.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|value| !["0", "false", "False"].contains(&value))
    }
}

/// What is no UTF-8 names nothing that is here.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One that reads a target.
    pub(in crate::exhibit) fn reading(target: &str) -> Question {
        Question::of(&Request::get(target).body(()).expect("a target"))
    }

    // As the docker command asks for a tag with a registry, and as kubectl joins two selectors.
    #[test]
    fn a_question_is_taken_apart_as_its_client_put_it_together() {
        let question = reading("/v1.41/images/a%2Fb:1/json?all=1&size=0&x=a+b%2Cc&empty=");
        assert_eq!(question.parts(), ["v1.41", "images", "a/b:1", "json"]);
        assert!(question.is_set("all") && !question.is_set("size") && !question.is_set("absent"));
        assert_eq!(question.parameter("x"), Some("a b,c"));
        assert_eq!(question.parameter("empty"), None);
    }
}
