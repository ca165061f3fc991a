//! The scene of every test: a wire, the daemon's end before it and the engine's end behind it.

use std::path::PathBuf;
use std::sync::Arc;

use racetrap_wire::{Event, What, Wire, WireConfig};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::peer::{LIMIT, Peer};

pub(crate) struct Scene {
    pub(crate) wire: Wire,
    pub(crate) engine: UnixListener,
    pub(crate) events: Events,
    pub(crate) directory: TempDir,
}

impl Scene {
    pub(crate) async fn set() -> Self {
        let directory = TempDir::new().unwrap();
        let engine = UnixListener::bind(directory.path().join("engine")).unwrap();
        let (config, events) = config(&directory);
        let wire = Wire::start(config).await.unwrap();
        Self { wire, engine, events, directory }
    }

    /// Where the daemon finds the wire.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("wire")
    }

    /// The daemon's end of a new connection, and the engine's.
    pub(crate) async fn connect(&self) -> (Peer, Peer) {
        let daemon = self.daemon().await;
        (daemon, self.engine().await)
    }

    pub(crate) async fn daemon(&self) -> Peer {
        Peer::new(UnixStream::connect(self.path()).await.unwrap(), "daemon")
    }

    pub(crate) async fn engine(&self) -> Peer {
        let accepted = timeout(LIMIT, self.engine.accept()).await.expect("the wire connects");
        Peer::new(accepted.unwrap().0, "engine")
    }

    /// Closes the wire, so that a panic in one of its tasks fails the test.
    pub(crate) async fn end(self) {
        timeout(LIMIT, self.wire.close()).await.expect("a wire closes").unwrap();
    }
}

/// A wire's places in a directory, and the events that it will tell.
pub(crate) fn config(directory: &TempDir) -> (WireConfig, Events) {
    let (sender, receiver) = unbounded_channel();
    let config = WireConfig {
        listen: directory.path().join("wire"),
        upstream: directory.path().join("engine"),
        // A test that has ended hears no more.
        sink: Arc::new(move |event| drop(sender.send(event))),
    };
    (config, Events { receiver, seen: Vec::new() })
}

/// What the wire has told so far.
pub(crate) struct Events {
    receiver: UnboundedReceiver<Event>,
    seen: Vec<Event>,
}

impl Events {
    /// Waits until the wire tells this; what was told before and not asked for is passed over.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&What) -> bool) -> Event {
        loop {
            match timeout(LIMIT, self.receiver.recv()).await {
                Ok(Some(event)) => {
                    self.seen.push(event.clone());
                    if wanted(&event.what) {
                        return event;
                    }
                }
                other => panic!("{other:?}; the wire has told only {:#?}", self.seen),
            }
        }
    }

    /// All that was told, once the wire is closed.
    pub(crate) async fn all(mut self) -> Vec<Event> {
        while let Some(event) = self.receiver.recv().await {
            self.seen.push(event);
        }
        self.seen
    }
}
