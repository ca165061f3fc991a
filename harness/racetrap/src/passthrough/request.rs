//! One request to the passthrough, and its response.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite};

use super::route::{ByteStream, Route};
use crate::chain::chain;

/// How much of a response's body is read, in bytes.
const BODY_BYTES_MAX: usize = 64 << 10;

/// How much of a response's body is recorded, in characters.
const RECORDED_CHARS: usize = 200;

/// The small receive buffer, in bytes. A kernel's default is some MiB.
const SMALL_BUFFER: u32 = 64 << 10;

/// An open WebSocket.
pub(super) type Socket = WebSocketStream<Box<dyn ByteStream>>;

/// A header field with characters that HTTP does not allow.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` cannot be sent as a header field")]
pub(crate) struct BadHeader(String);

/// A request to the passthrough. By default it asks for a WebSocket and sends the route's token.
#[derive(Clone)]
pub(crate) struct PassthroughRequest {
    route: Route,
    target: String,
    headers: HeaderMap,
    upgrade: bool,
    receive_buffer: Option<u32>,
}

/// The response to a request.
pub(super) enum Response {
    /// The server has opened a WebSocket.
    WebSocket(Box<Socket>),
    /// The server has answered without opening one.
    Refused { status: u16, text: String },
}

impl PassthroughRequest {
    /// A request for `path` over `route`.
    pub(crate) fn new(route: Route, path: &str) -> Self {
        let target = route.target(path);
        let mut headers = HeaderMap::new();
        if let Some(token) = route.token()
            && let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {token}"))
        {
            headers.insert(header::AUTHORIZATION, bearer);
        }
        Self { route, target, headers, upgrade: true, receive_buffer: None }
    }

    /// Removes the token.
    pub(crate) fn without_token(mut self) -> Self {
        self.headers.remove(header::AUTHORIZATION);
        self
    }

    /// Asks for no WebSocket.
    pub(crate) fn without_upgrade(mut self) -> Self {
        self.upgrade = false;
        self
    }

    /// Uses a connection with a small receive buffer. The server then notices soon if the client
    /// does not read.
    pub(crate) fn with_small_buffer(mut self) -> Self {
        self.receive_buffer = Some(SMALL_BUFFER);
        self
    }

    /// Adds a header field, or replaces the one with this name.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Result<Self, BadHeader> {
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

    /// Connects, sends the request, and returns the response.
    ///
    /// # Errors
    /// A sentence about why there was no response within `limit`.
    pub(super) async fn send(&self, limit: Duration) -> Result<Response, String> {
        let response = timeout(limit, self.send_unlimited()).await;
        response.unwrap_or_else(|_| Err(format!("nothing came within {limit:?}")))
    }

    async fn send_unlimited(&self) -> Result<Response, String> {
        let stream = self.route.connect(self.receive_buffer).await;
        let stream = stream.map_err(|error| format!("no connection: {error}"))?;
        if self.upgrade { self.open_socket(stream).await } else { self.get(stream).await }
    }

    /// Asks for a WebSocket.
    async fn open_socket(&self, stream: Box<dyn ByteStream>) -> Result<Response, String> {
        let mut request = Request::builder()
            .uri(format!("ws://{}{}", self.route.host(), self.target))
            .header(header::HOST, self.route.host())
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, generate_key())
            .body(())
            .map_err(|error| error.to_string())?;
        // Last, so that a scenario can replace any field above.
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Response::WebSocket(Box::new(socket))),
            Err(tungstenite::Error::Http(refusal)) => Ok(Response::Refused {
                status: refusal.status().as_u16(),
                text: beginning(refusal.body().as_deref().unwrap_or_default()),
            }),
            Err(error) => Err(chain(&error)),
        }
    }

    /// Sends a GET request that asks for no WebSocket.
    async fn get(&self, stream: Box<dyn ByteStream>) -> Result<Response, String> {
        let failed = |error: hyper::Error| chain(&error);
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(failed)?;
        // hyper does the I/O of a connection in a future of its own. The task ends with this
        // function.
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // The request fails with the same error.
            let _ = connection.await;
        });
        let mut request =
            Request::builder().uri(&self.target).header(header::HOST, self.route.host());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), BODY_BYTES_MAX).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        Ok(Response::Refused { status, text: beginning(&body) })
    }
}

/// The beginning of a body, as text.
fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(RECORDED_CHARS).collect()
}
