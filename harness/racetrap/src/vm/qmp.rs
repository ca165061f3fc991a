//! Sends commands to a running QEMU (QEMU Machine Protocol): one JSON object a line.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::error::VmError;
use crate::wait::polled;

/// How long QEMU may take to answer a command. Nothing in the guest can delay it.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// The commands of one QEMU. Each command has a connection of its own: QEMU serves one client at a
/// time, and so nobody has to own a connection for as long as the machine runs.
#[derive(Clone, Debug)]
pub(crate) struct Qmp {
    socket: PathBuf,
}

impl Qmp {
    /// The QEMU that listens on `socket`.
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Runs a command and returns what it returned.
    ///
    /// # Errors
    /// If QEMU refuses it, or has not answered within 20 s.
    pub(crate) async fn run(&self, command: &str, arguments: Value) -> Result<Value, VmError> {
        let failed = |why: String| VmError::Qmp { command: command.to_owned(), why };
        match tokio::time::timeout(ANSWER_LIMIT, self.exchange(command, arguments)).await {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(refused))) => Err(failed(refused)),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("no answer within {ANSWER_LIMIT:?}"))),
        }
    }

    /// Runs a command of the human monitor, for what has no command of its own.
    pub(crate) async fn monitor(&self, line: &str) -> Result<String, VmError> {
        let answer = self.run("human-monitor-command", json!({ "command-line": line })).await?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// The port of this machine that leads to port 22 of the guest at `address`, if there is one.
    pub(crate) async fn ssh_port(&self, address: &str) -> Result<Option<u16>, VmError> {
        let text = self.monitor("info usernet").await?;
        Ok(ssh_port(&text, address))
    }

    /// Waits until a migration that was begun has ended.
    ///
    /// # Errors
    /// If it failed, or has not ended within `limit`.
    pub(crate) async fn migrated(&self, limit: Duration) -> Result<(), VmError> {
        let waited = polled("the state of the machine", limit, async || {
            let status = match self.run("query-migrate", json!({})).await {
                Ok(answer) => answer["status"].as_str().unwrap_or("none").to_owned(),
                Err(error) => return ControlFlow::Break(Err(error.to_string())),
            };
            match status.as_str() {
                "completed" => ControlFlow::Break(Ok(())),
                "failed" | "cancelled" => ControlFlow::Break(Err(status)),
                _ => ControlFlow::Continue(status),
            }
        })
        .await;
        let why = match waited {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(why)) => why,
            Err(error) => error.to_string(),
        };
        Err(VmError::Qmp { command: "migrate".to_owned(), why })
    }

    async fn exchange(
        &self,
        command: &str,
        arguments: Value,
    ) -> std::io::Result<Result<Value, String>> {
        let mut stream = BufReader::new(UnixStream::connect(&self.socket).await?);
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let negotiate = ("qmp_capabilities", json!({}));
        let mut answer = Value::Null;
        for (command, arguments) in [negotiate, (command, arguments)] {
            let request = json!({ "execute": command, "arguments": arguments });
            stream.write_all(format!("{request}\n").as_bytes()).await?;
            answer = loop {
                line.clear();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(Err("it closed the connection".to_owned()));
                }
                let value: Value = serde_json::from_str(&line)?;
                // Events come between the answers.
                if value.get("event").is_none() {
                    break value;
                }
            };
            if let Some(error) = answer.get("error") {
                return Ok(Err(error["desc"].as_str().unwrap_or_default().to_owned()));
            }
        }
        Ok(Ok(answer["return"].take()))
    }
}

/// Reads the output of `info usernet`, of which a line is
/// `TCP[HOST_FORWARD]  12       127.0.0.1 40181       10.0.2.15    22     0     0`.
fn ssh_port(text: &str, address: &str) -> Option<u16> {
    let forwards = text.lines().filter(|line| line.contains("HOST_FORWARD"));
    let mut words = forwards.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let words = words.find(|words| words.get(4..6) == Some([address, "22"].as_slice()))?;
    words[3].parse().ok()
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    const USERNET: &str = "Hub -1 (n0):\r\n  Protocol[State]    FD  Source Address  Port   Dest. \
                           Address  Port RecvQ SendQ\r\n  TCP[ESTABLISHED]   19       127.0.0.1 \
                           40181       10.0.2.15    22     0     0\r\n  TCP[HOST_FORWARD]  12       \
                           127.0.0.1 40181       10.0.2.15    22     0     0\r\nHub -1 (n1):\r\n  \
                           TCP[HOST_FORWARD]  13       127.0.0.1 40183       10.0.3.15    22     0 0\r\n";

    #[test]
    fn the_port_of_a_forward_is_read_and_no_connection() {
        assert_eq!(ssh_port(USERNET, "10.0.2.15"), Some(40181));
        assert_eq!(ssh_port(USERNET, "10.0.3.15"), Some(40183));
        assert_eq!(ssh_port(USERNET, "192.168.5.15"), None);
    }

    // A QEMU that sends an event before each answer, and refuses the second command.
    #[tokio::test]
    async fn events_are_skipped_and_an_error_is_the_answer() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("qmp");
        let listener = UnixListener::bind(&path).expect("a socket");
        let serve = async {
            for answer in [r#"{"return": {"a": 1}}"#, r#"{"error": {"desc": "no such device"}}"#] {
                let (stream, _) = listener.accept().await.expect("a client");
                let mut stream = BufReader::new(stream);
                stream.write_all(b"{\"QMP\": {}}\n").await.expect("a greeting");
                for answer in [r#"{"return": {}}"#, answer] {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.expect("a command");
                    let text = format!("{{\"event\": \"RESET\"}}\n{answer}\n");
                    stream.write_all(text.as_bytes()).await.expect("an answer");
                }
            }
        };
        let qmp = Qmp::new(&path);
        let ask = async {
            let first = qmp.run("query-status", json!({})).await.expect("an answer");
            assert_eq!(first, json!({ "a": 1 }));
            let second = qmp.run("device_del", json!({ "id": "x" })).await;
            let text = second.expect_err("an error").to_string();
            assert_eq!(text, "QEMU did not carry out `device_del`: no such device");
        };
        tokio::join!(serve, ask);
    }
}
