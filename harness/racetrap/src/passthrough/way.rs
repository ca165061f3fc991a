//! How a client comes to the passthrough.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

use crate::daemon::{KubeconfigError, Server};

/// No client can come to the passthrough.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WayError {
    #[error("the API server cannot be found")]
    Kubeconfig(#[from] KubeconfigError),
    #[error("the API server's authority cannot be used")]
    Authority,
    #[error("no manager announces `{0}` with an address for it")]
    NotAnnounced(String),
}

/// What carries a connection, with TLS or without.
pub(crate) trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Carrier for T {}

/// A way to the passthrough.
#[derive(Clone)]
pub(crate) struct Way {
    address: SocketAddr,
    tls: Option<TlsConnector>,
    token: Option<String>,
    prefix: &'static str,
}

impl Way {
    /// Through the API server that the kubeconfig at `path` names.
    pub(crate) fn through_api(path: &Path) -> Result<Self, WayError> {
        let Server { address, authority, token } = Server::read(path)?;
        let mut roots = RootCertStore::empty();
        // There may be several, any of which may have signed the server's.
        for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
            let certificate = certificate.map_err(|_| WayError::Authority)?;
            roots.add(certificate).map_err(|_| WayError::Authority)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider speaks the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tls = Some(TlsConnector::from(Arc::new(tls)));
        Ok(Self { address, tls, token: Some(token), prefix: "/passthrough" })
    }

    /// At the port of a manager, which announces `http://HOST:PORT/`.
    pub(crate) fn inner(endpoint: &str) -> Option<Self> {
        let authority = endpoint.strip_prefix("http://")?.trim_end_matches('/');
        let address = authority.to_socket_addrs().ok()?.next()?;
        Some(Self { address, tls: None, token: None, prefix: "" })
    }

    /// The path of what a controller offers.
    pub(super) fn target(&self, path: &str) -> String {
        format!("{}/{}", self.prefix, path.trim_start_matches('/'))
    }

    /// The server's host and port, as a request names them.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The token, where one is asked for.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A new connection, which holds so many bytes for a client that does not read; as many as the kernel
    /// likes, where it is not said.
    pub(super) async fn connect(&self, holds: Option<u32>) -> io::Result<Box<dyn Carrier>> {
        let socket = match self.address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(bytes) = holds {
            socket.set_recv_buffer_size(bytes)?;
        }
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::from(self.address.ip());
        Ok(Box::new(tls.connect(name, stream).await?))
    }
}
