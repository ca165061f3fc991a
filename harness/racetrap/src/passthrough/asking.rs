//! One request to the passthrough, and its answer.

use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite};

use super::way::{Carrier, Way};
use crate::chain::chain;

/// So much of a refusal is read.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// So much of it is told.
const TEXT_SHOWN: usize = 200;

/// What a connection holds for a client that does not read; a kernel's own choice is some MiB.
const LITTLE_BYTES: u32 = 64 << 10;

/// An open WebSocket.
pub(super) type Socket = WebSocketStream<Box<dyn Carrier>>;

/// A name or value that cannot stand in a head.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` cannot be sent as a header field")]
pub(crate) struct BadHeader(String);

/// What a client asks for, and how.
#[derive(Clone)]
pub(crate) struct Asking {
    way: Way,
    target: String,
    headers: HeaderMap,
    upgrade: bool,
    holds: Option<u32>,
}

/// What a client is told.
pub(super) enum Answer {
    /// It has its WebSocket.
    Socket(Box<Socket>),
    /// It has none.
    Refused { status: u16, text: String },
}

impl Asking {
    /// Asks for a path behind the passthrough, with the way's token, for a WebSocket.
    pub(crate) fn new(way: Way, path: &str) -> Self {
        let target = way.target(path);
        let mut headers = HeaderMap::new();
        if let Some(token) = way.token()
            && let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {token}"))
        {
            headers.insert(header::AUTHORIZATION, bearer);
        }
        Self { way, target, headers, upgrade: true, holds: None }
    }

    /// The same without the token.
    pub(crate) fn without_token(mut self) -> Self {
        self.headers.remove(header::AUTHORIZATION);
        self
    }

    /// The same as a plain request, which wants no WebSocket.
    pub(crate) fn plain(mut self) -> Self {
        self.upgrade = false;
        self
    }

    /// The same over a connection that holds little: whoever does not read, is soon seen not to.
    pub(crate) fn holding_little(mut self) -> Self {
        self.holds = Some(LITTLE_BYTES);
        self
    }

    /// The same with another header field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Result<Self, BadHeader> {
        let bad = || BadHeader(format!("{name}: {value}"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let value = HeaderValue::from_str(value).map_err(|_| bad())?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// Connects and asks; the error is what came instead of an answer.
    pub(super) async fn ask(&self) -> Result<Answer, String> {
        let carrier = self.way.connect(self.holds).await;
        let carrier = carrier.map_err(|error| format!("no connection: {error}"))?;
        if self.upgrade { self.upgraded(carrier).await } else { self.plainly(carrier).await }
    }

    async fn upgraded(&self, carrier: Box<dyn Carrier>) -> Result<Answer, String> {
        let mut request = Request::builder()
            .uri(format!("ws://{}{}", self.way.host(), self.target))
            .header(header::HOST, self.way.host())
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, generate_key())
            .body(())
            .map_err(|error| error.to_string())?;
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        match client_async(request, carrier).await {
            Ok((socket, _)) => Ok(Answer::Socket(Box::new(socket))),
            Err(tungstenite::Error::Http(answer)) => Ok(Answer::Refused {
                status: answer.status().as_u16(),
                text: shown(answer.body().as_deref().unwrap_or_default()),
            }),
            Err(error) => Err(chain(&error)),
        }
    }

    async fn plainly(&self, carrier: Box<dyn Carrier>) -> Result<Answer, String> {
        let told = |error: hyper::Error| chain(&error);
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(carrier)).await;
        let (mut sender, connection) = handshake.map_err(told)?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // What it ends with, the request is told.
            let _ = connection.await;
        });
        let mut request =
            Request::builder().uri(&self.target).header(header::HOST, self.way.host());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(told)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), TEXT_BYTES_MAX).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        Ok(Answer::Refused { status, text: shown(&body) })
    }
}

/// The beginning of a body, as text.
fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(TEXT_SHOWN).collect()
}
