//! Accepts and serves connections: on a unix socket, and with TLS on the loopback interface.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::request::ParsedRequest;
use super::response::{Body, PreparedResponse};

/// How many connections are open at the same time. Further clients wait until one of them ends.
const CONNECTIONS_MAX: usize = 256;

/// How much of a request body is read, in bytes.
const BODY_MAX: usize = 64 << 20;

/// Computes the response to a request.
pub(super) type Handler = Arc<dyn Fn(&ParsedRequest) -> PreparedResponse + Send + Sync>;

/// Serves a unix socket until accepting fails, and returns the error.
pub(super) async fn serve_unix(listener: UnixListener, handler: Handler) -> io::Error {
    // Dropped with this future, which ends all connections.
    let mut connections = JoinSet::new();
    loop {
        wait_for_capacity(&mut connections).await;
        match listener.accept().await {
            Ok((stream, _)) => connections.spawn(serve_connection(stream, handler.clone())),
            Err(error) if is_of_client(&error) => continue,
            Err(error) => return error,
        };
    }
}

/// Serves a TCP port with TLS until accepting fails, and returns the error.
pub(super) async fn serve_tls(
    listener: TcpListener,
    tls: TlsAcceptor,
    handler: Handler,
) -> io::Error {
    let mut connections = JoinSet::new();
    loop {
        wait_for_capacity(&mut connections).await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let (tls, handler) = (tls.clone(), handler.clone());
                // The handshake is part of the task, so that a slow client cannot keep others from
                // being accepted.
                connections.spawn(async move {
                    // A failed handshake is the problem of its client: it does not trust the
                    // certificate, or it does not speak TLS.
                    if let Ok(stream) = tls.accept(stream).await {
                        serve_connection(stream, handler).await;
                    }
                })
            }
            Err(error) if is_of_client(&error) => continue,
            Err(error) => return error,
        };
    }
}

/// Removes the tasks of connections that have ended, and waits while there are too many
/// connections.
async fn wait_for_capacity(connections: &mut JoinSet<()>) {
    while let Some(ended) = connections.try_join_next() {
        resume_panic(ended);
    }
    while connections.len() >= CONNECTIONS_MAX
        && let Some(ended) = connections.join_next().await
    {
        resume_panic(ended);
    }
}

fn resume_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Whether `accept` failed only for one client, such as one that disconnected before it was
/// accepted.
fn is_of_client(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted)
}

async fn serve_connection(stream: impl AsyncRead + AsyncWrite + Unpin, handler: Handler) {
    let service = service_fn(|request: Request<Incoming>| {
        let handler = handler.clone();
        async move { Ok::<Response<Body>, Infallible>(respond(request, &handler).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    // An error ends only this connection, and its client sees that.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

/// Reads the whole request before the response is sent, although only its head matters: a client
/// that still sends its body would otherwise see a broken connection instead of the refusal.
async fn respond<B: hyper::body::Body + Unpin>(
    request: Request<B>,
    handler: &Handler,
) -> Response<Body> {
    let is_head = request.method() == Method::HEAD;
    let response = handler(&ParsedRequest::from_http(&request)).into_http(is_head);
    let mut left = BODY_MAX;
    let mut body = request.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, hyper::body::Buf::remaining);
        match left.checked_sub(bytes) {
            Some(less) => left = less,
            // A body beyond the limit is not read, so a client cannot keep a connection busy for ever.
            None => break,
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::stream;
    use http_body_util::StreamBody;
    use hyper::body::{Bytes, Frame};

    use super::*;

    /// Sends a body of `count` parts of 16 MiB, and returns how many parts were read before the
    /// response.
    async fn parts_read(count: usize) -> usize {
        let read = Arc::new(AtomicUsize::new(0));
        let part = Bytes::from(vec![0; 16 << 20]);
        let counter = read.clone();
        let parts = (0..count).map(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Infallible>(Frame::data(part.clone()))
        });
        let request = Request::post("/x").body(StreamBody::new(stream::iter(parts)));
        let handler: Handler =
            Arc::new(|request| PreparedResponse::text(request.method.to_string()));
        respond(request.expect("a request"), &handler).await;
        read.load(Ordering::SeqCst)
    }

    // A short body is read to its end, so that its sender receives the response; a huge one is not.
    #[tokio::test]
    async fn a_request_body_is_read_to_its_end_but_not_beyond_a_limit() {
        assert_eq!(parts_read(3).await, 3);
        assert_eq!(parts_read(1_000).await, 5);
    }
}
