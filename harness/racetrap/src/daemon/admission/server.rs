//! Reviews in, answers out: HTTPS on the loopback interface.

use std::convert::Infallible;
use std::io;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::api::DynamicObject;
use kube::core::admission::{AdmissionRequest, AdmissionResponse, AdmissionReview};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::gate::Desk;
use super::write::Write;
use crate::chain::chain;
use crate::process::propagate_panic;

/// Objects of this name are never stored: dry runs of it prove that the webhook is in force.
pub(super) const PROBE: &str = "racetrap-admission-probe";

/// What a review needs.
#[derive(Clone)]
pub(super) struct Clerk {
    pub(super) desk: Desk,
    /// How many probes were seen.
    pub(super) probes: watch::Sender<u64>,
}

/// Serves for as long as the world lives.
pub(super) async fn serve(listener: TcpListener, tls: TlsAcceptor, clerk: Clerk) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Cancel-safe: documented by tokio; no connection is lost.
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, tls.clone(), clerk.clone()));
                }
                // A client that went before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // Gates that nothing reaches any more say so themselves.
                Err(error) => return clerk.desk.note(format!("admission ended: {error}")),
            },
            // Cancel-safe: documented by tokio.
            Some(ended) = connections.join_next() => propagate_panic(ended),
        }
    }
}

/// A connection that fails takes only its own reviews with it; the API server makes a new one.
async fn converse(stream: TcpStream, tls: TlsAcceptor, clerk: Clerk) {
    let stream = match tls.accept(stream).await {
        Ok(stream) => stream,
        Err(error) => return clerk.desk.note(format!("admission: no TLS: {error}")),
    };
    let service = service_fn(|request| answer(request, clerk.clone()));
    let connection = hyper::server::conn::http1::Builder::new();
    // However it ends: who is not there any more for the answer to a held review gives that up, and
    // its gate tells so.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    clerk: Clerk,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answered = match read(request).await {
        Ok(review) => serde_json::to_vec(&review_of(&review, &clerk).await).map_err(Into::into),
        Err(error) => Err(error),
    };
    let (status, body) = match answered {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            let text = format!("admission: no review: {}", chain(&*error));
            clerk.desk.note(text.clone());
            (StatusCode::BAD_REQUEST, text.into_bytes())
        }
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    Ok(response)
}

type Refusal = Box<dyn std::error::Error + Send + Sync>;

async fn read(request: Request<Incoming>) -> Result<AdmissionRequest<DynamicObject>, Refusal> {
    let body = request.into_body().collect().await?.to_bytes();
    let review: AdmissionReview<DynamicObject> = serde_json::from_slice(&body)?;
    Ok(review.try_into()?)
}

/// Dry runs store nothing: they are neither counted nor held.
async fn review_of(
    request: &AdmissionRequest<DynamicObject>,
    clerk: &Clerk,
) -> AdmissionReview<DynamicObject> {
    let mut response = AdmissionResponse::from(request);
    if request.dry_run {
        if request.name == PROBE {
            clerk.probes.send_modify(|probes| *probes += 1);
        }
        return response.into_review();
    }
    if let Err(rule) = clerk.desk.judge(&Write::of(request)).await {
        response = response.deny(format!("as the scenario wants it: {rule}"));
        response.result.code = StatusCode::FORBIDDEN.as_u16();
        response.result.reason = "Forbidden".to_owned();
    }
    response.into_review()
}
