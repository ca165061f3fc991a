//! Clients of the log passthrough.

use std::collections::BTreeMap;

use super::log_query::LogQuery;
use super::wire::{LOGS, object_in};
use crate::record::{Footprint, LogClient, LogEvent, WireMessage, WireWhat};
use crate::scenario::LeaveHow;

/// The state of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// ID of the container whose log the client requested.
    pub container: Option<String>,
    /// The client reads from its connection.
    pub reads: bool,
    /// HTTP status of the response.
    pub status: Option<u16>,
    /// Whether the client got no answer, because its connection failed.
    pub unanswered: bool,
    /// Number of bytes that the client received.
    pub bytes: u64,
    /// Number of line ends that the client received.
    pub lines: u64,
    /// How the client left, or why the daemon must drop it.
    pub left: Option<LeaveHow>,
    /// `None` while the connection lasts. Then the code of the close frame; `Some(None)` if the
    /// connection ended without a close frame.
    pub ended: Option<Option<u16>>,
    /// Which part of the log it asked for.
    query: LogQuery,
    /// Number of the record of its request.
    asked_at: u64,
    /// Number of the record of its answer.
    answered_at: Option<u64>,
}

/// What is known of an exchange between daemon and engine about a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogExchange {
    /// The container, as the daemon calls it.
    container: String,
    query: LogQuery,
    /// Number of the record of the request.
    asked_at: u64,
    /// The engine has answered with something else than a log.
    is_refused: bool,
    /// The engine has ended the log, and the wire has forwarded all of it.
    pub is_finished: bool,
    /// The wire has held, changed or cut it, or the engine was lost.
    pub is_disturbed: bool,
}

impl LogState {
    /// Whether the client has a WebSocket that must still be open.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.status == Some(101) && self.left.is_none() && self.ended.is_none()
    }
}

/// All clients of a history, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Logs {
    pub(super) clients: BTreeMap<String, LogState>,
    /// The daemon's footprint before the first client connected.
    pub(super) before: Option<Footprint>,
    /// Exchanges between daemon and engine about logs.
    pub(super) exchanges: BTreeMap<u64, LogExchange>,
}

impl Logs {
    /// The harness measures the first footprint before it opens the first client.
    pub(super) fn measured(&mut self, footprint: &Footprint) {
        self.before.get_or_insert_with(|| footprint.clone());
    }

    pub(super) fn apply(&mut self, LogClient { client, event }: &LogClient, seq: u64) {
        // The request is the first record of a client.
        if let LogEvent::Asked { container, reads, target, .. } = event {
            let asked = LogState {
                container: container.clone(),
                reads: *reads,
                query: LogQuery::parse(target),
                asked_at: seq,
                ..LogState::default()
            };
            self.clients.insert(client.clone(), asked);
            return;
        }
        let state = self.clients.entry(client.clone()).or_default();
        match event {
            LogEvent::Asked { .. } => {}
            LogEvent::Unanswered { .. } => state.unanswered = true,
            LogEvent::Answered { status, .. } => {
                state.status = Some(*status);
                state.answered_at = Some(seq);
            }
            LogEvent::Received { bytes, lines, .. } => {
                state.bytes += bytes;
                state.lines += lines;
            }
            LogEvent::Reads => state.reads = true,
            LogEvent::Left { how } => state.left = Some(*how),
            LogEvent::Ended { code, .. } => state.ended = Some(*code),
        }
    }

    /// Takes a message between daemon and engine.
    pub(super) fn apply_wire(&mut self, message: &WireMessage, seq: u64) {
        if let WireWhat::Request { target, route, .. } = &message.event {
            if route.as_deref() == Some(LOGS) {
                let exchange = LogExchange {
                    container: object_in(LOGS, target).unwrap_or_default(),
                    query: LogQuery::parse(target),
                    asked_at: seq,
                    ..LogExchange::default()
                };
                self.exchanges.insert(message.exchange, exchange);
            }
            return;
        }
        let Some(exchange) = self.exchanges.get_mut(&message.exchange) else { return };
        match &message.event {
            WireWhat::Response { status } => exchange.is_refused = *status != 200,
            WireWhat::Finished { .. } => exchange.is_finished = true,
            WireWhat::Faulted { .. }
            | WireWhat::Held { .. }
            | WireWhat::Cut
            | WireWhat::UpstreamLost { .. } => exchange.is_disturbed = true,
            WireWhat::Opened
            | WireWhat::Request { .. }
            | WireWhat::Released { .. }
            | WireWhat::Abandoned { .. }
            | WireWhat::Frame { .. }
            | WireWhat::Upgraded
            | WireWhat::Refused
            | WireWhat::Malformed { .. }
            | WireWhat::Closed => {}
        }
    }

