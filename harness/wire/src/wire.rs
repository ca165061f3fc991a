//! The wire itself: where it is bound, whom it accepts, and how it ends.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::dialect::Dialect;
use crate::event::{Event, What};
use crate::gate::{Gate, GateCore};
use crate::listener::{accept, join};
use crate::live::{Activity, Live};
use crate::phase::{Phase, Phases};
use crate::rule::{Effect, Matcher, Point, Rules};
use crate::transport::connector::{Connector, Upstream};
use crate::transport::endpoint::{Endpoint, Listen, SOCKET_PATH_MAX};
use crate::transport::tls::TlsError;

/// Where a wire is, and who is told of what happens on it.
pub struct WireConfig {
    /// Where clients find it.
    pub listen: Listen,
    /// Whom it stands before.
    pub upstream: Upstream,
    /// What is spoken there.
    pub dialect: Dialect,
    /// Is told every event, in order for each connection; it must never block.
    pub sink: Arc<dyn Fn(Event) + Send + Sync>,
}

/// A wire could not be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// No unix socket can have this path.
    #[error("{path} has {length} bytes, and a unix socket's path holds {SOCKET_PATH_MAX}")]
    TooLong {
        /// The path.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
    },
    /// Somebody else serves there.
    #[error("{path} is busy: another process answers there")]
    Busy {
        /// The path.
        path: PathBuf,
    },
    /// There is no directory to bind in.
    #[error("{path} could not be bound: there is no directory {parent}")]
    NoParent {
        /// The path.
        path: PathBuf,
        /// What should be a directory.
        parent: PathBuf,
    },
    /// The file system refused.
    #[error("{path} could not be bound")]
    Bind {
        /// The path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The address could not be had.
    #[error("{address} could not be bound")]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The upstream's authority or name cannot be used.
    #[error("TLS to the upstream could not be set up")]
    Tls(#[from] TlsError),
    /// The socket could not be taken away.
    #[error("{path} could not be removed")]
    Remove {
        /// The path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// What a wire is like at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireStatus {
    /// Requests that have come and whose response has not been passed on to its end. Streams of
    /// events are not counted, nor is what has no end of its own: an upgraded connection, a followed
    /// log, a wait for a container.
    pub in_flight: usize,
    /// Messages that stand at gates.
    pub held: usize,
    /// Streams of events that are open.
    pub event_streams: usize,
    /// Phase of the daemon's connection to the engine.
    pub phase: Phase,
}

/// An interposer between a daemon and its engine, or between clients and a daemon's API server;
/// clones are the same wire.
#[derive(Clone)]
pub struct Wire {
    pub(crate) shared: Arc<Shared>,
    tasks: Arc<Mutex<Option<JoinSet<()>>>>,
}

/// What all connections of a wire share.
pub(crate) struct Shared {
    sink: Arc<dyn Fn(Event) + Send + Sync>,
    pub(crate) dialect: Dialect,
    pub(crate) endpoint: Endpoint,
    pub(crate) connector: Connector,
    pub(crate) rules: Arc<Rules>,
    pub(crate) closing: watch::Sender<bool>,
    exchanges: AtomicU64,
    state: Mutex<State>,
}

/// What changes while a wire lives.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) phases: Phases,
    pub(crate) connections: BTreeMap<u64, Arc<Live>>,
    /// Refusals that are in force.
    pub(crate) refusals: usize,
}

impl Wire {
    /// Binds a wire and forwards from then on.
    ///
    /// # Errors
    /// Where the path is too long, in no directory, served by somebody else, or cannot be bound. A
    /// socket file that nobody serves any more is replaced; a file of another kind is not. On TCP,
    /// where the address cannot be bound; with an upstream of TLS, where its authority or name
    /// cannot be used.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(config: WireConfig) -> Result<Self, WireError> {
        let WireConfig { listen, upstream, dialect, sink } = config;
        let connector = Connector::new(upstream)?;
        let endpoint = Endpoint::bind(listen).await?;
        let shared = Arc::new(Shared {
            sink,
            dialect,
            endpoint,
            connector,
            rules: Arc::default(),
            closing: watch::Sender::new(false),
            exchanges: AtomicU64::new(0),
            state: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(shared.clone()));
        Ok(Self { shared, tasks: Arc::new(Mutex::new(Some(tasks))) })
    }

    /// Where it listens, with the port that the system chose; none on a unix socket.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.shared.endpoint.address()
    }

    /// Arms a gate for the one message that `matcher` names: the n-th that fits, or the first.
    /// All others pass. The first rule that fits a message decides, in the order of arming, and no
    /// later one counts that message.
    pub fn hold(&self, name: &str, matcher: Matcher, point: Point) -> Gate {
        let core = GateCore::new(name);
        let armed = self.shared.rules.arm(name, matcher, Effect::Hold(point, core.clone()));
        Gate::new(core, armed)
    }

    /// What the wire is like now.
    #[must_use]
    pub fn status(&self) -> WireStatus {
        let state = self.shared.state();
        let count =
            |is: fn(&Live) -> bool| state.connections.values().filter(|live| is(live)).count();
        WireStatus {
            in_flight: count(|live| live.activity() == Activity::Exchange),
            held: count(Live::is_held),
            event_streams: state.phases.open(),
            phase: state.phases.now(),
        }
    }

    /// The daemon starts anew: the next connection is a bootstrap again.
    pub fn forget_phase(&self) {
        self.shared.state().phases.forget();
    }

    /// Ends all connections, with what is held on them, joins every task, and removes the socket
    /// or gives the port back.
    ///
    /// # Errors
    /// Where the socket file cannot be removed.
    ///
    /// # Panics
    /// With the panic of any task of the wire.
    pub async fn close(self) -> Result<(), WireError> {
        self.shared.closing.send_replace(true);
        let tasks = self.tasks.lock().expect("nothing panics while it holds the tasks").take();
        if let Some(tasks) = tasks {
            join(tasks).await;
        }
        self.shared.endpoint.shut()
    }
}

impl Shared {
    pub(crate) fn tell(&self, connection: u64, exchange: u64, what: What) {
        (self.sink)(Event { connection, exchange, what });
    }

    pub(crate) fn next_exchange(&self) -> u64 {
        self.exchanges.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the state")
    }
}
