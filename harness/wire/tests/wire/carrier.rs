//! What carries a test's bytes. Both are real, so that whatever the wire promises is asked of both.

#![expect(clippy::unwrap_used, reason = "a carrier that cannot be set up fails its test")]

use std::io::{self, ErrorKind, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use racetrap_wire::{Authority, Listen, Upstream};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Unix,
    Tls,
}

/// A stream of whatever kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The same socket without a runtime's idea of what is ready.
pub(crate) enum Raw {
    Unix(std::os::unix::net::UnixStream),
    Tcp(std::net::TcpStream),
}

impl Raw {
    /// Where this end is.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Unix(_) => None,
            Self::Tcp(raw) => Some(raw.local_addr().unwrap()),
        }
    }

    /// Nothing has come that was not read.
    pub(crate) fn is_empty(&mut self) -> bool {
        let mut part = [0; 64];
        let read = match self {
            Self::Unix(raw) => raw.read(&mut part),
            Self::Tcp(raw) => raw.peek(&mut part),
        };
        read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

/// One end of a connection, agreed upon.
pub(crate) type End = (Box<dyn Stream>, Raw);

fn unix(stream: UnixStream) -> End {
    let raw = stream.into_std().unwrap();
    let stream = UnixStream::from_std(raw.try_clone().unwrap()).unwrap();
    (Box::new(stream), Raw::Unix(raw))
}

fn tcp(stream: TcpStream) -> (TcpStream, Raw) {
    stream.set_nodelay(true).unwrap();
    let raw = stream.into_std().unwrap();
    let stream = TcpStream::from_std(raw.try_clone().unwrap()).unwrap();
    (stream, Raw::Tcp(raw))
}

/// Reads what a server sends behind its handshake (session tickets), so that what comes next is
/// somebody's words.
pub(crate) async fn settle(stream: &mut dyn Stream, raw: &mut Raw) {
    while matches!(raw, Raw::Tcp(_)) && !raw.is_empty() {
        let mut space = [0; 64];
        let mut buffer = ReadBuf::new(&mut space);
        let mut context = Context::from_waker(Waker::noop());
        let read = Pin::new(&mut *stream).poll_read(&mut context, &mut buffer);
        assert!(read.is_pending(), "nobody has said anything yet: {read:?}");
        tokio::task::yield_now().await;
    }
}

/// An engine's place, and who listens there.
pub(crate) enum Engine {
    Unix(UnixListener),
    Tls(TcpListener, TlsAcceptor),
}

impl Engine {
    pub(crate) async fn accept(&self) -> io::Result<End> {
        match self {
            Self::Unix(listener) => Ok(unix(listener.accept().await?.0)),
            Self::Tls(listener, acceptor) => {
                let (stream, raw) = tcp(listener.accept().await?.0);
                Ok((Box::new(acceptor.accept(stream).await?), raw))
            }
        }
    }
}

/// A certificate for `localhost`, its PEM, and a server that shows it.
pub(crate) fn server(protocols: &[&[u8]]) -> (String, TlsAcceptor) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    (cert.pem(), Arc::new(config).into())
}

/// A client that trusts this authority and no other.
pub(crate) fn client(authority: &str, protocols: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config).into()
}

/// How a test reaches the wire, and the wire its engine.
pub(crate) enum Ends {
    Unix { listen: PathBuf, upstream: PathBuf },
    Tls { connector: TlsConnector, upstream: SocketAddr, acceptor: TlsAcceptor },
}

impl Ends {
    /// Both ends, an engine that listens, and what to tell a wire of them.
    pub(crate) async fn new(
        carrier: Carrier,
        directory: &Path,
    ) -> (Self, Engine, Listen, Upstream) {
        match carrier {
            Carrier::Unix => {
                let (listen, upstream) = (directory.join("wire"), directory.join("engine"));
                let engine = Engine::Unix(UnixListener::bind(&upstream).unwrap());
                let told = (Listen::Unix(listen.clone()), Upstream::Unix(upstream.clone()));
                (Self::Unix { listen, upstream }, engine, told.0, told.1)
            }
            Carrier::Tls => {
                let (pem, acceptor) = server(&[b"h2", b"http/1.1"]);
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                let address = listener.local_addr().unwrap();
                let authority = Authority::new().unwrap();
                let connector = client(authority.pem(), &[b"h2", b"http/1.1"]);
                let identity = authority.identity().unwrap();
                let listen = Listen::Tls { address: (Ipv4Addr::LOCALHOST, 0).into(), identity };
                let name = "localhost".to_owned();
                let upstream = Upstream::Tls { address, authority: pem, name };
                let engine = Engine::Tls(listener, acceptor.clone());
                (Self::Tls { connector, upstream: address, acceptor }, engine, listen, upstream)
            }
        }
    }

    /// Connects to the wire; `address` is what it tells of itself.
    pub(crate) async fn dial(&self, address: Option<SocketAddr>) -> End {
        match self {
            Self::Unix { listen, .. } => unix(UnixStream::connect(listen).await.unwrap()),
            Self::Tls { connector, .. } => {
                let address = address.expect("a wire on TCP has an address");
                let (stream, raw) = tcp(TcpStream::connect(address).await.unwrap());
                let name = ServerName::IpAddress(address.ip().into());
                (Box::new(connector.connect(name, stream).await.unwrap()), raw)
            }
        }
    }

    /// Another engine at the place of one that has gone.
    pub(crate) async fn another_engine(&self) -> Engine {
        match self {
            Self::Unix { upstream, .. } => {
                std::fs::remove_file(upstream).unwrap();
                Engine::Unix(UnixListener::bind(upstream).unwrap())
            }
            Self::Tls { upstream, acceptor, .. } => {
                Engine::Tls(TcpListener::bind(upstream).await.unwrap(), acceptor.clone())
            }
        }
    }
}
