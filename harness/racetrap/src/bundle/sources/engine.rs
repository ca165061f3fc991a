//! The engine's own view, asked on its own socket: what it answers, as it answers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt as _;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::bundle::collect::Collector;
use crate::bundle::patient::Patient;
use crate::bundle::shelf::{Content, Shelf};
use crate::clock::Clock;
use crate::mask::DocumentKind;

/// The longest answer that is read, in bytes.
const LONGEST: usize = 32 << 20;

/// How many of a container's last lines are taken.
const LINES: u32 = 1_000;

/// How many requests there are at once.
const AT_ONCE: usize = 4;

/// Questions that need no other one's answer, and the files of their answers.
const QUESTIONS: [(&str, &str); 6] = [
    ("/version", "engine/version.json"),
    ("/info", "engine/info.json"),
    ("/containers/json?all=1", "engine/containers.json"),
    ("/images/json?all=1", "engine/images.json"),
    ("/volumes", "engine/volumes.json"),
    ("/networks", "engine/networks.json"),
];

pub(super) fn collector(patient: &Patient) -> Collector {
    let socket = patient.engine.clone();
    Collector::asks("engine", Duration::from_secs(6), |shelf| async move {
        match socket {
            Some(socket) => ask_all(&Engine { socket }, &shelf).await,
            None => shelf.missing("engine", "the world had no engine yet"),
        }
    })
}

async fn ask_all(engine: &Engine, shelf: &Shelf) {
    let mut lists = Vec::new();
    for (question, path) in QUESTIONS {
        let answer = engine.document(question).await;
        match answer {
            Ok(answer) => {
                lists.push(answer.clone());
                shelf.put(path, Content::Document(DocumentKind::Docker, answer));
            }
            Err(why) => {
                lists.push(Value::Null);
                shelf.missing(path, why);
            }
        }
    }
    let ids = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|one| one["Id"].as_str().map(str::to_owned)).collect()
    };
    let (containers, images) = (ids(&lists[2]), ids(&lists[3]));
    let containers = inspect(engine, shelf, "container", "containers", containers).await;
    inspect(engine, shelf, "image", "images", images).await;
    events(engine, shelf).await;
    for container in &containers {
        logs(engine, shelf, container).await;
    }
}

/// Inspects all of them, in the order in which they are listed.
async fn inspect(
    engine: &Engine,
    shelf: &Shelf,
    kind: &str,
    plural: &str,
    ids: Vec<String>,
) -> Vec<Value> {
    let path = format!("engine/{kind}-inspect.json");
    let questions = ids.iter().map(|id| format!("/{plural}/{id}/json"));
    let answers = questions.map(|question| async move { engine.document(&question).await });
    let answers: Vec<_> = futures::stream::iter(answers).buffered(AT_ONCE).collect().await;
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for (id, answer) in ids.iter().zip(answers) {
        match answer {
            Ok(answer) => found.push(answer),
            Err(why) => refused.push(format!("{id}: {why}")),
        }
    }
    let content = Content::Document(DocumentKind::Docker, Value::from(found.clone()));
    if refused.is_empty() {
        shelf.put(&path, content);
    } else {
        shelf.put_part(&path, content, refused.join("; "));
    }
    found
}

/// What the engine remembers of what happened; it keeps the last few hundred.
async fn events(engine: &Engine, shelf: &Shelf) {
    let until = Clock::start().unix_time();
    let path = "engine/events.jsonl";
    match engine.text(&format!("/events?since=0&until={until}")).await {
        Ok(text) => shelf.put(path, Content::Text(text)),
        Err(why) => shelf.missing(path, why),
    }
}

async fn logs(engine: &Engine, shelf: &Shelf, container: &Value) {
    let id = container["Id"].as_str().unwrap_or_default();
    let path = format!("engine/logs/{id}.log");
    let question = format!("/containers/{id}/logs?stdout=1&stderr=1&timestamps=1&tail={LINES}");
    match engine.bytes(&question).await {
        Ok(bytes) => {
            let has_terminal = container["Config"]["Tty"] == true;
            let text = if has_terminal { lines("stdout", &bytes) } else { streams(&bytes) };
            if text.lines().count() < LINES as usize {
                shelf.put(&path, Content::Text(text));
            } else {
                let why = format!("the last {LINES} lines");
                shelf.put_part(&path, Content::Text(text), why);
            }
        }
        Err(why) => shelf.missing(&path, why),
    }
}

/// What a container without a terminal has said: frames with a head of eight bytes, of which the first
/// is the stream and the last four are the length (the engine's API, `ContainerAttach`).
fn streams(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let [stream, _, _, _, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let (said, rest) = rest.split_at(length.min(rest.len()));
        text.push_str(&lines(if stream == 2 { "stderr" } else { "stdout" }, said));
        bytes = rest;
    }
    text
}

fn lines(stream: &str, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    said.lines().map(|line| format!("{stream} {line}\n")).collect()
}

struct Engine {
    socket: PathBuf,
}

impl Engine {
    async fn document(&self, question: &str) -> Result<Value, String> {
        let bytes = self.bytes(question).await?;
        serde_json::from_slice(&bytes).map_err(|error| format!("the answer is no JSON: {error}"))
    }

    async fn text(&self, question: &str) -> Result<String, String> {
        Ok(String::from_utf8_lossy(&self.bytes(question).await?).into_owned())
    }

    /// Asks on a connection of its own, so that no answer waits for another.
    async fn bytes(&self, question: &str) -> Result<Bytes, String> {
        let (status, bytes) = get(&self.socket, question).await?;
        if status.is_success() {
            return Ok(bytes);
        }
        Err(format!("{status}: {}", String::from_utf8_lossy(&bytes).trim_end()))
    }
}

async fn get(socket: &Path, question: &str) -> Result<(StatusCode, Bytes), String> {
    let failed = |error: &dyn std::error::Error| crate::chain::chain(error);
    let stream = UnixStream::connect(socket).await.map_err(|error| failed(&error))?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
    let request = Request::get(question).header(header::HOST, "engine");
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| failed(&error))?;
    let asking = async {
        let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| failed(error.as_ref()))?;
        Ok((status, body.to_bytes()))
    };
    tokio::select! {
        // The connection moves on only while it is polled; what ends first ends both.
        answer = asking => answer,
        ended = connection => Err(match ended {
            Ok(()) => "the engine ended the connection".to_owned(),
            Err(error) => failed(&error),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Two streams whose frames alternate, one of them with two lines, and a frame that was cut off.
    #[test]
    fn what_a_container_said_is_told_line_by_line_with_its_stream() {
        let frame = |stream: u8, text: &str| {
            let length = u32::try_from(text.len()).expect("short").to_be_bytes();
            [&[stream, 0, 0, 0][..], &length, text.as_bytes()].concat()
        };
        let mut bytes =
            [frame(1, "T one\nT two\n"), frame(2, "T bad\n"), frame(1, "T cut")].concat();
        bytes.pop();
        assert_eq!(streams(&bytes), "stdout T one\nstdout T two\nstderr T bad\nstdout T cu\n");
    }
}
