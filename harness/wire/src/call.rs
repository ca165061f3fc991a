//! A request, with the properties that rules match and that forwarding depends on.

use crate::dialect::Dialect;
use crate::phase::Phase;
use crate::route::Route;

/// A request without its body.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Path and query, as the client sent them.
    pub(crate) target: String,
    pub(crate) route: Route,
    pub(crate) phase: Phase,
    /// The `User-Agent` field.
    agent: Option<String>,
}

impl Call {
    pub(crate) fn new(
        dialect: Dialect,
        method: String,
        target: String,
        phase: Phase,
        agent: Option<String>,
    ) -> Self {
        let route = Route::parse(dialect, &target);
        Self { method, target, route, phase, agent }
    }

    /// The `User-Agent` field; empty if the request has none.
    pub(crate) fn agent(&self) -> &str {
        self.agent.as_deref().unwrap_or_default()
    }

    /// Whether the request may change something (RFC 9110, section 9.2.1).
    pub(crate) fn is_write(&self) -> bool {
        !["GET", "HEAD", "OPTIONS", "TRACE"].contains(&self.method.as_str())
    }

    /// Whether a successful response is an event stream.
    pub(crate) fn is_event_stream(&self) -> bool {
        self.route.is_event_stream(&self.method)
    }

    /// Whether the response goes on until something happens in the upstream: a followed log, say,
    /// ends when its container ends.
    pub(crate) fn is_open_ended(&self) -> bool {
        let is_set = |name: &str| {
            self.route.query.get(name).is_some_and(|value| value == "1" || value == "true")
        };
        match self.route.template {
            Some("/containers/{id}/logs") => is_set("follow"),
            Some("/containers/{id}/stats") => {
                // Docker streams statistics unless the client sets `stream` to false.
                let query = &self.route.query;
                !query.contains_key("stream") || is_set("stream")
            }
            Some("/containers/{id}/wait") => true,
            _ => self.can_hijack(),
        }
    }

    /// Whether the connection may turn into a raw stream ("hijacking" in Docker's words), in which
    /// one side may end its direction before the other.
    pub(crate) fn can_hijack(&self) -> bool {
        let raw = ["/containers/{id}/attach", "/exec/{id}/start", "/session", "/grpc"];
        self.route.template.is_some_and(|template| raw.contains(&template))
    }
}
