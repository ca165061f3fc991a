//! The wire itself: where it is bound, whom it accepts, and how it ends.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use crate::connection;
use crate::event::{Event, What};
use crate::gate::{Gate, GateCore};
use crate::phase::{Phase, Phases};
use crate::rule::{Effect, Matcher, Point, Rules};
use crate::socket;
use crate::teller::Teller;

/// How long a wire that could not accept waits for a file descriptor before it tries again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where a wire is, and who is told of what happens on it.
pub struct WireConfig {
    /// Path at which the daemon looks for its engine; nothing else may be bound there.
    pub listen: PathBuf,
    /// The engine's own socket.
    pub upstream: PathBuf,
    /// Is told every event, in order for each connection; it must never block.
    pub sink: Arc<dyn Fn(Event) + Send + Sync>,
}

/// A wire could not be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// No unix socket can have this path.
    #[error("{path} has {length} bytes, and a unix socket's path holds {}", socket::PATH_MAX)]
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
    /// The file system refused.
    #[error("{path} could not be bound")]
    Bind {
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
    /// Streams of events that are open.
    pub event_streams: usize,
    /// Phase of the daemon's connection to the engine.
    pub phase: Phase,
}

/// An interposer between a daemon and its engine; clones are the same wire.
#[derive(Clone)]
pub struct Wire {
    pub(crate) shared: Arc<Shared>,
    /// The one task that accepts; it owns the tasks of all connections.
    accepting: Arc<Mutex<JoinSet<()>>>,
}

/// What all connections of a wire share.
pub(crate) struct Shared {
    pub(crate) config: WireConfig,
    pub(crate) rules: Arc<Rules>,
    pub(crate) listener: watch::Sender<Option<Arc<UnixListener>>>,
    /// A socket can be bound again from outside of the runtime, as when a guard is dropped.
    pub(crate) runtime: Handle,
    closing: watch::Sender<bool>,
    exchanges: AtomicU64,
    state: StdMutex<State>,
}

/// What changes while a wire lives.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) phases: Phases,
    pub(crate) connections: BTreeMap<u64, Live>,
    /// How many ask for new connections to be refused.
    pub(crate) refusals: usize,
}

/// An open connection, as others see it.
pub(crate) struct Live {
    pub(crate) carries_events: bool,
    pub(crate) cut: watch::Sender<bool>,
}

impl Wire {
    /// Binds a wire and forwards from then on.
    ///
    /// # Errors
    /// Where the path is too long, served by somebody else, or cannot be bound. A socket file that
    /// nobody serves any more is replaced; any other file is left alone.
    pub async fn start(config: WireConfig) -> Result<Self, WireError> {
        let listener = socket::bind(&config.listen).await?;
        let shared = Arc::new(Shared {
            config,
            rules: Arc::default(),
            listener: watch::Sender::new(Some(Arc::new(listener))),
            runtime: Handle::current(),
            closing: watch::Sender::new(false),
            exchanges: AtomicU64::new(0),
            state: StdMutex::default(),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(shared.clone()));
        Ok(Self { shared, accepting: Arc::new(Mutex::new(accepting)) })
    }

    /// Arms a gate for the one message that `matcher` names.
    pub fn hold(&self, name: &str, matcher: Matcher, point: Point) -> Gate {
        let core = GateCore::new(name);
        let armed = self.shared.rules.arm(name, matcher, Effect::Hold(point, core.clone()));
        Gate::new(core, armed)
    }

    /// What the wire is like now.
    #[must_use]
    pub fn status(&self) -> WireStatus {
        let state = self.shared.state();
        WireStatus { event_streams: state.phases.open(), phase: state.phases.now() }
    }

    /// The daemon starts anew: the next connection is a bootstrap again.
    pub fn forget_phase(&self) {
        self.shared.state().phases.forget();
    }

    /// Ends all connections, joins every task, and removes the socket. Of several clones the first
    /// does so, and the others wait for it.
    ///
    /// # Errors
    /// Where the socket file cannot be removed.
    ///
    /// # Panics
    /// With the first panic of any task of the wire, after all else is done.
    pub async fn close(self) -> Result<(), WireError> {
        self.shared.closing.send_replace(true);
        // Cancel-safe: a task that was not joined stays in the set.
        let ended = self.accepting.lock().await.join_next().await;
        let unbound = self.shared.unbind();
        if let Some(panic) = ended.and_then(panic_of) {
            std::panic::resume_unwind(panic);
        }
        unbound
    }
}

impl Shared {
    pub(crate) fn tell(&self, connection: u64, exchange: u64, what: What) {
        (self.config.sink)(Event { connection, exchange, what });
    }

