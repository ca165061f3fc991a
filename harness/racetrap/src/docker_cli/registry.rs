//! A registry in memory. It asks for a name and a password, accepts any, and keeps what is pushed: the
//! part of the OCI distribution specification that the engine uses to push and to pull.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::listener::serve_each;
use super::registry_store::{Answer, Asked, Store};

/// How many addresses the registry has. The docker command stores the credentials of each address
/// separately, so each login to another address changes the configuration.
const ADDRESSES: usize = 16;

/// A registry on the loopback interface. Dropping it ends its connections.
pub(crate) struct Registry {
    addresses: Vec<SocketAddr>,
    store: Arc<Mutex<Store>>,
    _tasks: JoinSet<()>,
}

impl Registry {
    /// Listens on all addresses, which serve the same images.
    pub(crate) async fn start() -> io::Result<Self> {
        let store = Arc::<Mutex<Store>>::default();
        let mut tasks = JoinSet::new();
        let mut addresses = Vec::new();
        for _ in 0..ADDRESSES {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            addresses.push(listener.local_addr()?);
            let store = store.clone();
            tasks.spawn(serve_each(listener, move |stream| serve(stream, store.clone())));
        }
        Ok(Self { addresses, store, _tasks: tasks })
    }

    /// The addresses.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The digest of the manifest that was pushed last; empty before the first one.
    pub(super) fn last_digest(&self) -> String {
        locked(&self.store).last_digest().to_owned()
    }
}

fn locked(store: &Mutex<Store>) -> std::sync::MutexGuard<'_, Store> {
    store.lock().expect("no thread panics while it holds this lock")
}

async fn serve(stream: TcpStream, store: Arc<Mutex<Store>>) {
    let connection = hyper::server::conn::http1::Builder::new();
    let service = service_fn(|request| {
        let store = store.clone();
        async move { Ok::<_, Infallible>(answer(request, &store).await) }
    });
    // The docker command tries TLS first, which is an error here and no failure.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, store: &Mutex<Store>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    if !request.headers().contains_key(AUTHORIZATION) {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let challenge = HeaderValue::from_static("Basic realm=\"racetrap\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        return response;
    }
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let asked = Asked { method: head.method, uri: head.uri, headers: head.headers };
    let Answer { status, headers, body } = locked(store).answer(&asked, body.to_bytes());
    *response.status_mut() = status;
    for (name, value) in headers {
        // The values are digests, paths and a type that the engine itself has sent.
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    *response.body_mut() = Full::new(body);
    response
}
