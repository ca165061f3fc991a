//! A registry as far as a login goes: it wants a name and a password, and takes any.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How many addresses it has; the docker command keeps the credentials of each by themselves.
const ADDRESSES: usize = 16;

/// A registry on the loopback interface, for as long as its tasks run.
pub(super) struct Registry {
    addresses: Vec<SocketAddr>,
    _tasks: JoinSet<()>,
}

impl Registry {
    /// Listens.
    pub(super) async fn start() -> io::Result<Self> {
        let mut tasks = JoinSet::new();
        let mut addresses = Vec::new();
        for _ in 0..ADDRESSES {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            addresses.push(listener.local_addr()?);
            tasks.spawn(serve(listener));
        }
        Ok(Self { addresses, _tasks: tasks })
    }

    /// Its addresses.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.addresses.iter().map(ToString::to_string).collect()
    }
}

async fn serve(listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Cancel-safe: documented by tokio; no connection is lost.
            accepted = listener.accept() => {
                // A client that went before it was accepted.
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(async move {
                    let connection = hyper::server::conn::http1::Builder::new();
                    let service = service_fn(async |request| Ok::<_, Infallible>(answer(&request)));
                    // Whoever breaks it off, as one that tries TLS first, gets no answer.
                    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
                });
            }
            // Cancel-safe: documented by tokio.
            Some(_) = connections.join_next() => {}
        }
    }
}

fn answer(request: &Request<Incoming>) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    if !request.headers().contains_key(AUTHORIZATION) {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let wanted = HeaderValue::from_static("Basic realm=\"racetrap\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, wanted);
    }
    response
}
