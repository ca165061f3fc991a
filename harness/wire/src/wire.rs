//! The wire itself: where it is bound, whom it accepts, and how it ends.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::connection;
use crate::event::{Event, What};
use crate::gate::{Gate, GateCore};
use crate::phase::{Phase, Phases};
use crate::rule::{Effect, Matcher, Point, Rules};

/// Longest path of a unix socket in bytes: `sun_path` is 108 bytes with its final NUL (unix(7)).
const SOCKET_PATH_MAX: usize = 107;

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
    tasks: Arc<Mutex<Option<JoinSet<()>>>>,
}

/// What all connections of a wire share.
pub(crate) struct Shared {
    pub(crate) config: WireConfig,
    pub(crate) rules: Arc<Rules>,
    pub(crate) listener: watch::Sender<Option<Arc<UnixListener>>>,
    closing: watch::Sender<bool>,
    exchanges: AtomicU64,
    state: Mutex<State>,
}

/// What changes while a wire lives.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) phases: Phases,
    pub(crate) connections: BTreeMap<u64, Live>,
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
    /// nobody serves any more is replaced.
    pub async fn start(config: WireConfig) -> Result<Self, WireError> {
        let listener = bind(&config.listen).await?;
        let shared = Arc::new(Shared {
            config,
            rules: Arc::default(),
            listener: watch::Sender::new(Some(Arc::new(listener))),
            closing: watch::Sender::new(false),
            exchanges: AtomicU64::new(0),
            state: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(shared.clone()));
        Ok(Self { shared, tasks: Arc::new(Mutex::new(Some(tasks))) })
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

    /// Ends all connections, joins every task, and removes the socket.
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
        self.shared.listener.send_replace(None);
        remove_socket(&self.shared.config.listen)
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
}

/// Accepts until the wire closes, and ends its connections then.
async fn accept(shared: Arc<Shared>) {
    let mut closing = shared.closing.subscribe();
    let mut listeners = shared.listener.subscribe();
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        let listener = listeners.borrow_and_update().clone();
        let accepting = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // Cancel-safe: a change that was not seen stays unseen.
            _ = closing.changed() => break,
            // Cancel-safe, as above.
            _ = listeners.changed() => {}
            // Cancel-safe: no connection is lost when `accept` is dropped.
            accepted = accepting => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(shared.clone(), stream, number));
                number += 1;
            },
            // Cancel-safe: a result that was not taken stays in the set.
            Some(ended) = connections.join_next() => raise(ended),
        }
    }
    for live in shared.state().connections.values() {
        live.cut.send_replace(true);
    }
    join(connections).await;
}

/// Serves one connection until it ends or is cut.
async fn serve(shared: Arc<Shared>, stream: UnixStream, number: u64) {
    let (cut, mut cutting) = watch::channel(false);
    shared.state().connections.insert(number, Live { carries_events: false, cut });
    shared.tell(number, 0, What::Opened);
    let closing = *shared.closing.borrow();
    if !closing {
        let exchange = AtomicU64::new(0);
        tokio::select! {
            () = connection::serve(&shared, stream, number, &exchange) => {}
            // Cancel-safe: the value stays true.
            _ = cutting.wait_for(|cut| *cut) => {
                shared.tell(number, exchange.load(Ordering::Relaxed), What::Cut);
            }
        }
    }
    shared.state().connections.remove(&number);
    shared.tell(number, 0, What::Closed);
}

async fn join(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        raise(ended);
    }
}

/// A panic in a task of the wire is a panic of whoever closes it, and no silence.
fn raise(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Binds the path, where nobody serves there.
async fn bind(path: &Path) -> Result<UnixListener, WireError> {
    let length = path.as_os_str().len();
    if length > SOCKET_PATH_MAX {
        return Err(WireError::TooLong { path: path.to_owned(), length });
    }
    match UnixStream::connect(path).await {
        Ok(_) => return Err(WireError::Busy { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => remove_socket(path)?,
        Err(_) => {}
    }
    listen(path)
}

/// Binds a path at which nothing is.
pub(crate) fn listen(path: &Path) -> Result<UnixListener, WireError> {
    UnixListener::bind(path).map_err(|source| WireError::Bind { path: path.to_owned(), source })
}

/// Removes a socket file; one that is not there is what is wanted.
pub(crate) fn remove_socket(path: &Path) -> Result<(), WireError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(WireError::Bind { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
