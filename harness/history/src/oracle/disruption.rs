//! What the wire and the engine did to the daemon, and so what the daemon may report as a failure.

use std::collections::BTreeMap;

use crate::record::{WireMessage, WireWhat};
use crate::view::{EVENTS, object_in};

/// Whether the daemon may report `ConnectFailed`.
///
/// A disruption stays active until the daemon has subscribed to the engine's events again *and* reports
/// that it is connected. A status that the daemon wrote before the disruption can be recorded after it,
/// so `Connected` alone does not end the disruption.
#[derive(Default)]
pub(super) struct ConnectionDisruption {
    active: bool,
    subscribed_since: bool,
    last_response: String,
    requests: EngineRequests,
}

/// How bad a disruption is, from the least to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Disruption {
    /// The engine refused a request about one object. A 404 is not a disruption.
    RequestRefused,
    /// A request about one object failed in the engine, or the wire made it fail.
    RequestFailed,
    /// The daemon cannot use its engine: a connection was lost or refused, or a list failed.
    EngineLost,
}

impl ConnectionDisruption {
    /// Whether the daemon has a reason to report that it could not connect.
    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// The last response on the wire, as a line of text.
    pub(super) fn last_response(&self) -> &str {
        &self.last_response
    }

    /// Notes that the engine's process or its machine ends, stands still, or begins anew. A daemon that is
    /// about to ask then loses its connection before the wire has read a request, and the wire shows nothing.
    pub(super) fn engine_moves(&mut self) {
        self.active = true;
        self.subscribed_since = false;
    }

    /// Notes that the daemon reports that it is connected.
    pub(super) fn daemon_connected(&mut self) {
        if self.subscribed_since {
            self.active = false;
        }
    }

    /// Applies the next message of the wire.
    pub(super) fn apply(&mut self, message: &WireMessage) {
        if let WireWhat::Response { status } = message.event {
            let request = self.requests.request_of(message);
            self.last_response = format!("{} {status}", request.text);
            self.subscribed_since |= status < 400 && request.subscribes;
        }
        if self.requests.apply(message).is_some() {
            // The subscription that existed before does not count: a new one must follow.
            self.engine_moves();
        }
    }
}

/// The daemon's requests to the engine.
#[derive(Default)]
pub(super) struct EngineRequests {
    /// By the number of their exchange.
    by_exchange: BTreeMap<u64, EngineRequest>,
    /// The exchange of each connection that has no answer yet.
    unanswered: BTreeMap<u64, u64>,
}

/// What the oracles need to know of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct EngineRequest {
    /// Method and target.
    pub(super) text: String,
    /// The request names one object, rather than all of a kind or the engine itself.
    pub(super) names_object: bool,
    /// That object, as the request names it.
    pub(super) object: Option<String>,
    /// The request asks the engine to remove the object.
    pub(super) is_removal: bool,
    /// The request subscribes to the engine's events.
    pub(super) subscribes: bool,
}

impl EngineRequests {
    /// The request of a message's exchange; an empty one if the history does not have it.
    pub(super) fn request_of(&self, message: &WireMessage) -> EngineRequest {
        self.by_exchange.get(&message.exchange).cloned().unwrap_or_default()
    }

    /// Applies the next message of the wire, and returns the disruption that the message shows, if any.
    pub(super) fn apply(&mut self, message: &WireMessage) -> Option<Disruption> {
        let names_object = self.request_of(message).names_object;
        if !matches!(message.event, WireWhat::Request { .. } | WireWhat::Closed) {
            self.answer(message);
        }
        match &message.event {
            WireWhat::Request { method, target, route, .. } => {
                // A route with a parameter, such as `/volumes/{name}`, is about one object.
                let names_object = route.as_deref().is_some_and(|route| route.contains('{'));
                let text = format!("{method} {target}");
                let subscribes = route.as_deref() == Some(EVENTS);
                let object = route.as_deref().and_then(|route| object_in(route, target));
                let is_removal = names_object && method == "DELETE";
                let request = EngineRequest { text, names_object, object, is_removal, subscribes };
                self.by_exchange.insert(message.exchange, request);
                self.unanswered.insert(message.connection, message.exchange);
                None
            }
            // The daemon must skip an object that is gone, so a 404 does not disrupt it.
            WireWhat::Response { status: 404 } if names_object => None,
            WireWhat::Response { status } if *status < 400 => None,
            WireWhat::Response { status } if names_object && *status < 500 => {
                Some(Disruption::RequestRefused)
            }
            WireWhat::Response { .. } | WireWhat::Faulted { .. } if names_object => {
                Some(Disruption::RequestFailed)
            }
            // Without its lists or its event stream, the daemon can mirror nothing.
            WireWhat::Response { .. }
            | WireWhat::Faulted { .. }
            | WireWhat::Cut
            | WireWhat::Refused
            | WireWhat::UpstreamLost { .. }
            | WireWhat::Malformed { .. } => Some(Disruption::EngineLost),
            WireWhat::Opened
            | WireWhat::Held { .. }
            | WireWhat::Released { .. }
            | WireWhat::Abandoned { .. }
            | WireWhat::Frame { .. }
            | WireWhat::Finished { .. }
            | WireWhat::Upgraded => None,
            // The daemon stopped waiting for an answer that was held, or that a frozen engine does not
            // give.
            WireWhat::Closed => {
                let exchange = self.unanswered.remove(&message.connection)?;
                Some(match self.by_exchange.get(&exchange) {
                    Some(EngineRequest { names_object: true, .. }) => Disruption::RequestFailed,
                    Some(_) | None => Disruption::EngineLost,
                })
            }
        }
    }

    /// Forgets that a connection waits for an answer, if this message is one or says that none will come.
    fn answer(&mut self, message: &WireMessage) {
        let waits_on = matches!(
            message.event,
            WireWhat::Held { .. } | WireWhat::Released { .. } | WireWhat::Abandoned { .. }
        );
        if !waits_on {
            self.unanswered.remove(&message.connection);
        }
    }
}
