//! Responses to clients.

use std::convert::Infallible;

use futures::{StreamExt as _, stream};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use serde_json::Value;

/// The body of a response as it is sent.
pub(super) type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

/// A response as a value, which tests can compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PreparedResponse {
    pub(super) status: StatusCode,
    content_type: &'static str,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    /// Whether the response goes on without data after `body`, like a watch in which nothing
    /// happens.
    pub(super) stays_open: bool,
}

impl PreparedResponse {
    /// A response with a JSON document.
    pub(super) fn json(status: StatusCode, document: &Value) -> Self {
        Self::new(status, "application/json", document.to_string())
    }

    /// A successful response with plain text.
    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, "text/plain; charset=utf-8", text)
    }

    /// A response with any body.
    pub(super) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.into(), stays_open: false }
    }

    /// Adds a header. A value from a bundle may not be valid in a header; then the header is left
    /// out.
    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// Makes a response that does not end.
    pub(super) fn staying_open(self) -> Self {
        Self { stays_open: true, ..self }
    }

    /// The response as it is sent. The response to a HEAD request has no body.
    pub(super) fn into_http(self, is_head: bool) -> Response<Body> {
        let body = if is_head { Bytes::new() } else { self.body };
        let body = if self.stays_open && !is_head {
            let first = stream::iter([Ok(Frame::data(body))]);
            StreamBody::new(first.chain(stream::pending())).boxed_unsync()
        } else {
            Full::new(body).boxed_unsync()
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.extend(self.headers);
        response
    }
}
