//! A request, as rules see it.

use crate::phase::Phase;
use crate::route::Route;

/// A request, as rules see it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) route: Route,
    pub(crate) phase: Phase,
}

impl Call {
    pub(crate) fn new(method: String, target: String, phase: Phase) -> Self {
        let route = Route::of(&target);
        Self { method, target, route, phase }
    }

    /// Its response is a stream of events.
    pub(crate) fn is_events(&self) -> bool {
        self.route.template == Some("/events")
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
