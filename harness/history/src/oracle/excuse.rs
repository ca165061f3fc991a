//! Why a daemon may say that it could not connect, as far as the wire knows.

use std::collections::BTreeMap;

use crate::record::{WireMessage, WireWhat};
use crate::view::EVENTS;

/// An excuse holds until the daemon has subscribed anew and says that it is connected: what it says
/// before that may have been written before the fault, and only be seen after it.
#[derive(Default)]
pub(super) struct Excuse {
    holds: bool,
    subscribed_since: bool,
    last: String,
    requests: Requests,
}

/// What just happened on the wire, as a reason for the daemon to complain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// The engine refused what was asked of one object; that it is not there is no trouble.
    Refused,
    /// The engine failed to do what was asked of one object, or the wire made it look so.
    Failed,
    /// The daemon cannot have its engine: a connection was lost or refused, or a list failed.
    Lost,
}

impl Excuse {
    /// The daemon may say that it could not connect.
    pub(super) fn holds(&self) -> bool {
        self.holds
    }

    /// The last answer on the wire, as a line of text.
    pub(super) fn last(&self) -> &str {
        &self.last
    }

    /// The daemon says that it is connected.
    pub(super) fn connected(&mut self) {
        if self.subscribed_since {
            self.holds = false;
        }
    }

    /// Takes one more message of the wire.
    pub(super) fn see(&mut self, message: &WireMessage) {
        if let WireWhat::Response { status } = message.event {
            let request = self.requests.of(message);
            self.last = format!("{} {status}", request.text);
            self.subscribed_since |= status < 400 && request.subscribes;
        }
        if self.requests.see(message).is_some() {
            self.holds = true;
            self.subscribed_since = false;
        }
    }
}

/// Requests by the number of their exchange.
#[derive(Default)]
pub(super) struct Requests(BTreeMap<u64, Request>);

/// A request, as far as excuses go.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    /// Method and target.
    pub(super) text: String,
    /// It is about one object, and not about all or the engine itself.
    pub(super) of_one_object: bool,
    /// It subscribes to the engine's events.
    pub(super) subscribes: bool,
}

impl Requests {
    /// The request of a message's exchange; an empty one where it was not seen.
    pub(super) fn of(&self, message: &WireMessage) -> Request {
        self.0.get(&message.exchange).cloned().unwrap_or_default()
    }

    /// Takes one more message of the wire, and says what trouble it tells of.
    pub(super) fn see(&mut self, message: &WireMessage) -> Option<Trouble> {
        let of_one_object = self.of(message).of_one_object;
        match &message.event {
            WireWhat::Request { method, target, route, .. } => {
                let of_one_object = route.as_deref().is_some_and(|route| route.contains('{'));
                let text = format!("{method} {target}");
                let subscribes = route.as_deref() == Some(EVENTS);
                self.0.insert(message.exchange, Request { text, of_one_object, subscribes });
                None
            }
            WireWhat::Response { status: 404 } if of_one_object => None,
            WireWhat::Response { status } if *status < 400 => None,
            WireWhat::Response { status } if of_one_object && *status < 500 => {
                Some(Trouble::Refused)
            }
            WireWhat::Response { .. } | WireWhat::Faulted { .. } if of_one_object => {
                Some(Trouble::Failed)
            }
            WireWhat::Response { .. }
            | WireWhat::Faulted { .. }
            | WireWhat::Cut
            | WireWhat::Refused
            | WireWhat::UpstreamLost { .. }
            | WireWhat::Malformed { .. } => Some(Trouble::Lost),
            WireWhat::Opened
            | WireWhat::Held { .. }
            | WireWhat::Released { .. }
            | WireWhat::Abandoned { .. }
            | WireWhat::Frame { .. }
            | WireWhat::Finished { .. }
            | WireWhat::Upgraded
            | WireWhat::Closed => None,
        }
    }
}
