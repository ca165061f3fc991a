//! What only TLS has: certificates, protocols to agree upon, farewells, addresses.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails its test")]

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use racetrap_wire::{
    Authority, Dialect, Listen, Side, Streams, TlsError, Upstream, What, Wire, WireConfig,
    WireError,
};
use rstest::rstest;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixStream};

use crate::bench::{Bench, OK, get, soon};
use crate::carrier::{self, Carrier};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A wire for whose engine another authority or name is asked than its own.
async fn start(authority: &str, name: &str, at: SocketAddr) -> Result<Wire, WireError> {
    let listen =
        Listen::Tls { address: at, identity: Authority::new().unwrap().identity().unwrap() };
    let (authority, name) = (authority.to_owned(), name.to_owned());
    let upstream = Upstream::Tls { address: ANY, authority, name };
    let sink = Arc::new(|_| {});
    Wire::start(WireConfig { listen, upstream, dialect: Dialect::Kubernetes, sink }).await
}

async fn refusal(authority: &str, name: &str, at: SocketAddr) -> WireError {
    start(authority, name, at).await.err().expect("no wire can be had so")
}

async fn is_refused(address: SocketAddr) -> bool {
    let connected = TcpStream::connect(address).await;
    connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

// Both ends would rather speak HTTP/2, which the wire cannot read: what was agreed upon is asked of
// TLS itself on either side.
#[tokio::test]
async fn only_http_1_1_is_agreed_upon() {
    let protocols: &[&[u8]] = &[b"h2", b"http/1.1"];
    let (pem, acceptor) = carrier::server(protocols);
    let listener = TcpListener::bind(ANY).await.unwrap();
    let authority = Authority::new().unwrap();
    let listen = Listen::Tls { address: ANY, identity: authority.identity().unwrap() };
    let wire = Wire::start(before(listen, &listener, pem)).await.unwrap();
    let client = carrier::client(authority.pem(), protocols);
    let stream = TcpStream::connect(wire.address().unwrap()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let client = soon("the wire's greeting", client.connect(name, stream)).await.unwrap();
    let (stream, _) = soon("the wire", listener.accept()).await.unwrap();
    let server = soon("its greeting", acceptor.accept(stream)).await.unwrap();
    let agreed = [client.get_ref().1.alpn_protocol(), server.get_ref().1.alpn_protocol()];
    assert_eq!(agreed, [Some(&b"http/1.1"[..]); 2]);
    soon("the wire's end", wire.close()).await.unwrap();
}

// The two sides need not be of one kind: a request comes from a unix socket and leaves by TLS.
#[tokio::test]
async fn the_sides_of_a_wire_may_differ() {
    let (pem, acceptor) = carrier::server(&[]);
    let listener = TcpListener::bind(ANY).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wire");
    let config = before(Listen::Unix(path.clone()), &listener, pem);
    let wire = Wire::start(config).await.unwrap();
    assert_eq!(wire.address(), None);
    let mut client = UnixStream::connect(&path).await.unwrap();
    let (stream, _) = soon("the wire", listener.accept()).await.unwrap();
    let mut server = soon("its greeting", acceptor.accept(stream)).await.unwrap();
    let request = get("/info");
    client.write_all(&request).await.unwrap();
    let mut seen = vec![0; request.len()];
    soon("the request", server.read_exact(&mut seen)).await.unwrap();
    assert_eq!(seen, request);
    soon("the wire's end", wire.close()).await.unwrap();
}

fn before(listen: Listen, upstream: &TcpListener, authority: String) -> WireConfig {
    let (address, name) = (upstream.local_addr().unwrap(), "localhost".to_owned());
    let upstream = Upstream::Tls { address, authority, name };
    WireConfig { listen, upstream, dialect: Dialect::Docker, sink: Arc::new(|_| {}) }
}

// The engine's certificate is good, but is not what was asked for. Its handshake must fail, so that
// nothing was said to it, and the client must see its connection lost.
#[rstest]
#[case::of_another_authority(Some(carrier::server(&[]).0), "localhost")]
#[case::for_another_name(None, "example.com")]
#[case::for_another_address(None, "127.0.0.2")]
#[tokio::test]
async fn an_engine_that_cannot_prove_itself_is_not_talked_to(
    #[case] other: Option<String>,
    #[case] name: &str,
) {
    let bench = Bench::before(Dialect::Docker, Carrier::Tls, |upstream| {
        let Upstream::Tls { address, authority, .. } = upstream else { panic!("asked for TLS") };
        let authority = other.unwrap_or(authority);
        Upstream::Tls { address, authority, name: name.to_owned() }
    });
    let bench = bench.await;
    let engine = bench.engine.as_ref().unwrap();
    let (mut daemon, greeted) = tokio::join!(bench.dial(), soon("the wire", engine.accept()));
    assert!(greeted.is_err(), "the wire hangs up");
    daemon.expect_loss().await;
    bench.told("upstream lost", |what| matches!(what, What::UpstreamLost { .. })).await;
    bench.close().await;
}

// Who does not trust the wire is told of and ends, and nobody else is kept from it.
#[tokio::test]
async fn a_client_that_distrusts_the_wire_is_told_of() {
    let bench = Bench::over(Carrier::Tls).await;
    let stranger = carrier::client(Authority::new().unwrap().pem(), &[]);
    let address = bench.wire.address().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let refused = soon("the handshake", stranger.connect(name, stream)).await;
    refused.expect_err("another authority has not certified the wire");
    let malformed = |what: &What| matches!(what, What::Malformed { side: Side::Daemon, reason } if reason.starts_with("no TLS: "));
    bench.told("malformed", malformed).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    bench.close().await;
}

// One speaks plain HTTP, which is told of; one looks whether somebody listens, which is nothing; and
// one says nothing at all, which keeps neither others nor the wire's end waiting.
#[tokio::test]
async fn clients_without_tls_keep_nobody_waiting() {
    let bench = Bench::over(Carrier::Tls).await;
    let address = bench.wire.address().unwrap();
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(&get("/info")).await.unwrap();
    bench.told("malformed", |what| matches!(what, What::Malformed { .. })).await;
    drop(TcpStream::connect(address).await.unwrap());
    let mut silent = TcpStream::connect(address).await.unwrap();
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    let malformed = |what: &&What| matches!(what, What::Malformed { .. });
    bench.told_times("the end of who only looked", 2, |what| *what == What::Closed).await;
    assert_eq!(bench.all_told().iter().filter(malformed).count(), 1);
    bench.close().await;
    let rest = soon("the end", silent.read_to_end(&mut Vec::new())).await;
    assert!(rest.is_err() || matches!(rest, Ok(0)), "{rest:?}");
}

// Without its farewell a TLS connection looks lost, and a body that ends with it incomplete: what was
// meant and what was not must stay apart on both sides.
#[tokio::test]
async fn an_end_that_is_meant_is_told_from_a_loss() {
    let bench = Bench::over(Carrier::Tls).await;
    let (mut daemon, mut engine) = bench.connect().await;
    let last = b"GET /info HTTP/1.1\r\nConnection: close\r\n\r\n";
    daemon.send(last).await;
    engine.expect(last).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    daemon.expect_farewell().await;
    engine.expect_farewell().await;

    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/images/a/get")).await;
    engine.expect(&get("/images/a/get")).await;
    engine.send(b"HTTP/1.0 200 OK\r\n\r\nhalf").await;
    daemon.expect(b"HTTP/1.0 200 OK\r\n\r\nhalf").await;
    drop(engine);
    daemon.expect_loss().await;

    let (mut daemon, mut engine) = bench.connect().await;
    assert_eq!(bench.wire.cut(Streams::All), 1);
    daemon.expect_loss().await;
    engine.expect_loss().await;
    bench.close().await;
}

// The daemon still sends when its answer is there. A TCP socket that is closed over what it has not
// read takes the answer back, so that the wire must read on until the daemon has seen it.
#[tokio::test]
async fn an_answer_is_not_taken_back_by_what_the_daemon_sends_meanwhile() {
    let bench = Bench::over(Carrier::Tls).await;
    let (mut daemon, mut engine) = bench.connect().await;
    let head = b"POST /images/load HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n";
    daemon.send(head).await;
    engine.expect(head).await;
    let answer = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    engine.send(answer).await;
    bench.told("finished", |what| matches!(what, What::Finished { .. })).await;
    for _ in 0..100 {
        daemon.send(&[b'x'; 10_000]).await;
    }
    daemon.expect(answer).await;
    daemon.expect_farewell().await;
    bench.close().await;
}

// Nobody listens and nobody is connected, and still the port is the wire's: who does not share cannot
// have it, says the kernel.
#[tokio::test]
async fn a_refusal_keeps_the_port() {
    let bench = Bench::over(Carrier::Tls).await;
    let refusal = bench.wire.refuse();
    let taken = TcpSocket::new_v4().unwrap().bind(bench.wire.address().unwrap());
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(refusal);
    bench.close().await;
}

// In force when the call returns, and over when its guard is gone, at the same address.
#[tokio::test]
async fn a_refusal_refuses_connections_until_it_ends() {
    let bench = Bench::over(Carrier::Tls).await;
    let address = bench.wire.address().unwrap();
    let (mut daemon, mut engine) = bench.connect().await;
    let refusal = bench.wire.refuse();
    assert!(is_refused(address).await);
    // Open connections live on.
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    // A guard may end on a thread that knows no runtime.
    std::thread::spawn(move || drop(refusal)).join().unwrap();
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    bench.close().await;
    assert!(is_refused(address).await);
}

// The address that the wire tells of a client is the one that the client has itself.
#[rstest]
#[tokio::test]
async fn who_connects_is_told_by_its_address(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (first, second) = (bench.connect().await, bench.connect().await);
    let expected = [&first, &second].map(|(daemon, _)| What::Opened { peer: daemon.address() });
    assert_eq!(bench.all_told(), expected);
    bench.close().await;
}

#[tokio::test]
async fn an_address_that_somebody_serves_is_left_alone() {
    let (authority, _) = carrier::server(&[]);
    let owner = TcpListener::bind(ANY).await.unwrap();
    let address = owner.local_addr().unwrap();
    let error = refusal(&authority, "localhost", address).await;
    assert!(matches!(error, WireError::Address { .. }), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn what_cannot_be_an_authority_or_a_name_is_refused_at_the_start() {
    let (authority, _) = carrier::server(&[]);
    let error = refusal("", "localhost", ANY).await;
    assert!(matches!(error, WireError::Tls(TlsError::NoAuthority)), "{error:?}");
    let torn = authority.replace("-----END", "-----BREAK");
    let error = refusal(&torn, "localhost", ANY).await;
    assert!(matches!(error, WireError::Tls(TlsError::Pem(_) | TlsError::NoAuthority)), "{error:?}");
    let error = refusal(&authority, "no name", ANY).await;
    assert!(matches!(error, WireError::Tls(TlsError::Name { .. })), "{error:?}");
}
