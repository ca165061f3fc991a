//! A request, as rules see it.

use crate::dialect::Dialect;
use crate::phase::Phase;
use crate::route::Route;

/// A request, as rules see it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) route: Route,
    pub(crate) phase: Phase,
    /// What its sender calls itself.
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
        let route = Route::of(dialect, &target);
        Self { method, target, route, phase, agent }
    }

    /// What its sender calls itself; nothing where it does not say.
    pub(crate) fn agent(&self) -> &str {
        self.agent.as_deref().unwrap_or_default()
    }

    /// It may change something (RFC 9110, section 9.2.1).
    pub(crate) fn is_write(&self) -> bool {
        !["GET", "HEAD", "OPTIONS", "TRACE"].contains(&self.method.as_str())
    }

    /// Its response is a stream of events.
    pub(crate) fn is_events(&self) -> bool {
        self.route.streams_events(&self.method)
    }

    /// Its response ends when something happens in the engine, and not before.
    pub(crate) fn is_open_ended(&self) -> bool {
        let asks = |name: &str| {
            self.route.query.get(name).is_some_and(|value| value == "1" || value == "true")
        };
        match self.route.template {
            Some("/containers/{id}/logs") => asks("follow"),
            Some("/containers/{id}/stats") => {
                let query = &self.route.query;
                !query.contains_key("stream") || asks("stream")
            }
            Some("/containers/{id}/wait") => true,
            _ => self.is_raw(),
        }
    }

    /// Its connection may turn into a raw stream, in which one side may end before the other.
    pub(crate) fn is_raw(&self) -> bool {
        let raw = ["/containers/{id}/attach", "/exec/{id}/start", "/session", "/grpc"];
        self.route.template.is_some_and(|template| raw.contains(&template))
    }
}
