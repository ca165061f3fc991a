use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsStream;

use super::halves::tls;
use super::tls::{Authority, connector};
use crate::clock::within;

/// Size in bytes that the test sets for the socket buffers of both sides.
const SOCKET_BUFFER: u32 = 8 * 1024;

/// Both ends of a TLS connection whose socket buffers are smaller than a TLS record.
async fn narrow_connection() -> (TlsStream<TcpStream>, TlsStream<TcpStream>) {
    let authority = Authority::new().unwrap();
    let acceptor = authority.identity().unwrap().acceptor();
    let (near, far) = (TcpSocket::new_v4().unwrap(), TcpSocket::new_v4().unwrap());
    near.set_send_buffer_size(SOCKET_BUFFER).unwrap();
    far.set_recv_buffer_size(SOCKET_BUFFER).unwrap();
    near.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = near.local_addr().unwrap();
    let listener = near.listen(1).unwrap();
    let client = async {
        let name = ServerName::try_from("localhost").unwrap();
        let stream = far.connect(address).await.unwrap();
        connector(authority.pem()).unwrap().connect(name, stream).await.unwrap()
    };
    let server = async { acceptor.accept(listener.accept().await.unwrap().0).await.unwrap() };
    let (server, client) = tokio::join!(server, client);
    (server.into(), client.into())
}

// The near end does nothing more once `send` has returned, and the far end reads everything: a
// record that had stayed in memory would never arrive.
#[tokio::test]
async fn send_leaves_no_record_in_memory_when_it_returns() {
    let (near, far) = narrow_connection().await;
    let ((_near_reader, mut near_writer), (mut far_reader, _far_writer)) = (tls(near), tls(far));
    let bytes = vec![b'x'; 100_000];
    let sending = near_writer.send(&bytes);
    let reading = async {
        while far_reader.buffer.len() < bytes.len() {
            assert!(far_reader.fill().await.unwrap() > 0, "the near end must not close");
        }
    };
    let both = async { tokio::join!(sending, reading) };
    let (sent, ()) = within(Duration::from_secs(10), both)
        .await
        .expect("all bytes must arrive within the limit");
    sent.unwrap();
    assert!(far_reader.buffer == bytes, "the bytes differ");
}
