//! Connects the wire to its upstream.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use crate::error::TlsError;
use crate::transport::halves::{self, Reader, Writer};
use crate::transport::tls;

/// The server to which a wire forwards requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// A unix socket, such as a container engine's.
    Unix(PathBuf),
    /// TLS over TCP, such as an API server's. The wire offers HTTP/1.1 only.
    Tls {
        /// Address on which the server listens.
        address: SocketAddr,
        /// Certificates, as PEM, of the authorities that may have issued the server's certificate.
        /// A kubeconfig has them, base64-encoded, as `certificate-authority-data`.
        authority: String,
        /// Host name or IP address that the server's certificate must be valid for.
        name: String,
    },
}

/// Connects to one upstream, any number of times.
pub(crate) enum Connector {
    Unix(PathBuf),
    Tls { address: SocketAddr, name: ServerName<'static>, connector: TlsConnector },
}

impl Connector {
    /// # Errors
    /// If the authority or the name of the upstream cannot be used.
    pub(crate) fn new(upstream: Upstream) -> Result<Self, TlsError> {
        Ok(match upstream {
            Upstream::Unix(path) => Self::Unix(path),
            Upstream::Tls { address, authority, name } => Self::Tls {
                address,
                name: tls::server_name(name)?,
                connector: tls::connector(&authority)?,
            },
        })
    }

    /// Opens a new connection.
    pub(crate) async fn connect(&self) -> io::Result<(Reader, Writer)> {
        match self {
            Self::Unix(path) => UnixStream::connect(path).await.map(halves::unix),
            Self::Tls { address, name, connector } => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let stream = connector.connect(name.clone(), stream).await?;
                Ok(halves::tls(stream.into()))
            }
        }
    }
}
