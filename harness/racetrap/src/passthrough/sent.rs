//! What the engine has sent of each log over the wire, and whether a client has received the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use racetrap_history::{LogSent, SentStream};
use racetrap_wire::Tap;
use sha2::{Digest as _, Sha256};

use super::client::Client;
use super::demux::Demux;
use super::received::hexadecimal;

/// The route of the engine's logs.
const LOGS: &str = "/containers/{id}/logs";

/// How many bytes of a log are kept in memory. A longer log is kept in a file, so that many short
/// logs need no descriptors, and a long one no memory.
const IN_MEMORY: usize = 1 << 20;

/// How many bytes of a file are hashed at once.
const PIECE: usize = 1 << 16;

/// The logs that the engine has sent over the wire, by the number of the exchange. Clones share them.
#[derive(Clone)]
pub(crate) struct SentLogs {
    directory: PathBuf,
    streams: Arc<Mutex<BTreeMap<u64, Arc<Mutex<Stream>>>>>,
}

impl SentLogs {
    /// No log. Long ones are kept in files without a name, in `directory`.
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), streams: Arc::default() }
    }

    /// A tap that keeps what it receives.
    pub(crate) fn tap(&self) -> Tap {
        let sent = self.clone();
        Tap { route: LOGS, sink: Arc::new(move |exchange, bytes| sent.add(exchange, bytes)) }
    }

    fn add(&self, exchange: u64, bytes: &[u8]) {
        let stream = lock(&self.streams).entry(exchange).or_default().clone();
        lock(&stream).add(bytes, &self.directory);
    }

    /// Forgets all logs.
    pub(crate) fn clear(&self) {
        lock(&self.streams).clear();
    }

    /// How many bytes of the log were sent in this exchange, and the SHA-256 of the first `received`
    /// of them, or of all, if there are less.
    fn stream(&self, exchange: u64, received: u64) -> io::Result<SentStream> {
        let stream = lock(&self.streams).get(&exchange).cloned().unwrap_or_default();
        let mut stream = lock(&stream);
        let prefix_sha256 = hexadecimal(stream.prefix(received)?);
        Ok(SentStream { exchange, bytes: stream.bytes, prefix_sha256 })
    }
}

/// Compares the bytes that a client has received with those that the engine has sent in each of
/// these exchanges.
///
/// # Errors
/// If what the engine has sent could not be kept.
pub(crate) fn compare_with_wire(
    sent: &SentLogs,
    name: &str,
    client: &Client,
    exchanges: Vec<u64>,
) -> io::Result<LogSent> {
    // Before the wire is looked at, which has all bytes before the client: so no stream has less
    // than the client has received of it.
    let (received, received_sha256) = client.total();
    let streams = exchanges.into_iter().map(|exchange| sent.stream(exchange, received));
    let streams = streams.collect::<io::Result<Vec<_>>>()?;
    Ok(LogSent { client: name.to_owned(), received, received_sha256, streams })
}

/// The content of one log response.
#[derive(Default)]
struct Stream {
    demux: Demux,
    bytes: u64,
    kept: Kept,
    /// The hash of the bytes that were asked for last, and how many they were: the next question is
    /// mostly about the same bytes and some more.
    hashed: (u64, Sha256),
    /// Why not all of it is kept.
    failure: Option<String>,
}

/// Where the content is.
enum Kept {
    Memory(Vec<u8>),
    File(File),
}

impl Default for Kept {
    fn default() -> Self {
        Self::Memory(Vec::new())
    }
}

impl Stream {
    fn add(&mut self, body: &[u8], directory: &Path) {
        let mut content = Vec::new();
        self.demux.push(body, &mut content);
        self.bytes += content.len() as u64;
        if let Err(error) = self.kept.append(content, directory) {
            // The one who forwards cannot do anything about it. Who compares learns it.
            self.failure.get_or_insert(error.to_string());
        }
    }

