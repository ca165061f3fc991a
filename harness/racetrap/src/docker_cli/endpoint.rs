//! The user's engine: the engine of the world behind a wire of its own, at the address that a
//! scenario chooses.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use racetrap_history::{EndpointOp, What};
use racetrap_wire::{Dialect, Listen, Upstream, Wire, WireConfig, WireError};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;

use super::layout::CliLayout;
use super::listener::serve_each;
use crate::recorder::Recorder;
use crate::wire_record::wire_message;

/// The address of the docker command's context `default`.
const DEFAULT: &str = "unix:///var/run/docker.sock";

/// The user's engine. Dropping it ends the connections over TCP.
pub(super) struct Endpoint {
    wire: Wire,
    address: String,
    _forwarding: JoinSet<()>,
}

/// The user's engine could not be made reachable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The wire before it could not be started.
    #[error("the wire before the user's engine could not be started")]
    Wire(#[from] WireError),
    /// The harness could not listen on a TCP port.
    #[error("the user's engine could not listen on a TCP port")]
    Port(#[from] io::Error),
}

impl Endpoint {
    /// Starts a wire before the engine at `upstream`, at the address that `op` chooses. Returns
    /// `None` if the engine shall not be reachable.
    pub(super) async fn open(
        op: EndpointOp,
        layout: &CliLayout,
        upstream: PathBuf,
        recorder: &Recorder,
    ) -> Result<Option<Self>, EndpointError> {
        let (path, tcp) = match op {
            EndpointOp::Gone => return Ok(None),
            EndpointOp::Unix => (layout.socket.clone(), false),
            EndpointOp::Tcp => (layout.socket.clone(), true),
            EndpointOp::Default => (layout.run.join("docker.sock"), false),
        };
        let recorder = recorder.clone();
        let wire = Wire::start(WireConfig {
            listen: Listen::Unix(path.clone()),
            upstream: Upstream::Unix(upstream),
            dialect: Dialect::Docker,
            sink: Arc::new(move |event| recorder.append(What::UserWire(wire_message(event)))),
            tap: None,
        });
        let wire = wire.await?;
        let mut forwarding = JoinSet::new();
        let address = if tcp {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let address = format!("tcp://{}", listener.local_addr()?);
            // The wire listens only on unix sockets, so TCP is forwarded to one.
            forwarding.spawn(serve_each(listener, move |client| forward(client, path.clone())));
            address
        } else if op == EndpointOp::Default {
            DEFAULT.to_owned()
        } else {
            format!("unix://{}", path.display())
        };
        Ok(Some(Self { wire, address, _forwarding: forwarding }))
    }

    /// The address as `DOCKER_HOST` takes it.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Stops the wire.
    pub(super) async fn close(self) -> Result<(), WireError> {
        self.wire.close().await
    }
}

/// Copies bytes in both directions between a TCP client and the wire at `path`.
async fn forward(mut client: TcpStream, path: PathBuf) {
    // An error of one side ends the connection of both, which is what the other side must see.
    if let Ok(mut wire) = UnixStream::connect(&path).await {
        let _ = tokio::io::copy_bidirectional(&mut client, &mut wire).await;
    }
}
