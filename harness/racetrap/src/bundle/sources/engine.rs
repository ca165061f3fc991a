//! The engine's objects, events and container logs, requested on its own socket, past the wire.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt as _;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::bundle::collect::Collector;
use crate::bundle::container_log::{from_frames, from_terminal};
use crate::bundle::layout::{ENGINE_EVENTS, container_log, engine_document};
use crate::bundle::output::{CollectorOutput, Content};
use crate::bundle::target::CaptureTarget;
use crate::clock::Clock;
use crate::mask::DocumentKind;

/// The largest response that is read, in bytes.
const RESPONSE_MAX: usize = 32 << 20;

/// How many of the last lines of a container's log are captured.
const LINES_MAX: u32 = 1_000;

/// The number of requests in flight at the same time.
const AT_ONCE: usize = 4;

/// Requests that depend on no other response, and the names of the documents that they return.
const REQUESTS: [(&str, &str); 6] = [
    ("/version", "version"),
    ("/info", "info"),
    ("/containers/json?all=1", CONTAINERS),
    ("/images/json?all=1", IMAGES),
    ("/volumes", "volumes"),
    ("/networks", "networks"),
];

const CONTAINERS: &str = "containers";
const IMAGES: &str = "images";

pub(super) fn collector(target: &CaptureTarget) -> Collector {
    let socket = target.engine.clone();
    Collector::asynchronous("engine", Duration::from_secs(6), |output| async move {
        match socket {
            Some(socket) => collect(&Engine { socket }, &output).await,
            None => output.missing("engine", "the world had no engine yet"),
        }
    })
}

async fn collect(engine: &Engine, output: &CollectorOutput) {
    let mut documents = BTreeMap::new();
    for (request, name) in REQUESTS {
        let path = engine_document(name);
        match engine.document(request).await {
            Ok(document) => {
                documents.insert(name, document.clone());
                output.put(&path, Content::Document(DocumentKind::Docker, document));
            }
            Err(why) => output.missing(&path, why),
        }
    }
    let ids = |list: &str| -> Vec<String> {
        let list = documents.get(list).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|one| one["Id"].as_str().map(str::to_owned)).collect()
    };
    let containers = inspect(engine, output, "container", "containers", ids(CONTAINERS)).await;
    inspect(engine, output, "image", "images", ids(IMAGES)).await;
    events(engine, output, documents.get("info")).await;
    for container in &containers {
        logs(engine, output, container).await;
    }
}

/// Inspects all objects of a kind into one document, in the order of their list. Returns the
/// responses.
async fn inspect(
    engine: &Engine,
    output: &CollectorOutput,
    kind: &str,
    plural: &str,
    ids: Vec<String>,
) -> Vec<Value> {
    let path = engine_document(&format!("{kind}-inspect"));
    let requests = ids.iter().map(|id| format!("/{plural}/{id}/json"));
    let responses = requests.map(|request| async move { engine.document(&request).await });
    let responses: Vec<_> = futures::stream::iter(responses).buffered(AT_ONCE).collect().await;
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for (id, response) in ids.iter().zip(responses) {
        match response {
            Ok(document) => found.push(document),
            // The object may have been removed since it was listed.
            Err(why) => failed.push(format!("{id}: {why}")),
        }
    }
    let content = Content::Document(DocumentKind::Docker, Value::from(found.clone()));
    if failed.is_empty() {
        output.put(&path, content);
    } else {
        output.put_part(&path, content, failed.join("; "));
    }
    found
}

/// The events that the engine still has in memory, which are the last few hundred. `info` is what it says of
/// itself.
async fn events(engine: &Engine, output: &CollectorOutput, info: Option<&Value>) {
    // Without `until` the stream would never end. The engine compares it with its own clock, which may
    // not be that of this machine.
    let its_own = info.and_then(|info| info["SystemTime"].as_str()?.parse::<Timestamp>().ok());
    let until = match its_own {
        Some(time) => format!("{}.{:09}", time.as_second(), time.subsec_nanosecond()),
        None => Clock::start().unix_time(),
    };
    match engine.text(&format!("/events?since=0&until={until}")).await {
        Ok(text) => output.put(ENGINE_EVENTS, Content::Text(text)),
        Err(why) => output.missing(ENGINE_EVENTS, why),
    }
}

async fn logs(engine: &Engine, output: &CollectorOutput, container: &Value) {
    let id = container["Id"].as_str().unwrap_or_default();
    let path = container_log(id);
    let request = format!("/containers/{id}/logs?stdout=1&stderr=1&timestamps=1&tail={LINES_MAX}");
    match engine.bytes(&request).await {
        Ok(bytes) => {
            let has_terminal = container["Config"]["Tty"] == true;
            let text = if has_terminal { from_terminal(&bytes) } else { from_frames(&bytes) };
            if text.lines().count() < LINES_MAX as usize {
                output.put(&path, Content::Text(text));
            } else {
                let why = format!("the last {LINES_MAX} lines");
                output.put_part(&path, Content::Text(text), why);
            }
        }
        Err(why) => output.missing(&path, why),
    }
}

/// A client of the engine.
struct Engine {
    socket: PathBuf,
}

impl Engine {
    async fn document(&self, request: &str) -> Result<Value, String> {
        let bytes = self.bytes(request).await?;
        serde_json::from_slice(&bytes).map_err(|error| format!("the response is no JSON: {error}"))
    }

    async fn text(&self, request: &str) -> Result<String, String> {
        Ok(String::from_utf8_lossy(&self.bytes(request).await?).into_owned())
    }

    /// Sends each request on a connection of its own, so that no response waits for another.
    async fn bytes(&self, request: &str) -> Result<Bytes, String> {
        let (status, bytes) = get(&self.socket, request).await?;
        if status.is_success() {
            return Ok(bytes);
        }
        Err(format!("{status}: {}", String::from_utf8_lossy(&bytes).trim_end()))
    }
}

async fn get(socket: &Path, target: &str) -> Result<(StatusCode, Bytes), String> {
    let failed = |error: &dyn std::error::Error| crate::chain::chain(error);
    let stream = UnixStream::connect(socket).await.map_err(|error| failed(&error))?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
    let request = Request::get(target).header(header::HOST, "engine");
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| failed(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), RESPONSE_MAX).collect().await;
        let body = body.map_err(|error| failed(error.as_ref()))?;
        Ok((status, body.to_bytes()))
    };
    tokio::select! {
        // The connection makes progress only while it is polled. Whichever ends first decides the
        // result, so nothing is lost when the other one is dropped.
        response = exchange => response,
        ended = connection => Err(match ended {
            Ok(()) => "the engine ended the connection".to_owned(),
            Err(error) => failed(&error),
        }),
    }
}
