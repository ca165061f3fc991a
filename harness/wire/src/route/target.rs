//! Parses the target of a request.

use std::collections::BTreeMap;

use crate::dialect::Dialect;
use crate::route::percent::parse_query;
use crate::route::{docker, kubernetes};

/// The parsed target of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// The API that the target belongs to.
    pub(crate) dialect: Dialect,
    /// Template such as `/images/{id}/json`, without the API version; none for an unknown path.
    pub(crate) template: Option<&'static str>,
    /// Values of the template's parameters, decoded.
    pub(crate) params: BTreeMap<String, String>,
    /// Query parameters, decoded.
    pub(crate) query: BTreeMap<String, String>,
}

/// All route templates of the Docker Engine API that a [`Matcher`](crate::Matcher) can name. A
/// matcher with another template matches no message. [`Dialect::routes`] has those of each API.
#[must_use]
pub fn route_templates() -> &'static [&'static str] {
    Dialect::Docker.routes()
}

impl Dialect {
    /// All route templates of this API that a [`Matcher`](crate::Matcher) can name. A matcher with
    /// another template matches no message.
    #[must_use]
    pub fn routes(self) -> &'static [&'static str] {
        match self {
            Self::Docker => docker::TEMPLATES,
            Self::Kubernetes => kubernetes::TEMPLATES,
        }
    }
}

impl Route {
    /// Parses a target such as `/v1.41/images/a%2Fb/json?x=1`.
    pub(crate) fn parse(dialect: Dialect, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let found = match dialect {
            Dialect::Docker => docker::find(path),
            Dialect::Kubernetes => kubernetes::find(path),
        };
        let (template, params) =
            found.map_or((None, BTreeMap::new()), |(template, params)| (Some(template), params));
        Self { dialect, template, params, query: parse_query(query) }
    }

    /// Whether the response to a request of `method` is an event stream, if its status is 200.
    pub(crate) fn is_event_stream(&self, method: &str) -> bool {
        match self.dialect {
            Dialect::Docker => self.template == Some("/events"),
            Dialect::Kubernetes => {
                method == "GET" && kubernetes::is_watch(&self.params, &self.query)
            }
        }
    }
}
