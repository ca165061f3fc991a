//! The state of the wires: open exchanges, gates and rules.

use std::collections::{BTreeMap, BTreeSet};

use super::user_commands::UserCommands;
use crate::record::{WireMessage, WireWhat};
use crate::scenario::Point;

/// The route of the engine's events.
pub(crate) const EVENTS: &str = "/events";

/// The route of the engine's logs.
pub(crate) const LOGS: &str = "/containers/{id}/logs";

/// Routes whose responses have no end. The daemon never asks for the last three, but the docker command of the
/// user does.
const ENDLESS: [&str; 5] =
    [EVENTS, LOGS, "/containers/{id}/attach", "/containers/{id}/stats", "/containers/{id}/wait"];

/// The state of all wires.
#[derive(Clone, Debug, Default)]
pub(super) struct Wires {
    /// Docker commands of the user, which use the same wire.
    pub(super) user_commands: UserCommands,
    /// Exchanges between daemon and engine.
    open: BTreeMap<u64, Exchange>,
    /// Gates between daemon and engine that hold a message now.
    pub(super) held: BTreeSet<String>,
    /// Gates of any wire whose held message was abandoned by its sender.
    pub(super) abandoned: BTreeSet<String>,
    /// Rules of any wire that have changed a message.
    pub(super) applied_rules: BTreeSet<String>,
    /// Number of requests of clients to the daemon's API.
    pub(super) client_requests: usize,
}

#[derive(Clone, Debug)]
struct Exchange {
    connection: u64,
    /// Method and target.
    request: String,
    /// The response is a stream without an end, so the exchange does not count as in flight.
    endless: bool,
    /// The daemon asks for a log. While a docker command of the user runs, that may be the user.
    is_log: bool,
    /// A gate holds the request or the head of the response.
    is_held: bool,
    /// The request is a list or a subscription, whose limit is longer than that of other requests
    /// (contract 4.1.17).
    is_list: bool,
}

impl Wires {
    /// Applies a message between a client and the daemon's API.
    pub(super) fn apply_client_message(&mut self, message: &WireMessage) {
        self.client_requests += usize::from(matches!(message.event, WireWhat::Request { .. }));
        self.apply_any_message(message);
    }

    /// Applies the events that mean the same on every wire.
    pub(super) fn apply_any_message(&mut self, message: &WireMessage) {
        if let WireWhat::Abandoned { gate } = &message.event {
            self.abandoned.insert(gate.clone());
        }
        if let WireWhat::Faulted { rule, .. } = &message.event {
            self.applied_rules.insert(rule.clone());
        }
    }

    /// Applies a message between daemon and engine.
    pub(super) fn apply_engine_message(&mut self, message: &WireMessage) {
        self.apply_any_message(message);
        match &message.event {
            WireWhat::Request { method, target, route, .. } => {
                let endless = route.as_deref().is_some_and(|route| ENDLESS.contains(&route));
                let is_log = route.as_deref() == Some(LOGS) && !self.user_commands.run();
                let request = format!("{method} {target}");
                let is_list = matches!(
                    route.as_deref(),
                    Some(EVENTS | "/containers/json" | "/images/json" | "/volumes")
                );
                let connection = message.connection;
                let exchange =
                    Exchange { connection, request, endless, is_log, is_held: false, is_list };
                self.open.insert(message.exchange, exchange);
            }
            WireWhat::Held { gate, point } => {
                self.held.insert(gate.clone());
                self.set_held(message.exchange, *point != Point::Frame);
            }
            WireWhat::Released { gate } | WireWhat::Abandoned { gate } => {
                self.held.remove(gate);
                self.set_held(message.exchange, false);
            }
            WireWhat::Finished { .. }
            | WireWhat::Cut
            | WireWhat::UpstreamLost { .. }
            | WireWhat::Malformed { .. } => {
                self.open.remove(&message.exchange);
            }
            // A raw stream, such as the one of `attach`, ends only with its connection.
            WireWhat::Upgraded => {
                if let Some(exchange) = self.open.get_mut(&message.exchange) {
                    exchange.endless = true;
                }
            }
            // A connection can end without an event for each of its exchanges.
            WireWhat::Closed => {
                self.open.retain(|_, open| open.connection != message.connection);
            }
            WireWhat::Opened
            | WireWhat::Response { .. }
            | WireWhat::Frame { .. }
            | WireWhat::Faulted { .. }
            | WireWhat::Refused => {}
        }
    }

    /// Requests without a complete response, except for streams without an end.
    pub(super) fn in_flight(&self) -> impl Iterator<Item = &str> {
        let finite = self.open.values().filter(|exchange| !exchange.endless);
        finite.map(|exchange| exchange.request.as_str())
    }

    /// Whether the engine works on a request, or a gate holds a list or a subscription. Any other request
    /// that a gate holds ends by a short timer of the daemon, or by none at all.
    pub(super) fn is_working(&self) -> bool {
        let works = |it: &Exchange| if it.is_held { it.is_list } else { !it.endless };
        self.open.values().any(works)
    }

    fn set_held(&mut self, exchange: u64, is_held: bool) {
        if let Some(exchange) = self.open.get_mut(&exchange) {
            exchange.is_held = is_held;
        }
    }

    /// Number of log streams that the daemon has open on the engine.
    pub(super) fn log_streams(&self) -> usize {
        self.open.values().filter(|exchange| exchange.is_log).count()
    }
}

/// The part of a target that stands at the parameter of its route, such as the ID in
/// `/v1.47/containers/ID/json?size=1` for `/containers/{id}/json`.
pub(crate) fn object_in(route: &str, target: &str) -> Option<String> {
    let (before, parameter) = route.split_once('{')?;
    let (_, after) = parameter.split_once('}')?;
    let path = target.split('?').next().unwrap_or(target);
    let (_, rest) = path.split_once(before)?;
    let object = rest.strip_suffix(after)?;
    // Slashes and colons of a tag may be escaped.
    Some(object.replace("%2F", "/").replace("%3A", ":"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::object_in;

    #[rstest]
    #[case("/containers/{id}/json", "/v1.47/containers/abc/json?size=1", Some("abc"))]
    #[case("/images/{id}", "/images/r%2Fbase%3A1?noprune=1", Some("r/base:1"))]
    #[case("/images/{id}/json", "/v1.47/images/r/base:1/json", Some("r/base:1"))]
    #[case("/volumes", "/v1.47/volumes", None)]
    #[case("/volumes/{name}", "/nowhere", None)]
    fn a_request_names_its_object(
        #[case] route: &str,
        #[case] target: &str,
        #[case] object: Option<&str>,
    ) {
        assert_eq!(object_in(route, target).as_deref(), object);
    }
}
