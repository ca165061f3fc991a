//! What exists only with TLS over TCP: certificates, protocol negotiation, `close_notify`,
//! addresses.

#![expect(clippy::unwrap_used, reason = "a connection that cannot be set up must fail its test")]

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

use crate::testbed::{OK, Testbed, get, within_limit};
use crate::transport::{self, Transport};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Starts a wire with this authority and name for its upstream.
async fn start(authority: &str, name: &str, at: SocketAddr) -> Result<Wire, WireError> {
    let listen =
        Listen::Tls { address: at, identity: Authority::new().unwrap().identity().unwrap() };
    let (authority, name) = (authority.to_owned(), name.to_owned());
    let upstream = Upstream::Tls { address: ANY, authority, name };
    let sink = Arc::new(|_| {});
    Wire::start(WireConfig { listen, upstream, dialect: Dialect::Kubernetes, sink, tap: None })
        .await
}

async fn start_error(authority: &str, name: &str, at: SocketAddr) -> WireError {
    start(authority, name, at).await.err().expect("the wire must not start")
}

async fn is_refused(address: SocketAddr) -> bool {
    let connected = TcpStream::connect(address).await;
    connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

// Both ends prefer HTTP/2, which the wire cannot read. TLS itself says on either side which
// protocol was negotiated.
#[tokio::test]
async fn only_http_1_1_is_negotiated() {
    let protocols: &[&[u8]] = &[b"h2", b"http/1.1"];
    let (pem, acceptor) = transport::server(protocols);
    let listener = TcpListener::bind(ANY).await.unwrap();
    let authority = Authority::new().unwrap();
    let listen = Listen::Tls { address: ANY, identity: authority.identity().unwrap() };
    let wire = Wire::start(config_for(listen, &listener, pem)).await.unwrap();
    let client = transport::client(authority.pem(), protocols);
    let stream = TcpStream::connect(wire.address().unwrap()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let client =
        within_limit("the handshake with the wire", client.connect(name, stream)).await.unwrap();
    let (stream, _) = within_limit("the wire to connect", listener.accept()).await.unwrap();
    let server =
        within_limit("the handshake with the upstream", acceptor.accept(stream)).await.unwrap();
    let negotiated = [client.get_ref().1.alpn_protocol(), server.get_ref().1.alpn_protocol()];
    assert_eq!(negotiated, [Some(&b"http/1.1"[..]); 2]);
    within_limit("the wire to close", wire.close()).await.unwrap();
}

// The request arrives on a unix socket and leaves over TLS.
#[tokio::test]
async fn the_two_sides_of_a_wire_can_have_different_transports() {
    let (pem, acceptor) = transport::server(&[]);
    let listener = TcpListener::bind(ANY).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wire");
    let config = config_for(Listen::Unix(path.clone()), &listener, pem);
    let wire = Wire::start(config).await.unwrap();
    assert_eq!(wire.address(), None);
    let mut client = UnixStream::connect(&path).await.unwrap();
    let (stream, _) = within_limit("the wire to connect", listener.accept()).await.unwrap();
    let mut server =
        within_limit("the handshake with the upstream", acceptor.accept(stream)).await.unwrap();
    let request = get("/info");
    client.write_all(&request).await.unwrap();
    let mut seen = vec![0; request.len()];
    within_limit("the request", server.read_exact(&mut seen)).await.unwrap();
    assert_eq!(seen, request);
    within_limit("the wire to close", wire.close()).await.unwrap();
}

fn config_for(listen: Listen, upstream_listener: &TcpListener, authority: String) -> WireConfig {
    let (address, name) = (upstream_listener.local_addr().unwrap(), "localhost".to_owned());
    let upstream = Upstream::Tls { address, authority, name };
    WireConfig { listen, upstream, dialect: Dialect::Docker, sink: Arc::new(|_| {}), tap: None }
}

// The certificate of the upstream is valid, but not for the configured authority or name. The
// handshake must fail, so that the upstream receives nothing, and the client must see its
// connection lost.
#[rstest]
#[case::other_authority(Some(transport::server(&[]).0), "localhost")]
#[case::other_name(None, "example.com")]
#[case::other_address(None, "127.0.0.2")]
#[tokio::test]
async fn the_wire_sends_nothing_to_an_upstream_with_the_wrong_certificate(
    #[case] other: Option<String>,
    #[case] name: &str,
) {
    let testbed = Testbed::with_upstream(Dialect::Docker, Transport::Tls, |upstream| {
        let Upstream::Tls { address, authority, .. } = upstream else {
            panic!("the upstream must use TLS")
        };
        let authority = other.unwrap_or(authority);
        Upstream::Tls { address, authority, name: name.to_owned() }
    });
    let testbed = testbed.await;
    let upstream = testbed.upstream.as_ref().unwrap();
    let (mut client, handshake) =
        tokio::join!(testbed.dial(), within_limit("the wire to connect", upstream.accept()));
    assert!(handshake.is_err(), "the wire must end the handshake");
    client.expect_loss().await;
    testbed.wait_for_event("upstream lost", |what| matches!(what, What::UpstreamLost { .. })).await;
    testbed.close().await;
}

// The wire reports a client that does not trust it and closes that connection. Other clients are
// not affected.
#[tokio::test]
async fn a_client_that_does_not_trust_the_wire_is_reported() {
    let testbed = Testbed::over(Transport::Tls).await;
    let distrustful = transport::client(Authority::new().unwrap().pem(), &[]);
    let address = testbed.wire.address().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let refused = within_limit("the handshake", distrustful.connect(name, stream)).await;
    refused.expect_err("the wire has no certificate of this authority");
    let malformed = |what: &What| matches!(what, What::Malformed { side: Side::Client, reason } if reason.starts_with("the TLS handshake failed: "));
    testbed.wait_for_event("malformed", malformed).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    testbed.close().await;
}

// One client speaks plain HTTP, which the wire reports. One connects and closes, which it does not
// report as an error. One sends nothing at all, which must delay neither other clients nor the
// close of the wire.
#[tokio::test]
async fn clients_without_tls_do_not_delay_others() {
    let testbed = Testbed::over(Transport::Tls).await;
    let address = testbed.wire.address().unwrap();
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(&get("/info")).await.unwrap();
    testbed.wait_for_event("malformed", |what| matches!(what, What::Malformed { .. })).await;
    drop(TcpStream::connect(address).await.unwrap());
    let mut silent = TcpStream::connect(address).await.unwrap();
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    let malformed = |what: &&What| matches!(what, What::Malformed { .. });
    testbed
        .wait_for_events("the close of the client that only connected", 2, |what| {
            *what == What::Closed
        })
        .await;
    assert_eq!(testbed.all_events().iter().filter(malformed).count(), 1);
    testbed.close().await;
    let rest = within_limit("the end", silent.read_to_end(&mut Vec::new())).await;
    assert!(rest.is_err() || matches!(rest, Ok(0)), "{rest:?}");
}

// Without a `close_notify` a TLS connection looks lost, and a body that ends with it looks
// incomplete. Both sides must be able to tell an intended end from a loss.
#[tokio::test]
async fn an_intended_end_differs_from_a_loss() {
    let testbed = Testbed::over(Transport::Tls).await;
    let (mut client, mut upstream) = testbed.connect().await;
    let last = b"GET /info HTTP/1.1\r\nConnection: close\r\n\r\n";
    client.send(last).await;
    upstream.expect(last).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    client.expect_close_notify().await;
    upstream.expect_close_notify().await;

    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/images/a/get")).await;
    upstream.expect(&get("/images/a/get")).await;
    upstream.send(b"HTTP/1.0 200 OK\r\n\r\nhalf").await;
    client.expect(b"HTTP/1.0 200 OK\r\n\r\nhalf").await;
    drop(upstream);
    client.expect_loss().await;

    let (mut client, mut upstream) = testbed.connect().await;
    assert_eq!(testbed.wire.cut(Streams::All), 1);
    client.expect_loss().await;
    upstream.expect_loss().await;
    testbed.close().await;
}

// The client still sends its body when the wire has forwarded the response. A TCP socket that is
// closed with unread bytes resets the connection, and the client may lose the response. So the wire
// must read on until the client closes.
#[tokio::test]
async fn a_response_arrives_although_the_client_is_still_sending() {
    let testbed = Testbed::over(Transport::Tls).await;
    let (mut client, mut upstream) = testbed.connect().await;
    let head = b"POST /images/load HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n";
    client.send(head).await;
    upstream.expect(head).await;
    let answer = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    upstream.send(answer).await;
    testbed.wait_for_event("finished", |what| matches!(what, What::Finished { .. })).await;
    for _ in 0..100 {
        client.send(&[b'x'; 10_000]).await;
    }
    client.expect(answer).await;
    client.expect_close_notify().await;
    testbed.close().await;
}

// No socket listens and nobody is connected, and still the port is reserved: the kernel refuses it
// to a socket that does not share its address.
#[tokio::test]
async fn a_refusal_keeps_the_port_reserved() {
    let testbed = Testbed::over(Transport::Tls).await;
    let refusal = testbed.wire.refuse().unwrap();
    let taken = TcpSocket::new_v4().unwrap().bind(testbed.wire.address().unwrap());
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(refusal);
    testbed.close().await;
}

// The refusal is in force as soon as the call returns. When its guard is dropped, the wire listens
// at the same address again.
#[tokio::test]
async fn a_refusal_refuses_connections_until_it_is_dropped() {
    let testbed = Testbed::over(Transport::Tls).await;
    let address = testbed.wire.address().unwrap();
    let (mut client, mut upstream) = testbed.connect().await;
    let refusal = testbed.wire.refuse().unwrap();
    assert!(is_refused(address).await);
    // The open connection stays open.
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    // A guard may be dropped on a thread outside the runtime.
    std::thread::spawn(move || drop(refusal)).join().unwrap();
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    testbed.close().await;
    assert!(is_refused(address).await);
}

// The address that the wire reports for a client is the local address of the client.
#[rstest]
#[tokio::test]
async fn the_address_of_a_client_is_reported(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (first, second) = (testbed.connect().await, testbed.connect().await);
    let expected = [&first, &second].map(|(client, _)| What::Opened { peer: client.address() });
    assert_eq!(testbed.all_events(), expected);
    testbed.close().await;
}

#[tokio::test]
async fn an_address_that_another_process_serves_is_an_error() {
    let (authority, _) = transport::server(&[]);
    let owner = TcpListener::bind(ANY).await.unwrap();
    let address = owner.local_addr().unwrap();
    let error = start_error(&authority, "localhost", address).await;
    assert!(matches!(error, WireError::Address { .. }), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn an_invalid_authority_or_name_is_an_error_at_the_start() {
    let (authority, _) = transport::server(&[]);
    let error = start_error("", "localhost", ANY).await;
    assert!(matches!(error, WireError::Tls(TlsError::NoAuthority)), "{error:?}");
    let torn = authority.replace("-----END", "-----BREAK");
    let error = start_error(&torn, "localhost", ANY).await;
    assert!(matches!(error, WireError::Tls(TlsError::Pem(_) | TlsError::NoAuthority)), "{error:?}");
    let error = start_error(&authority, "no name", ANY).await;
    assert!(matches!(error, WireError::Tls(TlsError::Name { .. })), "{error:?}");
}
