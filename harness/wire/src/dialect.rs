//! What is spoken on a wire.

use serde_json::{Value, json};

/// What is spoken on a wire: which routes there are, and which responses are streams of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// A container engine's API: `GET /events` is a stream of events.
    #[default]
    Docker,
    /// An API server's: each watch is a stream of events. Its clients take the daemon's part, and
    /// the server the engine's; a [`Phase`](crate::Phase) is that of all clients together.
    ///
    /// Of a watch's head two fields are changed on its way up, because frames must be JSON that can
    /// be read: `Accept-Encoding` is left out, and of `Accept` only JSON is left. A server may answer
    /// so anyway, and clients go by the response's `Content-Type`. Everything else passes untouched;
    /// lists may go as protobuf or compressed.
    Kubernetes,
}

impl Dialect {
    /// What a server that speaks it says of a failure.
    pub(crate) fn failure(self, status: u16, message: &str) -> Value {
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
