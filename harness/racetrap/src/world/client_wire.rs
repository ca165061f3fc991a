//! A wire between clients and the daemon's API: what `set`, kubectl and others ask and are told.
//!
//! The daemon's kubeconfig is written anew, so that every client of the world finds the wire where
//! it looks for the API server. The harness's own clients go on past it: what they see is what the
//! history judges by.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::Kubeconfig;
use racetrap_history::What;
use racetrap_wire::{Authority, Dialect, Listen, TlsError, Upstream, Wire, WireConfig, WireError};

use super::wire_record::wire_message;
use crate::daemon::DaemonError;
use crate::recorder::Recorder;

/// No wire could be put before the daemon's API.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientWireError {
    #[error("the daemon does not say where its kubeconfig is")]
    Daemon(#[from] DaemonError),
    #[error("the daemon's kubeconfig cannot be used")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    #[error("the kubeconfig {path} {problem}")]
    Unexpected { path: PathBuf, problem: &'static str },
    #[error("the kubeconfig {path} could not be written anew")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("no certificate could be made for the wire")]
    Tls(#[from] TlsError),
    #[error("there is no wire before the daemon's API")]
    Wire(#[from] WireError),
}

/// Puts a wire before the API server that the kubeconfig at `path` names, and lets that name the
/// wire; as it was before, it is copied to `past_wire`.
pub(super) async fn stand_before(
    path: &Path,
    past_wire: &Path,
    recorder: &Recorder,
) -> Result<Wire, ClientWireError> {
    let unexpected = |problem| ClientWireError::Unexpected { path: path.to_owned(), problem };
    let mut config = Kubeconfig::read_from(path)?;
    let named = config.clusters.iter_mut().find_map(|named| named.cluster.as_mut());
    let cluster = named.ok_or_else(|| unexpected("names no cluster"))?;
    let server = cluster.server.as_deref().and_then(address);
    let authority = cluster.certificate_authority_data.as_deref();
    let authority = authority.and_then(|data| STANDARD.decode(data).ok());
    let authority = authority.and_then(|pem| String::from_utf8(pem).ok());
    let own = Authority::new()?;
    let listen =
        Listen::Tls { address: SocketAddr::from(([127, 0, 0, 1], 0)), identity: own.identity()? };
    let address = server.ok_or_else(|| unexpected("has no server with an address"))?;
    let upstream = Upstream::Tls {
        address,
        authority: authority.ok_or_else(|| unexpected("has no authority's certificate"))?,
        name: address.ip().to_string(),
    };
    let recorder = recorder.clone();
    let sink = Arc::new(move |event| recorder.append(What::ApiWire(wire_message(event))));
    let wire =
        Wire::start(WireConfig { listen, upstream, dialect: Dialect::Kubernetes, sink }).await?;
    let bound = wire.address().ok_or_else(|| unexpected("leads to a wire without an address"))?;
    cluster.server = Some(format!("https://{bound}"));
    cluster.certificate_authority_data = Some(STANDARD.encode(own.pem()));
    fs::copy(path, past_wire)
        .and_then(|_| write(path, &config))
        .map_err(|source| ClientWireError::Write { path: path.to_owned(), source })?;
    Ok(wire)
}

/// Host and port of `https://HOST:PORT`.
fn address(server: &str) -> Option<SocketAddr> {
    let authority = server.strip_prefix("https://")?.trim_end_matches('/');
    authority.to_socket_addrs().ok()?.next()
}

/// A client may read it at any time, so it is never half-written.
fn write(path: &Path, config: &Kubeconfig) -> io::Result<()> {
    let text = serde_yaml::to_string(config).map_err(io::Error::other)?;
    let temporary = path.with_extension("new");
    fs::write(&temporary, text)?;
    fs::set_permissions(&temporary, fs::metadata(path)?.permissions())?;
    fs::rename(temporary, path)
}
