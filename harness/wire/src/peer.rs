//! One side of a connection, read with a buffer that survives a cancelled read.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// Bytes asked for at once: a body of 64 KiB with its head goes through in one step.
const READ_SIZE: usize = 128 * 1024;

/// The side that is read from.
#[derive(Debug)]
pub(crate) struct Incoming {
    half: OwnedReadHalf,
    /// What was read and is not consumed yet.
    pub(crate) buffer: BytesMut,
}

impl Incoming {
    /// Reads more into the buffer; 0 at the end. Cancel-safe: what was read is in the buffer.
    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ_SIZE);
        self.half.read_buf(&mut self.buffer).await
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
}

/// The side that is written to.
#[derive(Debug)]
pub(crate) struct Outgoing {
    half: OwnedWriteHalf,
}

impl Outgoing {
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.half.write_all(bytes).await
    }

    /// Tells the other side that nothing more comes.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        self.half.shutdown().await
    }
}

/// Takes a stream apart.
pub(crate) fn split(stream: UnixStream) -> (Incoming, Outgoing) {
    let (read, write) = stream.into_split();
    (Incoming { half: read, buffer: BytesMut::new() }, Outgoing { half: write })
}
