//! The handle of a wire: its status, and the gates on it. `faults` adds the faults, `lifecycle` the
//! start and the end.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use crate::connection_state::{Activity, ConnectionState};
use crate::gate::{Gate, HoldEach};
use crate::phase::Phase;
use crate::point::Point;
use crate::rules::fault::Effect;
use crate::rules::latch::Latch;
use crate::rules::line::Line;
use crate::rules::matcher::Matcher;
use crate::shared::Shared;

/// The state of a wire at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireStatus {
    /// Number of requests that the wire has read and whose response it has not forwarded to its
    /// end. Does not count event streams, nor what has no end of its own: an upgraded connection, a
    /// followed log, a wait for a container.
    pub in_flight: usize,
    /// Number of messages that gates hold.
    pub held: usize,
    /// Number of open event streams.
    pub event_streams: usize,
    /// Phase of the client's connection to the upstream.
    pub phase: Phase,
}

/// An interposer between clients and their upstream: a daemon and its engine, or clients and an API
/// server. Clones are handles of the same wire.
#[derive(Clone)]
pub struct Wire {
    pub(crate) shared: Arc<Shared>,
    /// None after the wire was closed.
    pub(crate) tasks: Arc<Mutex<Option<JoinSet<()>>>>,
}

impl Wire {
    /// The TCP address on which the wire listens, with the port that the system chose; none on a
    /// unix socket.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.shared.endpoint.address()
    }

    /// Arms a gate. It holds one message: of those that match, the n-th, or the first if the
    /// matcher has no `nth`. All others pass.
    ///
    /// For every message the first rule that wants it decides, in the order of arming, and the
    /// rules behind it do not count the message.
    pub fn hold(&self, name: &str, matcher: Matcher, point: Point) -> Gate {
        let latch = Latch::new(name);
        let rule = self.shared.rules.arm(name, matcher, Effect::Hold(point, latch.clone()));
        Gate::new(latch, rule)
    }

    /// Holds every message from here on: each request, each response, each frame of an event stream. Rules
    /// that were armed before decide first.
    pub fn hold_each(&self, name: &str) -> HoldEach {
        let (line, stopped) = Line::new(name);
        let rules = [Point::Request, Point::Response, Point::Frame].map(|point| {
            let effect = Effect::HoldEach(point, line.clone());
            self.shared.rules.arm(name, Matcher::default(), effect)
        });
        HoldEach::new(rules, stopped)
    }

    /// The state of the wire at this instant.
    #[must_use]
    pub fn status(&self) -> WireStatus {
        // One lock for all numbers, so that they belong to the same instant.
        let state = self.shared.state();
        let count = |is: fn(&ConnectionState) -> bool| {
            state.connections.values().filter(|connection| is(connection)).count()
        };
        WireStatus {
            in_flight: count(|connection| connection.activity() == Activity::Exchange),
            held: count(ConnectionState::is_held),
            event_streams: state.phases.open_streams(),
            phase: state.phases.current(),
        }
    }

    /// Begins with the phase `Bootstrap` again, because the client process is started again.
    pub fn reset_phase(&self) {
        self.shared.state().phases.reset();
    }
}
