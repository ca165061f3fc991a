//! The user's own engine: the world's, behind a wire of its own, at the place that a scenario names.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use racetrap_history::{EndpointOp, What};
use racetrap_wire::{Dialect, Listen, Upstream, Wire, WireConfig, WireError};
use tokio::net::{TcpListener, UnixStream};
use tokio::task::JoinSet;

use super::place::Place;
use crate::recorder::Recorder;
use crate::wire_record::wire_message;

/// Where the context `default` leads.
const DEFAULT: &str = "unix:///var/run/docker.sock";

/// The user's engine, for as long as this value lives.
pub(super) struct Endpoint {
    wire: Wire,
    address: String,
    _forwarding: JoinSet<()>,
}

/// The user's engine could not be put at its place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It could not be bound.
    #[error("there is no wire before the user's engine")]
    Wire(#[from] WireError),
    /// There is no port.
    #[error("there is no port for the user's engine")]
    Port(#[from] io::Error),
}

impl Endpoint {
    /// Puts a wire before the engine at `upstream`, at the place that is asked for; none, where it shall
    /// be nowhere.
    pub(super) async fn open(
        op: EndpointOp,
        place: &Place,
        upstream: PathBuf,
        recorder: &Recorder,
    ) -> Result<Option<Self>, EndpointError> {
        let (path, tcp) = match op {
            EndpointOp::Gone => return Ok(None),
            EndpointOp::Unix => (place.socket.clone(), false),
            EndpointOp::Tcp => (place.socket.clone(), true),
            EndpointOp::Default => (place.run.join("docker.sock"), false),
        };
        let recorder = recorder.clone();
        let wire = Wire::start(WireConfig {
            listen: Listen::Unix(path.clone()),
            upstream: Upstream::Unix(upstream),
            dialect: Dialect::Docker,
            sink: Arc::new(move |event| recorder.append(What::UserWire(wire_message(event)))),
        });
        let wire = wire.await?;
        let mut forwarding = JoinSet::new();
        let address = if tcp {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let address = format!("tcp://{}", listener.local_addr()?);
            forwarding.spawn(forward(listener, path));
            address
        } else if op == EndpointOp::Default {
            DEFAULT.to_owned()
        } else {
            format!("unix://{}", path.display())
        };
        Ok(Some(Self { wire, address, _forwarding: forwarding }))
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Takes it away.
    pub(super) async fn close(self) -> Result<(), WireError> {
        self.wire.close().await
    }
}

/// Carries bytes between a port and the wire.
async fn forward(listener: TcpListener, path: PathBuf) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Cancel-safe: documented by tokio; no connection is lost.
            accepted = listener.accept() => {
                // A client that went before it was accepted.
                let Ok((mut client, _)) = accepted else { continue };
                let path = path.clone();
                connections.spawn(async move {
                    // Either side may break off, and takes the other with it.
                    if let Ok(mut wire) = UnixStream::connect(&path).await {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut wire).await;
                    }
                });
            }
            // Cancel-safe: documented by tokio.
            Some(_) = connections.join_next() => {}
        }
    }
}