    /// The exchanges that may be for a client. The daemon asks the engine before it answers the client
    /// (contract 6.1.12, 6.1.13); one that asks later is believed, if it has not asked before.
    pub(super) fn exchanges_for(&self, client: &str) -> impl Iterator<Item = (u64, &LogExchange)> {
        let state = self.clients.get(client);
        let fits = move |exchange: &LogExchange| {
            state.is_some_and(|state| {
                let container = state.container.as_deref().unwrap_or_default();
                exchange.asked_at > state.asked_at
                    && !exchange.is_refused
                    && is_of(&exchange.container, container)
                    && state.query.is_asked_by(&exchange.query)
            })
        };
        let is_before_answer = move |exchange: &LogExchange| {
            let answered_at = state.and_then(|state| state.answered_at);
            answered_at.is_none_or(|answered_at| exchange.asked_at < answered_at)
        };
        let fitting = move || self.exchanges.iter().filter(move |(_, exchange)| fits(exchange));
        let is_asked_in_time = fitting().any(|(_, exchange)| is_before_answer(exchange));
        fitting()
            .filter(move |(_, exchange)| !is_asked_in_time || is_before_answer(exchange))
            .map(|(number, exchange)| (*number, exchange))
    }
}

/// Digits of an ID that Docker shows, which are enough to name a container.
const SHORT: usize = 12;

/// Whether a container is the one with this full ID.
fn is_of(named: &str, id: &str) -> bool {
    named.len() >= SHORT && id.starts_with(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Codes, Phase};

    const ID: &str = "0123456789abcdef";

    /// The exchanges of a client that asked in record 10 and was answered in record 20, if the daemon
    /// has asked the engine for these logs, each in an exchange and a record of this number.
    fn exchanges(requests: &[(u64, &str)]) -> Vec<u64> {
        let mut logs = Logs::default();
        let of = |event| LogClient { client: "c".to_owned(), event };
        let asked = LogEvent::Asked {
            target: format!("/passthrough/engine/logs/{ID}"),
            container: Some(ID.to_owned()),
            promised: Codes::One(101),
            reads: true,
        };
        logs.apply(&of(asked), 10);
        logs.apply(&of(LogEvent::Answered { status: 101, text: String::new() }), 20);
        for (number, container) in requests {
            let request = WireWhat::Request {
                method: "GET".to_owned(),
                target: format!("/v1.41/containers/{container}/logs?follow=1&stdout=1&stderr=1"),
                route: Some(LOGS.to_owned()),
                phase: Phase::Steady,
            };
            let message = WireMessage { connection: 0, exchange: *number, event: request };
            logs.apply_wire(&message, *number);
        }
        logs.exchanges_for("c").map(|(exchange, _)| exchange).collect()
    }

    // Requests before and after are of other clients. A short ID names the container, too.
    #[test]
    fn a_clients_exchange_is_asked_for_between_its_request_and_its_answer() {
        let of = [(9, ID), (15, ID), (16, "0123456789ab"), (17, "fedcba987654"), (25, ID)];
        assert_eq!(exchanges(&of), [15, 16]);
    }

    // A daemon that opens the WebSocket first is late, and not wrong.
    #[test]
    fn a_daemon_that_asks_later_is_believed_if_it_has_not_asked_before() {
        assert_eq!(exchanges(&[(9, ID), (25, ID)]), [25]);
        assert_eq!(exchanges(&[(9, ID)]), [0; 0]);
    }

    // An answer that is no log cannot be what the client received.
    #[test]
    fn a_refused_request_is_nobodys_log() {
        let mut exchange = Logs::default();
        let request = WireWhat::Request {
            method: "GET".to_owned(),
            target: format!("/containers/{ID}/logs"),
            route: Some(LOGS.to_owned()),
            phase: Phase::Steady,
        };
        let see = |logs: &mut Logs, event| {
            logs.apply_wire(&WireMessage { connection: 0, exchange: 1, event }, 1);
        };
        see(&mut exchange, request);
        assert!(!exchange.exchanges[&1].is_refused);
        see(&mut exchange, WireWhat::Response { status: 500 });
        assert!(exchange.exchanges[&1].is_refused);
    }
}
