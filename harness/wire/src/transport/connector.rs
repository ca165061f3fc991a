//! How a wire reaches the other side.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use crate::peer::{self, Incoming, Outgoing};
use crate::transport::tls::{self, TlsError};

/// Where a wire passes on what it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// A unix socket, such as a container engine's.
    Unix(PathBuf),
    /// TLS over TCP, such as an API server's. HTTP/1.1 is all that is offered.
    Tls {
        /// Where it listens.
        address: SocketAddr,
        /// Certificates, as PEM, of the authorities that it may have its own from; what a kubeconfig
        /// holds as `certificate-authority-data`, decoded.
        authority: String,
        /// Name or IP address that its certificate must be for.
        name: String,
    },
}

/// Connects to one upstream, again and again.
pub(crate) enum Connector {
    Unix(PathBuf),
    Tls { address: SocketAddr, name: ServerName<'static>, connector: TlsConnector },
}

impl Connector {
    /// # Errors
    /// Where the authority or the name cannot be used.
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

    /// A new connection.
    pub(crate) async fn connect(&self) -> io::Result<(Incoming, Outgoing)> {
        match self {
            Self::Unix(path) => UnixStream::connect(path).await.map(peer::unix),
            Self::Tls { address, name, connector } => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let stream = connector.connect(name.clone(), stream).await?;
                Ok(peer::tls(stream.into()))
            }
        }
    }
}
