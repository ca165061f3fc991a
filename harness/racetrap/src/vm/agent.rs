//! Sends requests to the agent in a guest, over a virtio-serial port: no fault of the guest's
//! network touches it. `fixtures/vm/guest/agent.rs` describes the requests.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::error::VmError;

/// The agent of one guest.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    socket: PathBuf,
    /// Number of the next request. An answer to an earlier one, for which nobody waits any more, may
    /// come before the answer to this one.
    next: Arc<AtomicU64>,
}

impl Agent {
    /// The agent behind the socket of its port.
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), next: Arc::default() }
    }

    /// Runs a shell command in the guest, and returns its output.
    ///
    /// # Errors
    /// If its exit code is not 0, or the guest has not answered within `limit`.
    pub(crate) async fn run(&self, command: &str, limit: Duration) -> Result<String, VmError> {
        self.request(&format!("run {command}"), limit).await
    }

    /// Asks the guest's engine to answer a ping, in the guest.
    pub(crate) async fn ping(&self, limit: Duration) -> Result<(), VmError> {
        self.request("ping", limit).await.map(drop)
    }

    /// Sends a request, which is one line, and returns the output.
    ///
    /// # Errors
    /// If it failed, or the guest has not answered within `limit`.
    pub(crate) async fn request(&self, request: &str, limit: Duration) -> Result<String, VmError> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let why = match tokio::time::timeout(limit, self.exchange(number, request)).await {
            Ok(Ok((0, output))) => return Ok(output),
            Ok(Ok((status, output))) => format!("status {status}: {}", output.trim_end()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {limit:?}"),
        };
        // A request may have bytes of a secret behind its verb.
        let shown = if request.starts_with("seed") { "seed" } else { request };
        Err(VmError::Agent { request: shown.to_owned(), why })
    }

    async fn exchange(&self, number: u64, request: &str) -> io::Result<(i32, String)> {
        let mut stream = BufReader::new(UnixStream::connect(&self.socket).await?);
        stream.write_all(format!("{number} {request}\n").as_bytes()).await?;
        loop {
            let mut head = String::new();
            if stream.read_line(&mut head).await? == 0 {
                return Err(io::Error::other("the port was closed"));
            }
            let mut words = head.split_whitespace();
            let mut word = || words.next().unwrap_or_default();
            let (id, status, length) = (word(), word().parse::<i32>(), word().parse::<usize>());
            // The rest of an answer whose beginning another connection has read.
            let (Ok(status), Ok(length)) = (status, length) else { continue };
            let mut output = vec![0; length];
            stream.read_exact(&mut output).await?;
            if id.parse() == Ok(number) {
                return Ok((status, String::from_utf8_lossy(&output).into_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    // The guest first answers a request for which nobody waits any more, then this one.
    #[tokio::test]
    async fn an_answer_to_an_earlier_request_is_skipped() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("agent");
        let listener = UnixListener::bind(&path).expect("a socket");
        let serve = async {
            let (stream, _) = listener.accept().await.expect("a client");
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            stream.read_line(&mut line).await.expect("a request");
            assert_eq!(line, "0 run date\n");
            stream.write_all(b"d of an old one\n7 0 4\nold\n0 3 6\nfailed").await.expect("answers");
        };
        let agent = Agent::new(&path);
        let ask = agent.run("date", Duration::from_secs(10));
        let (answer, ()) = tokio::join!(ask, serve);
        let text = answer.expect_err("status 3").to_string();
        assert_eq!(text, "the guest did not carry out `run date`: status 3: failed");
    }
}
