//! Starts and closes a wire.

use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use crate::dialect::Dialect;
use crate::error::WireError;
use crate::event::{Event, Tap};
use crate::listener::{accept_clients, join_all};
use crate::shared::Shared;
use crate::transport::connector::{Connector, Upstream};
use crate::transport::endpoint::{Endpoint, Listen};
use crate::wire::Wire;

/// Where a wire listens, where it connects to, and who receives its events.
pub struct WireConfig {
    /// Where clients connect.
    pub listen: Listen,
    /// The server to which the wire forwards.
    pub upstream: Upstream,
    /// The API that is spoken on the wire.
    pub dialect: Dialect,
    /// Receives every event, in order for each connection. It must never block, because it is
    /// called by the tasks that forward.
    pub sink: Arc<dyn Fn(Event) + Send + Sync>,
    /// Receives the content of some responses.
    pub tap: Option<Tap>,
}

impl Wire {
    /// Binds a wire and starts forwarding.
    ///
    /// On a unix socket, a socket file that no process serves is replaced; a file of another kind
    /// is not.
    ///
    /// # Errors
    /// On a unix socket, if the path is too long, its directory does not exist, another process
    /// listens there, or it cannot be bound. On TCP, if the address cannot be bound. With a TLS
    /// upstream, if its authority or name cannot be used.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(config: WireConfig) -> Result<Self, WireError> {
        let WireConfig { listen, upstream, dialect, sink, tap } = config;
        // The connector first: if it fails, there is no socket to remove.
        let connector = Connector::new(upstream)?;
        let endpoint = Endpoint::bind(listen).await?;
        let shared = Arc::new(Shared::new((sink, tap), dialect, endpoint, connector));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept_clients(shared.clone()));
        Ok(Self { shared, tasks: Arc::new(Mutex::new(Some(tasks))) })
    }

    /// Closes all connections, abandons the messages that gates hold, joins every task, and removes
    /// the socket file or gives the port back.
    ///
    /// # Errors
    /// If the socket file cannot be removed.
    ///
    /// # Panics
    /// If a task of the wire has panicked, with the panic of this task.
    pub async fn close(self) -> Result<(), WireError> {
        self.shared.closing.send_replace(true);
        // A clone of this handle may close the wire, too: only the first one finds the tasks.
        let tasks = self.tasks.lock().expect("no code panics while it holds the tasks").take();
        if let Some(tasks) = tasks {
            join_all(tasks).await;
        }
        // Last: until the tasks have ended, one of them could still accept a client.
        self.shared.endpoint.close()
    }
}
