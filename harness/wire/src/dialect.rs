//! The API that is spoken on a wire.

use serde_json::{Value, json};

/// The API that is spoken on a wire. It decides which routes exist and which responses are event
/// streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The Docker Engine API. The response to `GET /events` is an event stream.
    #[default]
    Docker,
    /// The API of a Kubernetes API server. The response to each watch is an event stream.
    ///
    /// The wire changes two fields in the head of a watch request, because it can only read frames
    /// that are plain JSON: it removes `Accept-Encoding`, and keeps only JSON in `Accept`. A server
    /// may always answer in JSON, and clients read the `Content-Type` of the response. Everything
    /// else is forwarded unchanged; lists may be protobuf or compressed.
    Kubernetes,
}

impl Dialect {
    /// The body of an error response, in the form that a server of this API uses.
    pub(crate) fn error_body(self, status: u16, message: &str) -> Value {
        match self {
            Self::Docker => json!({ "message": message }),
            Self::Kubernetes => json!({
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": message,
                "code": status,
            }),
        }
    }
}
