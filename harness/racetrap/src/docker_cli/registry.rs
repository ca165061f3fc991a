//! A registry that can only be logged in to: it asks for a name and a password, and accepts any.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::listener::serve_each;

/// How many addresses the registry has. The docker command stores the credentials of each address
/// separately, so each login to another address changes the configuration.
const ADDRESSES: usize = 16;

/// A registry on the loopback interface. Dropping it ends its connections.
pub(super) struct Registry {
    addresses: Vec<SocketAddr>,
    _tasks: JoinSet<()>,
}

impl Registry {
    /// Listens on all addresses.
    pub(super) async fn start() -> io::Result<Self> {
        let mut tasks = JoinSet::new();
        let mut addresses = Vec::new();
        for _ in 0..ADDRESSES {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            addresses.push(listener.local_addr()?);
            tasks.spawn(serve_each(listener, serve));
        }
        Ok(Self { addresses, _tasks: tasks })
    }

    /// The addresses as `HOST:PORT`.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.addresses.iter().map(ToString::to_string).collect()
    }
}

async fn serve(stream: TcpStream) {
    let connection = hyper::server::conn::http1::Builder::new();
    let service = service_fn(async |request| Ok::<_, Infallible>(answer(&request)));
    // The docker command tries TLS first, which is an error here and no failure.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

fn answer(request: &Request<Incoming>) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    if !request.headers().contains_key(AUTHORIZATION) {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let challenge = HeaderValue::from_static("Basic realm=\"racetrap\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
