//! One side of a connection, read with a buffer that survives a cancelled read.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsStream;

/// Bytes asked for at once: a body of 64 KiB with its head goes through in one step.
const READ_SIZE: usize = 128 * 1024;

/// The side that is read from.
#[derive(Debug)]
pub(crate) struct Incoming {
    half: Reading,
    /// What was read and is not consumed yet.
    pub(crate) buffer: BytesMut,
}

#[derive(Debug)]
enum Reading {
    Unix(OwnedReadHalf),
    Tls(ReadHalf<TlsStream<TcpStream>>),
}

impl Incoming {
    /// Reads more into the buffer; 0 at the end. Cancel-safe: what was read is in the buffer.
    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ_SIZE);
        match &mut self.half {
            Reading::Unix(half) => half.read_buf(&mut self.buffer).await,
            Reading::Tls(half) => half.read_buf(&mut self.buffer).await,
        }
    }

    /// Returns when the other side has gone. Reads ahead up to one buffer, for a pipelined request.
    pub(crate) async fn gone(&mut self) {
        while self.buffer.len() < READ_SIZE {
            match self.fill().await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        std::future::pending().await
    }

    /// Whether the other side has gone by now. TCP takes what is written to a side that has gone,
    /// so that there only reading tells.
    pub(crate) async fn is_gone(&mut self) -> bool {
        // The runtime looks at its sockets before it goes on with who has yielded.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            // Cancel-safe: what was read is in the buffer.
            () = self.gone() => true,
            () = std::future::ready(()) => false,
        }
    }

    /// Reads what nobody wants, until the other side ends. A unix socket needs none of this.
    pub(crate) async fn drain(&mut self) {
        if matches!(self.half, Reading::Unix(_)) {
            return;
        }
        while matches!(self.fill().await, Ok(1..)) {
            self.buffer.clear();
        }
    }
}

/// The side that is written to.
#[derive(Debug)]
pub(crate) struct Outgoing {
    half: Writing,
}

#[derive(Debug)]
enum Writing {
    Unix(OwnedWriteHalf),
    Tls(WriteHalf<TlsStream<TcpStream>>),
}

impl Outgoing {
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.half {
            Writing::Unix(half) => half.write_all(bytes).await,
            Writing::Tls(half) => {
                half.write_all(bytes).await?;
                // The last record may still be in memory where the socket was full.
                half.flush().await
            }
        }
    }

    /// Tells the other side that nothing more comes.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        match &mut self.half {
            Writing::Unix(half) => half.shutdown().await,
            Writing::Tls(half) => half.shutdown().await,
        }
    }

    /// Says that the end of the connection is meant, and no loss: a `close_notify` (RFC 8446,
    /// section 6.1). A unix socket has no word for that.
    pub(crate) async fn take_leave(&mut self) {
        if matches!(self.half, Writing::Tls(_)) {
            // Who has gone already cannot be told.
            let _ = self.finish().await;
        }
    }
}

/// Takes a unix stream apart.
pub(crate) fn unix(stream: UnixStream) -> (Incoming, Outgoing) {
    let (read, write) = stream.into_split();
    (Incoming::of(Reading::Unix(read)), Outgoing { half: Writing::Unix(write) })
}

/// Takes a TLS stream apart.
pub(crate) fn tls(stream: TlsStream<TcpStream>) -> (Incoming, Outgoing) {
    let (read, write) = tokio::io::split(stream);
    (Incoming::of(Reading::Tls(read)), Outgoing { half: Writing::Tls(write) })
}

impl Incoming {
    fn of(half: Reading) -> Self {
        Self { half, buffer: BytesMut::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use rustls::pki_types::ServerName;
    use tokio::net::TcpSocket;

    use super::*;
    use crate::transport::tls::{Authority, connector};

    /// Bytes that the kernel is asked to keep on either side.
    const KEPT: u32 = 8 * 1024;

    /// Both ends of a TLS connection on which the kernel keeps less than TLS does.
    async fn narrow() -> (TlsStream<TcpStream>, TlsStream<TcpStream>) {
        let authority = Authority::new().unwrap();
        let acceptor = authority.identity().unwrap().acceptor();
        let (near, far) = (TcpSocket::new_v4().unwrap(), TcpSocket::new_v4().unwrap());
        near.set_send_buffer_size(KEPT).unwrap();
        far.set_recv_buffer_size(KEPT).unwrap();
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

    // The far end reads all while the near end does nothing more once `send` has returned: a record
    // that stayed in memory would never come.
    #[tokio::test]
    async fn what_was_sent_is_on_its_way_when_send_returns() {
        let (near, far) = narrow().await;
        let ((_near_in, mut near_out), (mut far_in, _far_out)) = (tls(near), tls(far));
        let bytes = vec![b'x'; 100_000];
        let sending = near_out.send(&bytes);
        let reading = async {
            while far_in.buffer.len() < bytes.len() {
                assert!(far_in.fill().await.unwrap() > 0, "the near end is still there");
            }
        };
        let both = async { tokio::join!(sending, reading) };
        let (sent, ()) = tokio::time::timeout(Duration::from_secs(10), both)
            .await
            .expect("all that was sent comes");
        sent.unwrap();
        assert!(far_in.buffer == bytes, "the bytes differ");
    }
}
