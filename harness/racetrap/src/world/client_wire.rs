//! A wire between clients and the daemon's API: it carries the requests of `rdd set`, kubectl and
//! other clients.
//!
//! The harness rewrites the daemon's kubeconfig, so that every client of the world connects to the
//! wire instead of the API server. The harness's own clients go past the wire, so that no fault
//! touches what the history is judged by.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::Kubeconfig;
use racetrap_history::What;
use racetrap_wire::{Authority, Dialect, Listen, TlsError, Upstream, Wire, WireConfig, WireError};

use crate::daemon::{ApiServer, DaemonError, KubeconfigError};
use crate::recorder::Recorder;
use crate::wire_record::wire_message;

/// The wire before the daemon's API could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientWireError {
    #[error("the daemon does not name its kubeconfig")]
    Daemon(#[from] DaemonError),
    #[error("the API server cannot be found")]
    Kubeconfig(#[from] KubeconfigError),
    #[error("the wire has no address")]
    NoAddress,
    #[error("the kubeconfig {path} could not be rewritten")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the wire's certificate could not be created")]
    Tls(#[from] TlsError),
    #[error("the wire before the daemon's API did not start")]
    Wire(#[from] WireError),
}

/// Starts a wire before the API server that the kubeconfig at `path` names, and makes the
/// kubeconfig name the wire instead. Copies the original kubeconfig to `past_wire`.
pub(super) async fn insert_client_wire(
    path: &Path,
    past_wire: &Path,
    recorder: &Recorder,
) -> Result<Wire, ClientWireError> {
    let ApiServer { address, authority, .. } = ApiServer::read(path)?;
    // An authority of the wire's own: the harness does not have the key of the daemon's.
    let own = Authority::new()?;
    let listen =
        Listen::Tls { address: SocketAddr::from(([127, 0, 0, 1], 0)), identity: own.identity()? };
    let upstream = Upstream::Tls { address, authority, name: address.ip().to_string() };
    let recorder = recorder.clone();
    let sink = Arc::new(move |event| recorder.append(What::ApiWire(wire_message(event))));
    let wire =
        Wire::start(WireConfig { listen, upstream, dialect: Dialect::Kubernetes, sink, tap: None })
            .await?;
    let bound = wire.address().ok_or(ClientWireError::NoAddress)?;
    let mut config = Kubeconfig::read_from(path).map_err(KubeconfigError::from)?;
    for cluster in config.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        cluster.server = Some(format!("https://{bound}"));
        cluster.certificate_authority_data = Some(STANDARD.encode(own.pem()));
    }
    fs::copy(path, past_wire)
        .and_then(|_| write(path, &config))
        .map_err(|source| ClientWireError::Write { path: path.to_owned(), source })?;
    Ok(wire)
}

/// Replaces the kubeconfig by renaming, because a client may read it at any time and must not find
/// half of it.
fn write(path: &Path, config: &Kubeconfig) -> io::Result<()> {
    let text = serde_yaml::to_string(config).map_err(io::Error::other)?;
    let temporary = path.with_extension("new");
    fs::write(&temporary, text)?;
    fs::set_permissions(&temporary, fs::metadata(path)?.permissions())?;
    fs::rename(temporary, path)
}
