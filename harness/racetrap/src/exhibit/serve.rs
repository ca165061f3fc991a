//! Connections: on a unix socket, and with TLS on the loopback interface.

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

use super::question::Question;
use super::reply::{Body, Reply};
use crate::process::propagate_panic;

/// How many connections there may be at once; whoever comes then waits.
const CONNECTIONS_MAX: usize = 256;

/// How much of a request is read before it is answered, in bytes.
const BODY_MAX: usize = 64 << 20;

/// Gives the answer to a question.
pub(super) type Answer = Arc<dyn Fn(&Question) -> Reply + Send + Sync>;

/// Serves clients of a unix socket until nobody can be accepted any more; says why.
pub(super) async fn on_socket(listener: UnixListener, answer: Answer) -> io::Error {
    let mut connections = JoinSet::new();
    loop {
        make_room(&mut connections).await;
        match listener.accept().await {
            Ok((stream, _)) => connections.spawn(converse(stream, answer.clone())),
            Err(error) if is_of_client(&error) => continue,
            Err(error) => return error,
        };
    }
}

/// The same with TLS.
pub(super) async fn on_port(listener: TcpListener, tls: TlsAcceptor, answer: Answer) -> io::Error {
    let mut connections = JoinSet::new();
    loop {
        make_room(&mut connections).await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let (tls, answer) = (tls.clone(), answer.clone());
                connections.spawn(async move {
                    // One that does not trust the certificate, or speaks something else.
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, answer).await;
                    }
                })
            }
            Err(error) if is_of_client(&error) => continue,
            Err(error) => return error,
        };
    }
}

/// Forgets connections that have ended, and waits for one where there are too many.
async fn make_room(connections: &mut JoinSet<()>) {
    while let Some(ended) = connections.try_join_next() {
        propagate_panic(ended);
    }
    while connections.len() >= CONNECTIONS_MAX
        && let Some(ended) = connections.join_next().await
    {
        propagate_panic(ended);
    }
}

/// Whether a client went before it was accepted.
fn is_of_client(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted)
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, answer: Answer) {
    let service = service_fn(|request: Request<Incoming>| {
        let answer = answer.clone();
        async move { Ok::<Response<Body>, Infallible>(answered(request, &answer).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    // However it ends, it ends for its client alone.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

/// Answers when the request is whole, of which only the head matters: a client that is still sending would
/// see its connection end, and not the refusal.
async fn answered<B: hyper::body::Body + Unpin>(
    request: Request<B>,
    answer: &Answer,
) -> Response<Body> {
    let response = answer(&Question::of(&request)).sent(request.method() == Method::HEAD);
    let mut left = BODY_MAX;
    let mut body = request.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, hyper::body::Buf::remaining);
        match left.checked_sub(bytes) {
            Some(less) => left = less,
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

    /// How many of a body's parts of 16 MiB are read before the answer comes.
    async fn parts_read(count: usize) -> usize {
        let read = Arc::new(AtomicUsize::new(0));
        let part = Bytes::from(vec![0; 16 << 20]);
        let counter = read.clone();
        let parts = (0..count).map(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Infallible>(Frame::data(part.clone()))
        });
        let request = Request::post("/x").body(StreamBody::new(stream::iter(parts)));
        let answer: Answer = Arc::new(|question| Reply::text(question.method.to_string()));
        answered(request.expect("a request"), &answer).await;
        read.load(Ordering::SeqCst)
    }

    // What is short is read to its end, so that its sender hears the answer, and what has no end is not.
    #[tokio::test]
    async fn a_request_is_read_to_its_end_before_it_is_answered_unless_that_is_far() {
        assert_eq!(parts_read(3).await, 3);
        assert_eq!(parts_read(1_000).await, 5);
    }
}
