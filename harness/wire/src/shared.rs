//! What all connections of a wire share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;

use crate::call::Call;
use crate::connection_state::ConnectionState;
use crate::dialect::Dialect;
use crate::event::{Event, Tap, What};
use crate::injection::InjectionQueues;
use crate::phase::Phases;
use crate::rules::registry::Rules;
use crate::transport::connector::Connector;
use crate::transport::endpoint::Endpoint;

/// Receives every event of a wire.
pub(crate) type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// What all connections of a wire share.
pub(crate) struct Shared {
    sink: Sink,
    tap: Option<Tap>,
    pub(crate) dialect: Dialect,
    pub(crate) endpoint: Endpoint,
    pub(crate) connector: Connector,
    pub(crate) rules: Arc<Rules>,
    pub(crate) injections: InjectionQueues,
    /// Becomes true when the wire closes, and stays true.
    pub(crate) closing: watch::Sender<bool>,
    /// Number of the last exchange.
    exchanges: AtomicU64,
    state: Mutex<State>,
}

/// What changes while a wire is open.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) phases: Phases,
    /// Open connections by their number.
    pub(crate) connections: BTreeMap<u64, Arc<ConnectionState>>,
    /// Number of refusals that are in force.
    pub(crate) refusals: usize,
}

impl Shared {
    pub(crate) fn new(
        (sink, tap): (Sink, Option<Tap>),
        dialect: Dialect,
        endpoint: Endpoint,
        connector: Connector,
    ) -> Self {
        Self {
            sink,
            tap,
            dialect,
            endpoint,
            connector,
            rules: Arc::default(),
            injections: InjectionQueues::default(),
            closing: watch::Sender::new(false),
            exchanges: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// Reports an event to the sink. `exchange` is 0 for an event that belongs to no exchange.
    pub(crate) fn report(&self, connection: u64, exchange: u64, what: What) {
        (self.sink)(Event { connection, exchange, what });
    }

    /// The tap for the content of this call's response, if there is one.
    pub(crate) fn tap_of(&self, call: &Call) -> Option<&Tap> {
        self.tap.as_ref().filter(|tap| call.route.template == Some(tap.route))
    }

    pub(crate) fn next_exchange(&self) -> u64 {
        self.exchanges.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds the state")
    }
}
