//! One end of a connection, played by a test.

use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Longest wait for anything in these tests; it passes only where a test fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// One end of a connection, played by a test.
pub(crate) struct Peer {
    stream: UnixStream,
    name: &'static str,
}

impl Peer {
    pub(crate) fn new(stream: UnixStream, name: &'static str) -> Self {
        Self { stream, name }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sending = self.stream.write_all(bytes.as_ref());
        let sent = timeout(LIMIT, sending).await;
        sent.unwrap_or_else(|_| panic!("{} could not send", self.name)).unwrap();
    }

    /// Sends one byte a write, so that the other side may see any part of the message alone.
    pub(crate) async fn send_bytewise(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.send([*byte]).await;
            tokio::task::yield_now().await;
        }
    }

    /// Reads as many bytes as are expected, and they must be those.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: impl AsRef<[u8]>) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let expected = expected.as_ref();
            let mut seen = vec![0; expected.len()];
            let mut length = 0;
            while length < expected.len() {
                let reading = timeout(LIMIT, self.stream.read(&mut seen[length..])).await;
                match reading {
                    Ok(Ok(1..)) => length += reading.unwrap().unwrap(),
                    other => panic!(
                        "{} at {caller}: {other:?} after {length} of {} bytes: {}",
                        self.name,
                        expected.len(),
                        readable(&seen[..length]),
                    ),
                }
            }
            let same = seen == expected;
            assert!(
                same,
                "{} at {caller}: expected {}\nseen {}",
                self.name,
                readable(expected),
                readable(&seen)
            );
        }
    }

    /// The other side has ended, and nothing was left to read.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let mut rest = Vec::new();
            let reading = timeout(LIMIT, self.stream.read_to_end(&mut rest)).await;
            // A connection that was cut with unread bytes in it ends with a reset.
            assert!(reading.is_ok(), "{} at {caller}: no end; seen {}", self.name, readable(&rest));
            assert!(rest.is_empty(), "{} at {caller}: {}", self.name, readable(&rest));
        }
    }

    /// Everything up to the end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let reading = timeout(LIMIT, self.stream.read_to_end(&mut rest)).await;
        let reading = reading.unwrap_or_else(|_| panic!("{}: no end", self.name));
        reading.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        rest
    }

    /// Not one byte has been sent to this side so far. Asks the kernel itself, because the
    /// runtime may not have looked since.
    pub(crate) fn expect_nothing_yet(&self) {
        let same = self.stream.as_fd().try_clone_to_owned().unwrap();
        let mut byte = [0];
        let read = std::os::unix::net::UnixStream::from(same).read(&mut byte);
        let nothing = read.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock);
        assert!(nothing, "{} was sent something: {read:?} {}", self.name, readable(&byte));
    }

    /// Says that this side sends nothing more, and goes on reading.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }
}

/// Bytes for a message of a failed test, shortened.
fn readable(bytes: &[u8]) -> String {
    const SHOWN: usize = 600;
    let shown = bytes[..bytes.len().min(SHOWN)].escape_ascii();
    format!("{} bytes `{shown}`", bytes.len())
}
