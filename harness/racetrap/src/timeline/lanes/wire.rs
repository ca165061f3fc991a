//! The wires: each request from its arrival to its end, with the frames, gates and faults in
//! between.

use std::collections::BTreeMap;

use racetrap_history::{Record, What, WireMessage, WireWhat};

use super::{At, Item, Row, Source, Tone, pack};

/// Which of a daemon's wires.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Between daemon and engine.
    Engine,
    /// Between clients and the daemon's API.
    Clients,
    /// Between the daemon and the guest's Kubernetes.
    Kubernetes,
}

/// One request that has not ended yet.
struct Exchange {
    connection: u64,
    from: At,
    request: String,
    status: Option<u16>,
    /// The gate that holds one of its messages, and since when.
    standing: Option<(At, String)>,
    /// Items within the bar of the exchange.
    inner: Vec<Item>,
}

impl Exchange {
    /// Ends the exchange, and returns its bar followed by all items within it.
    fn end(mut self, at: At) -> Vec<Item> {
        self.go_on(at);
        let status = self.status.map(|status| format!(" {status}")).unwrap_or_default();
        let label = format!("{}{status}", self.request);
        let mut items = vec![Item::bar(self.from, at, Tone::Plain, label)];
        items.append(&mut self.inner);
        items
    }

    /// Ends the bar of a held message, if there is one.
    fn go_on(&mut self, at: At) {
        if let Some((since, gate)) = self.standing.take() {
            let label = format!("HELD at {gate}: {}", self.request);
            self.inner.push(Item::bar(since, at, Tone::Held, label));
        }
    }
}

/// Exchanges in as few rows as possible, and one row for the events of connections.
pub(super) fn rows(source: &Source<'_>, which: Which) -> Vec<Row> {
    let mut lane = Lane::default();
    for record in &source.records {
        match &record.what {
            What::Wire(message) if which == Which::Engine => lane.take(record, message, source),
            What::ApiWire(message) if which == Which::Clients => lane.take(record, message, source),
            What::KubernetesWire(message) if which == Which::Kubernetes => {
                lane.take(record, message, source);
            }
            _ => {}
        }
    }
    // The run ended while these were open.
    for exchange in std::mem::take(&mut lane.open).into_values() {
        lane.groups.push(exchange.end(source.end));
    }
    let mut rows = pack("requests", lane.groups);
    rows.push(Row::new("connections", lane.connections));
    rows
}

#[derive(Default)]
struct Lane {
    open: BTreeMap<u64, Exchange>,
    groups: Vec<Vec<Item>>,
    connections: Vec<Item>,
}

impl Lane {
    fn take(&mut self, record: &Record, message: &WireMessage, source: &Source<'_>) {
        let (at, text) = (At::from(record), source.text(record));
        let exchange = self.open.get_mut(&message.exchange);
        match &message.event {
            WireWhat::Request { .. } => {
                let exchange = Exchange {
                    connection: message.connection,
                    from: at,
                    request: short(text),
                    status: None,
                    standing: None,
                    inner: Vec::new(),
                };
                self.open.insert(message.exchange, exchange);
            }
            WireWhat::Held { gate, point } => {
                if let Some(exchange) = exchange {
                    exchange.standing = Some((at, format!("{gate} ({point})")));
                }
            }
            WireWhat::Released { .. } => {
                if let Some(exchange) = exchange {
                    exchange.go_on(at);
                }
            }
            WireWhat::Response { status } => {
                if let Some(exchange) = exchange {
                    exchange.status = Some(*status);
                }
            }
            // The mark also ends the bar of the held message; see `mark`.
            WireWhat::Abandoned { .. } => self.mark(message, at, Tone::Doubt, text),
            WireWhat::Frame { .. } => self.mark(message, at, Tone::Changed, text),
            WireWhat::Upgraded => self.mark(message, at, Tone::Faint, text),
            WireWhat::Faulted { .. } => self.mark(message, at, Tone::Fault, text),
            WireWhat::Finished { .. } => self.end(message.exchange, at),
            WireWhat::Cut => {
                self.mark(message, at, Tone::Fault, text);
                self.end(message.exchange, at);
            }
            WireWhat::UpstreamLost { .. } | WireWhat::Malformed { .. } => {
                self.mark(message, at, Tone::Bad, text);
                self.end(message.exchange, at);
            }
            WireWhat::Refused => self.connections.push(Item::mark(at, Tone::Fault, text)),
            WireWhat::Opened => self.connections.push(Item::mark(at, Tone::Faint, text)),
            WireWhat::Closed => {
                self.connections.push(Item::mark(at, Tone::Faint, text));
                // A connection takes all of its exchanges with it.
                let of_it = |open: &Exchange| open.connection == message.connection;
                let ended = self.open.iter().filter(|(_, open)| of_it(open)).map(|(id, _)| *id);
                for id in ended.collect::<Vec<_>>() {
                    self.end(id, at);
                }
            }
        }
    }

    /// Adds a mark to the exchange of a message, or to the row of connections if that exchange has
    /// ended.
    fn mark(&mut self, message: &WireMessage, at: At, tone: Tone, text: &str) {
        let mark = Item::mark(at, tone, text);
        match self.open.get_mut(&message.exchange) {
            Some(exchange) => {
                if matches!(message.event, WireWhat::Abandoned { .. }) {
                    exchange.go_on(at);
                }
                exchange.inner.push(mark);
            }
            None => self.connections.push(mark),
        }
    }

    fn end(&mut self, exchange: u64, at: At) {
        self.groups.extend(self.open.remove(&exchange).map(|exchange| exchange.end(at)));
    }
}

/// Shortens the text of a request to `GET /containers/json`: without arrow, phase, query, and
/// version of the API.
fn short(text: &str) -> String {
    let text = text.split_once("-> ").map_or(text, |(_, request)| request);
    let text = text.rsplit_once(" [").map_or(text, |(request, _)| request);
    let text = text.split_once('?').map_or(text, |(request, _)| request);
    match text.split_once(" /v") {
        Some((method, path)) if path.starts_with(|c: char| c.is_ascii_digit()) => {
            let path = path.split_once('/').map_or("", |(_, path)| path);
            format!("{method} /{path}")
        }
        _ => text.to_owned(),
    }
}