    /// The hash of the first `received` bytes, or of all, if there are less.
    fn prefix(&mut self, received: u64) -> io::Result<Sha256> {
        if let Some(failure) = &self.failure {
            return Err(io::Error::other(format!("a log could not be kept: {failure}")));
        }
        let wanted = received.min(self.bytes);
        if self.hashed.0 > wanted {
            self.hashed = <(u64, Sha256)>::default();
        }
        let (from, hash) = &mut self.hashed;
        self.kept.read(*from, wanted, |piece| hash.update(piece))?;
        *from = wanted;
        Ok(hash.clone())
    }
}

impl Kept {
    fn append(&mut self, content: Vec<u8>, directory: &Path) -> io::Result<()> {
        match self {
            Self::Memory(bytes) => {
                bytes.extend(content);
                if bytes.len() > IN_MEMORY {
                    let mut file = tempfile::tempfile_in(directory)?;
                    file.write_all(bytes)?;
                    *self = Self::File(file);
                }
                Ok(())
            }
            Self::File(file) => {
                // A question may have moved the position.
                file.seek(SeekFrom::End(0))?;
                file.write_all(&content)
            }
        }
    }

    /// Calls `on_piece` for the bytes from `from` up to `to`, which must be there.
    fn read(&mut self, from: u64, to: u64, mut on_piece: impl FnMut(&[u8])) -> io::Result<()> {
        match self {
            Self::Memory(bytes) => {
                // In memory are at most some MiB.
                let [from, to] =
                    [from, to].map(|at| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len()));
                on_piece(&bytes[from..to]);
            }
            Self::File(file) => {
                file.seek(SeekFrom::Start(from))?;
                let (mut rest, mut piece) = (file.take(to - from), vec![0; PIECE]);
                loop {
                    match rest.read(&mut piece)? {
                        0 => break,
                        bytes => on_piece(&piece[..bytes]),
                    }
                }
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha256(bytes: &[u8]) -> String {
        hexadecimal(Sha256::new_with_prefix(bytes))
    }

    // The second log is longer than what is kept in memory, and comes in pieces of which some are in
    // memory first. Prefixes are asked for in any order, and more comes in between.
    #[test]
    fn a_prefix_is_of_what_was_sent_wherever_it_is_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let sent = SentLogs::new(directory.path());
        let tap = sent.tap();
        (tap.sink)(1, b"raw\n");
        let long: Vec<u8> = (0..3 * IN_MEMORY).map(|at| b'a' + (at % 23) as u8).collect();
        for piece in long.chunks(IN_MEMORY - 7) {
            (tap.sink)(2, piece);
            let half = piece.len() / 2;
            let stream = sent.stream(2, half as u64).expect("it was kept");
            assert_eq!(stream.prefix_sha256, sha256(&long[..half]));
        }
        for received in [0, 1, IN_MEMORY + 1, 2 * IN_MEMORY, 5, long.len()] {
            let stream = sent.stream(2, received as u64).expect("it was kept");
            let prefix_sha256 = sha256(&long[..received]);
            let bytes = long.len() as u64;
            assert_eq!(stream, SentStream { exchange: 2, bytes, prefix_sha256 });
        }
        assert_eq!(std::fs::read_dir(directory.path()).expect("it is there").count(), 0);
    }

    // More than was sent is the hash of all that was sent; an exchange without content is empty; and
    // what was forgotten is, too.
    #[test]
    fn a_prefix_has_at_most_what_was_sent() {
        let sent = SentLogs::new(Path::new("/nowhere"));
        sent.add(1, b"raw\n");
        let of = |exchange, received| sent.stream(exchange, received).expect("it was kept");
        assert_eq!((of(1, 9).bytes, of(1, 9).prefix_sha256), (4, sha256(b"raw\n")));
        assert_eq!((of(7, 9).bytes, of(7, 9).prefix_sha256), (0, sha256(b"")));
        sent.clear();
        assert_eq!(of(1, 9).bytes, 0);
    }

    // A log that could not be kept must not be compared as if it were shorter.
    #[test]
    fn a_log_that_could_not_be_kept_is_an_error() {
        let sent = SentLogs::new(Path::new("/nowhere"));
        sent.add(1, &vec![b'x'; IN_MEMORY + 1]);
        assert!(sent.stream(1, 1).is_err() && sent.stream(1, 1).is_err());
    }
}
