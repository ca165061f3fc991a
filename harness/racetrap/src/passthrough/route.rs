//! How a client reaches the passthrough: the address, and what the server there needs.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

use crate::daemon::{ApiServer, KubeconfigError, parse_address};

/// A client cannot reach the passthrough.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RouteError {
    #[error("the address of the API server is not known")]
    Kubeconfig(#[from] KubeconfigError),
    #[error("the certificate of the API server's authority cannot be used")]
    Authority,
    #[error("no controller manager announces `{0}` together with an address")]
    NotAnnounced(String),
}

/// A connection, with TLS or without.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A server that serves the passthrough.
#[derive(Clone)]
pub(crate) struct Route {
    address: SocketAddr,
    tls: Option<TlsConnector>,
    token: Option<String>,
    prefix: &'static str,
}

impl Route {
    /// The route through the API server that the kubeconfig at `path` names.
    pub(crate) fn through_api(path: &Path) -> Result<Self, RouteError> {
        let ApiServer { address, authority, token } = ApiServer::read(path)?;
        let mut roots = RootCertStore::empty();
        // The file may have several certificates, and any of them may have signed the server's.
        for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
            let certificate = certificate.map_err(|_| RouteError::Authority)?;
            roots.add(certificate).map_err(|_| RouteError::Authority)?;
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

    /// The route to the port of a controller manager, which announces `http://HOST:PORT/`.
    pub(crate) fn to_manager(endpoint: &str) -> Option<Self> {
        let address = parse_address(endpoint, "http://")?;
        Some(Self { address, tls: None, token: None, prefix: "" })
    }

    /// The request target for a path that a controller serves.
    pub(super) fn target(&self, path: &str) -> String {
        format!("{}/{}", self.prefix, path.trim_start_matches('/'))
    }

    /// The server's host and port, for the header `Host`.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The bearer token, if the server needs one.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Opens a connection. `receive_buffer` is the size of the kernel's buffer for bytes that the
    /// client has not read, in bytes; `None` for the kernel's default.
    pub(super) async fn connect(
        &self,
        receive_buffer: Option<u32>,
    ) -> io::Result<Box<dyn ByteStream>> {
        let socket = match self.address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // Before the connection is made: the size limits the window that the handshake announces.
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::from(self.address.ip());
        Ok(Box::new(tls.connect(name, stream).await?))
    }
}
