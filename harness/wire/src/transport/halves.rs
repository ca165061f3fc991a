//! The two directions of one connection, the same for a unix socket and for TLS.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsStream;

/// Most bytes that one read asks for: a body of 64 KiB with its head needs only one read.
const READ_SIZE: usize = 128 * 1024;

/// The direction that the wire reads. The buffer survives a cancelled read.
#[derive(Debug)]
pub(crate) struct Reader {
    half: ReadSide,
    /// Bytes that were read and not consumed yet.
    pub(crate) buffer: BytesMut,
}

#[derive(Debug)]
enum ReadSide {
    Unix(OwnedReadHalf),
    Tls(ReadHalf<TlsStream<TcpStream>>),
}

impl Reader {
    fn new(half: ReadSide) -> Self {
        Self { half, buffer: BytesMut::new() }
    }

    /// Reads more into the buffer and returns the number of bytes; 0 at the end of the stream.
    /// Cancel-safe: what was read is in the buffer.
    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ_SIZE);
        match &mut self.half {
            ReadSide::Unix(half) => half.read_buf(&mut self.buffer).await,
            ReadSide::Tls(half) => half.read_buf(&mut self.buffer).await,
        }
    }

    /// Waits until the other side has closed its direction. Cancel-safe: what was read is in the
    /// buffer.
    ///
    /// Only a read shows a close, so this reads ahead: a pipelined request goes into the buffer.
    /// With `READ_SIZE` bytes in the buffer it stops reading and never returns.
    pub(crate) async fn closed(&mut self) {
        while self.buffer.len() < READ_SIZE {
            match self.fill().await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        std::future::pending().await
    }

    /// Whether the other side has closed its direction by now. A write would not show it: TCP
    /// accepts bytes for a peer that has closed.
    pub(crate) async fn is_closed(&mut self) -> bool {
        // The runtime polls its sockets before it resumes a task that has yielded. So the read
        // below sees a close that has arrived already.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            // Cancel-safe: what was read is in the buffer.
            () = self.closed() => true,
            // Cancel-safe: it is ready at once and has no state.
            () = std::future::ready(()) => false,
        }
    }

    /// Reads and discards everything until the other side closes. Does nothing on a unix socket:
    /// only TCP resets a connection that is closed with unread bytes.
    pub(crate) async fn drain(&mut self) {
        if matches!(self.half, ReadSide::Unix(_)) {
            return;
        }
        while matches!(self.fill().await, Ok(1..)) {
            self.buffer.clear();
        }
    }
}

/// The direction that the wire writes.
#[derive(Debug)]
pub(crate) struct Writer {
    half: WriteSide,
}

#[derive(Debug)]
enum WriteSide {
    Unix(OwnedWriteHalf),
    Tls(WriteHalf<TlsStream<TcpStream>>),
}

impl Writer {
    /// Writes all of `bytes`. Not cancel-safe: a part of them may have been written.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.half {
            WriteSide::Unix(half) => half.write_all(bytes).await,
            WriteSide::Tls(half) => {
                half.write_all(bytes).await?;
                // If the socket was full, TLS still has the last record in memory.
                half.flush().await
            }
        }
    }

    /// Closes this direction: the other side reads an end.
    pub(crate) async fn shutdown(&mut self) -> io::Result<()> {
        match &mut self.half {
            WriteSide::Unix(half) => half.shutdown().await,
            WriteSide::Tls(half) => half.shutdown().await,
        }
    }

    /// Sends a `close_notify` (RFC 8446, section 6.1), so that the other side can tell an intended
    /// end from a lost connection. Does nothing on a unix socket, which has no such message.
    pub(crate) async fn close_notify(&mut self) {
        if matches!(self.half, WriteSide::Tls(_)) {
            // An error means that the other side has closed already: there is nobody to notify.
            let _ = self.shutdown().await;
        }
    }
}

/// Splits a unix stream.
pub(crate) fn unix(stream: UnixStream) -> (Reader, Writer) {
    let (read, write) = stream.into_split();
    (Reader::new(ReadSide::Unix(read)), Writer { half: WriteSide::Unix(write) })
}

/// Splits a TLS stream.
pub(crate) fn tls(stream: TlsStream<TcpStream>) -> (Reader, Writer) {
    let (read, write) = tokio::io::split(stream);
    (Reader::new(ReadSide::Tls(read)), Writer { half: WriteSide::Tls(write) })
}
