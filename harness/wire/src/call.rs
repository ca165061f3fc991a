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
        self.route.template == Some("/events") && self.method == "GET"
    }
}
