//! What happens on the wires: exchanges that are open, gates, rules.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{WireMessage, WireWhat};

/// The route of the engine's events.
pub(crate) const EVENTS: &str = "/events";

/// The route of the engine's logs.
pub(crate) const LOGS: &str = "/containers/{id}/logs";

/// What is known of all wires.
#[derive(Clone, Debug, Default)]
pub(super) struct Wires {
    /// Exchanges between daemon and engine.
    open: BTreeMap<u64, Exchange>,
    /// Gates between daemon and engine that hold a message now.
    pub(super) held: BTreeSet<String>,
    /// Gates of any wire whose message was given up.
    pub(super) given_up: BTreeSet<String>,
    /// Rules of any wire that have done something.
    pub(super) happened: BTreeSet<String>,
    /// Requests of clients to the daemon's API.
    pub(super) client_requests: usize,
}

#[derive(Clone, Debug)]
struct Exchange {
    connection: u64,
    request: String,
    endless: bool,
    is_log: bool,
}

impl Wires {
    /// Takes a message between a client and the daemon's API.
    pub(super) fn see_client(&mut self, message: &WireMessage) {
        self.client_requests += usize::from(matches!(message.event, WireWhat::Request { .. }));
        self.see_any(message);
    }

    /// Takes what means the same on each wire.
    pub(super) fn see_any(&mut self, message: &WireMessage) {
        if let WireWhat::Abandoned { gate } = &message.event {
            self.given_up.insert(gate.clone());
        }
        if let WireWhat::Faulted { rule, .. } = &message.event {
            self.happened.insert(rule.clone());
        }
    }

    /// Takes a message between daemon and engine.
    pub(super) fn see_engine(&mut self, message: &WireMessage) {
        self.see_any(message);
        match &message.event {
            WireWhat::Request { method, target, route, .. } => {
                let endless =
                    matches!(route.as_deref(), Some(EVENTS | LOGS | "/containers/{id}/attach"));
                let is_log = route.as_deref() == Some(LOGS);
                let request = format!("{method} {target}");
                let connection = message.connection;
                self.open
                    .insert(message.exchange, Exchange { connection, request, endless, is_log });
            }
            WireWhat::Held { gate, .. } => {
                self.held.insert(gate.clone());
            }
            WireWhat::Released { gate } | WireWhat::Abandoned { gate } => {
                self.held.remove(gate);
            }
            WireWhat::Finished { .. }
            | WireWhat::Cut
            | WireWhat::UpstreamLost { .. }
            | WireWhat::Malformed { .. } => {
                self.open.remove(&message.exchange);
            }
            WireWhat::Upgraded => {
                if let Some(exchange) = self.open.get_mut(&message.exchange) {
                    exchange.endless = true;
                }
            }
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

    /// Requests that the engine has not answered to the end, except for streams without an end.
    pub(super) fn in_flight(&self) -> impl Iterator<Item = &str> {
        let finite = self.open.values().filter(|exchange| !exchange.endless);
        finite.map(|exchange| exchange.request.as_str())
    }

    /// How many streams of logs the daemon has open on the engine.
    pub(super) fn log_streams(&self) -> usize {
        self.open.values().filter(|exchange| exchange.is_log).count()
    }
}