    pub(crate) fn next_exchange(&self) -> u64 {
        self.exchanges.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the state")
    }

    pub(crate) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Removes the socket, where it is ours; one that was refused is not there any more.
    pub(crate) fn unbind(&self) -> Result<(), WireError> {
        let _state = self.state();
        match self.listener.send_replace(None) {
            Some(_) => socket::remove(&self.config.listen),
            None => Ok(()),
        }
    }
}

/// Accepts until the wire closes, and ends its connections then. A connection that panics takes no
/// other with it; the first panic is raised at the end.
async fn accept(shared: Arc<Shared>) {
    let mut closing = shared.closing.subscribe();
    let mut listeners = shared.listener.subscribe();
    let mut connections = JoinSet::new();
    let mut panic = None;
    let mut number = 0;
    loop {
        let listener = listeners.borrow_and_update().clone();
        let accepting = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        let accepted = tokio::select! {
            // Cancel-safe: the value stays true.
            _ = closing.wait_for(|closing| *closing) => break,
            // Cancel-safe: a change that was not seen stays unseen.
            _ = listeners.changed() => continue,
            // Cancel-safe: a result that was not taken stays in the set.
            Some(ended) = connections.join_next() => {
                panic = panic.or(panic_of(ended));
                continue;
            }
            // Cancel-safe: no connection is lost when `accept` is dropped.
            accepted = accepting => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                number += 1;
                connections.spawn(serve(shared.clone(), stream, number));
            }
            Err(error) => {
                let rule = "accept".to_owned();
                shared.tell(0, 0, What::Faulted { rule, fault: error.to_string() });
                // It fails for want of descriptors and would fail again at once; nothing tells
                // when another part of the process frees one.
                let _ = timeout(ACCEPT_PAUSE, closing.wait_for(|closing| *closing)).await;
            }
        }
    }
    for live in shared.state().connections.values() {
        live.cut.send_replace(true);
    }
    while let Some(ended) = connections.join_next().await {
        panic = panic.or(panic_of(ended));
    }
    if let Some(panic) = panic {
        std::panic::resume_unwind(panic);
    }
}

/// Serves one connection until it ends or is cut.
async fn serve(shared: Arc<Shared>, stream: UnixStream, number: u64) {
    let (listed, mut cutting) = Listed::new(&shared, number);
    shared.tell(number, 0, What::Opened);
    // A wire that began to close before this was listed did not cut it.
    if !shared.is_closing() {
        let exchange = AtomicU64::new(0);
        let teller = Teller { shared: &shared, connection: number, exchange: &exchange };
        tokio::select! {
            // Not cancel-safe, and need not be: a connection that is cut is not resumed.
            () = connection::serve(teller, stream) => {}
            // Cancel-safe: the value stays true.
            _ = cutting.wait_for(|cut| *cut) => {
                teller.tell(What::Cut);
            }
        }
    }
    drop(listed);
    shared.tell(number, 0, What::Closed);
}

/// A connection that can be cut as long as this value lives.
struct Listed<'a> {
    shared: &'a Shared,
    number: u64,
}

impl<'a> Listed<'a> {
    fn new(shared: &'a Shared, number: u64) -> (Self, watch::Receiver<bool>) {
        let (cut, cutting) = watch::channel(false);
        shared.state().connections.insert(number, Live { carries_events: false, cut });
        (Self { shared, number }, cutting)
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.shared.state().connections.remove(&self.number);
    }
}

/// A panic in a task of the wire is a panic of whoever closes it, and no silence.
fn panic_of(ended: Result<(), JoinError>) -> Option<Box<dyn Any + Send>> {
    ended.err().and_then(|error| error.try_into_panic().ok())
}
