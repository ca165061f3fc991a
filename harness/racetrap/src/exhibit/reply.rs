//! What is answered.

use std::convert::Infallible;

use futures::{StreamExt as _, stream};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use serde_json::Value;

/// The body of a reply.
pub(super) type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

/// A reply, as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    kind: &'static str,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    /// Nothing more comes, and the reply does not end.
    pub(super) stays_silent: bool,
}

impl Reply {
    /// A document.
    pub(super) fn json(status: StatusCode, document: &Value) -> Self {
        Self::of(status, "application/json", document.to_string())
    }

    /// Text.
    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        Self::of(StatusCode::OK, "text/plain; charset=utf-8", text)
    }

    /// Bytes of a kind.
    pub(super) fn of(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, kind, headers: Vec::new(), body: body.into(), stays_silent: false }
    }

    /// The same with a header more.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        // What a bundle says may be no value of a header; then there is none.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// The same, which does not end.
    pub(super) fn silent(self) -> Self {
        Self { stays_silent: true, ..self }
    }

    /// The reply as it is sent; to a question for its head alone, without its body.
    pub(super) fn sent(self, head_alone: bool) -> Response<Body> {
        let body = if head_alone { Bytes::new() } else { self.body };
        let body = if self.stays_silent && !head_alone {
            let first = stream::iter([Ok(Frame::data(body))]);
            StreamBody::new(first.chain(stream::pending())).boxed_unsync()
        } else {
            Full::new(body).boxed_unsync()
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.extend(self.headers);
        response
    }
}
