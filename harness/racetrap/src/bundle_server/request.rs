//! Requests of clients.

use http::{Method, Request, header};
use percent_encoding::percent_decode_str;

/// The parts of a request on which a response depends. All requests that are served have an empty
/// body.
#[derive(Clone, Debug)]
pub(super) struct ParsedRequest {
    pub(super) method: Method,
    /// The segments of the path, percent-decoded.
    path: Vec<String>,
    query: Vec<(String, String)>,
    /// The bearer token of the header `Authorization`.
    pub(super) token: Option<String>,
}

impl ParsedRequest {
    pub(super) fn from_http<T>(request: &Request<T>) -> Self {
        let path = request.uri().path().trim_matches('/').split('/');
        let query = request.uri().query().unwrap_or_default().split('&');
        let pairs = query.filter(|pair| !pair.is_empty());
        let authorization = request.headers().get(header::AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        Self {
            method: request.method().clone(),
            path: path.filter(|segment| !segment.is_empty()).map(decoded).collect(),
            query: pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    // A plus means a space in a query, and only there.
                    (decoded(name), decoded(&value.replace('+', " ")))
                })
                .collect(),
            token: authorization.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned),
        }
    }

    /// Whether the request changes nothing.
    pub(super) fn is_read(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// The segments of the path.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// The value of a query parameter; `None` if it is missing or empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a boolean query parameter is true, by the rules of Docker's and Kubernetes's Go
    /// code.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|value| !["0", "false", "False"].contains(&value))
    }
}

/// Decodes percent-encoding. Bytes that are not UTF-8 are replaced: no name in a bundle has any.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A GET request for a target.
    pub(in crate::bundle_server) fn get(target: &str) -> ParsedRequest {
        ParsedRequest::from_http(&Request::get(target).body(()).expect("a target"))
    }

    // The path is that of a docker command for a tag with a registry, and `x` has two selectors as
    // kubectl joins them.
    #[test]
    fn path_and_query_are_decoded() {
        let request = get("/v1.41/images/a%2Fb:1/json?all=1&size=0&x=a+b%2Cc&empty=");
        assert_eq!(request.segments(), ["v1.41", "images", "a/b:1", "json"]);
        assert!(request.is_set("all") && !request.is_set("size") && !request.is_set("absent"));
        assert_eq!(request.parameter("x"), Some("a b,c"));
        assert_eq!(request.parameter("empty"), None);
    }
}
