//! The two transports of a test: unix sockets, and TLS over TCP. Both are real, so that a test can
//! check for both what the wire promises.

#![expect(clippy::unwrap_used, reason = "a transport that cannot be set up must fail its test")]

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

/// Which transport a test uses, on both sides of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Unix,
    Tls,
}

/// A connection over any transport.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A second descriptor of the same socket. It asks the kernel, not the runtime, whether bytes have
/// arrived.
pub(crate) enum RawSocket {
    Unix(std::os::unix::net::UnixStream),
    Tcp(std::net::TcpStream),
}

impl RawSocket {
    /// The local address; none on a unix socket.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Unix(_) => None,
            Self::Tcp(raw) => Some(raw.local_addr().unwrap()),
        }
    }

    /// Whether no unread bytes have arrived.
    pub(crate) fn is_empty(&mut self) -> bool {
        let mut part = [0; 64];
        let read = match self {
            Self::Unix(raw) => raw.read(&mut part),
            Self::Tcp(raw) => raw.peek(&mut part),
        };
        read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

/// One end of a connection, after the TLS handshake.
pub(crate) type ConnectionEnd = (Box<dyn Stream>, RawSocket);

fn unix(stream: UnixStream) -> ConnectionEnd {
    let raw = stream.into_std().unwrap();
    let stream = UnixStream::from_std(raw.try_clone().unwrap()).unwrap();
    (Box::new(stream), RawSocket::Unix(raw))
}

fn tcp(stream: TcpStream) -> (TcpStream, RawSocket) {
    stream.set_nodelay(true).unwrap();
    let raw = stream.into_std().unwrap();
    let stream = TcpStream::from_std(raw.try_clone().unwrap()).unwrap();
    (stream, RawSocket::Tcp(raw))
}

/// Processes the session tickets that a TLS server sends behind its handshake, so that the next
/// bytes are those of a test.
pub(crate) async fn process_session_tickets(stream: &mut dyn Stream, raw: &mut RawSocket) {
    while matches!(raw, RawSocket::Tcp(_)) && !raw.is_empty() {
        let mut space = [0; 64];
        let mut buffer = ReadBuf::new(&mut space);
        let mut context = Context::from_waker(Waker::noop());
        let read = Pin::new(&mut *stream).poll_read(&mut context, &mut buffer);
        assert!(read.is_pending(), "no test has sent anything yet: {read:?}");
        tokio::task::yield_now().await;
    }
}

/// The listening socket of an upstream.
pub(crate) enum UpstreamListener {
    Unix(UnixListener),
    Tls(TcpListener, TlsAcceptor),
}

impl UpstreamListener {
    pub(crate) async fn accept(&self) -> io::Result<ConnectionEnd> {
        match self {
            Self::Unix(listener) => Ok(unix(listener.accept().await?.0)),
            Self::Tls(listener, acceptor) => {
                let (stream, raw) = tcp(listener.accept().await?.0);
                Ok((Box::new(acceptor.accept(stream).await?), raw))
            }
        }
    }
}

/// A self-signed certificate for `localhost` as PEM, and an acceptor that presents it.
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

/// A connector that trusts this authority and no other.
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

/// How a test connects to the wire, and where the upstream of the wire listens.
pub(crate) enum Endpoints {
    Unix { listen: PathBuf, upstream: PathBuf },
    Tls { connector: TlsConnector, upstream: SocketAddr, acceptor: TlsAcceptor },
}

impl Endpoints {
    /// Binds the upstream, and returns what a wire needs to stand before it.
    pub(crate) async fn new(
        transport: Transport,
        directory: &Path,
    ) -> (Self, UpstreamListener, Listen, Upstream) {
        match transport {
            Transport::Unix => {
                let (listen, upstream) = (directory.join("wire"), directory.join("upstream"));
                let listener = UpstreamListener::Unix(UnixListener::bind(&upstream).unwrap());
                let sides = (Listen::Unix(listen.clone()), Upstream::Unix(upstream.clone()));
                (Self::Unix { listen, upstream }, listener, sides.0, sides.1)
            }
            Transport::Tls => {
                let (pem, acceptor) = server(&[b"h2", b"http/1.1"]);
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                let address = listener.local_addr().unwrap();
                let authority = Authority::new().unwrap();
                let connector = client(authority.pem(), &[b"h2", b"http/1.1"]);
                let identity = authority.identity().unwrap();
                let listen = Listen::Tls { address: (Ipv4Addr::LOCALHOST, 0).into(), identity };
                let name = "localhost".to_owned();
                let upstream = Upstream::Tls { address, authority: pem, name };
                let listener = UpstreamListener::Tls(listener, acceptor.clone());
                (Self::Tls { connector, upstream: address, acceptor }, listener, listen, upstream)
            }
        }
    }

    /// Connects to the wire. `address` is the address that the wire returns.
    pub(crate) async fn dial(&self, address: Option<SocketAddr>) -> ConnectionEnd {
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

    /// Binds a new upstream at the address of one that was dropped.
    pub(crate) async fn rebind_upstream(&self) -> UpstreamListener {
        match self {
            Self::Unix { upstream, .. } => {
                std::fs::remove_file(upstream).unwrap();
                UpstreamListener::Unix(UnixListener::bind(upstream).unwrap())
            }
            Self::Tls { upstream, acceptor, .. } => {
                UpstreamListener::Tls(TcpListener::bind(upstream).await.unwrap(), acceptor.clone())
            }
        }
    }
}
