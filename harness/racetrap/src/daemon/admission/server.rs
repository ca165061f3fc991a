//! The HTTPS server on the loopback interface that receives reviews and answers them.

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

use super::reviewer::Reviewer;
use super::write::Write;
use crate::chain::chain;
use crate::process::propagate_panic;

/// Name of an object that is only created as a dry run. A review of it proves that the API server
/// asks the webhook.
pub(super) const PROBE: &str = "racetrap-admission-probe";

/// What the server needs to answer a review.
#[derive(Clone)]
pub(super) struct ReviewContext {
    pub(super) reviewer: Reviewer,
    /// How many reviews of the probe object were received.
    pub(super) probes: watch::Sender<u64>,
}

/// Serves connections until its task is aborted.
pub(super) async fn serve(listener: TcpListener, tls: TlsAcceptor, context: ReviewContext) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Cancel-safe: documented by tokio; no connection is lost.
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, tls.clone(), context.clone()));
                }
                // A client that closed its connection before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // The run goes on: a gate that no write reaches from now on makes its step fail.
                Err(error) => return context.reviewer.note(format!("admission ended: {error}")),
            },
            // Cancel-safe: documented by tokio.
            Some(ended) = connections.join_next() => propagate_panic(ended),
        }
    }
}

/// Serves one connection. An error ends only this connection and its reviews; the API server opens
/// a new one.
async fn serve_connection(stream: TcpStream, tls: TlsAcceptor, context: ReviewContext) {
    let stream = match tls.accept(stream).await {
        Ok(stream) => stream,
        Err(error) => return context.reviewer.note(format!("admission: no TLS: {error}")),
    };
    let service = service_fn(|request| answer(request, context.clone()));
    let connection = hyper::server::conn::http1::Builder::new();
    // The result does not matter: if the client closes the connection while its review is held, the
    // future of that review is dropped, which records that the write was given up.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    context: ReviewContext,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answered = match read(request).await {
        Ok(review) => {
            serde_json::to_vec(&answer_review(&review, &context).await).map_err(Into::into)
        }
        Err(error) => Err(error),
    };
    let (status, body) = match answered {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            let text = format!("admission: no review: {}", chain(&*error));
            context.reviewer.note(text.clone());
            (StatusCode::BAD_REQUEST, text.into_bytes())
        }
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    Ok(response)
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn read(request: Request<Incoming>) -> Result<AdmissionRequest<DynamicObject>, BoxError> {
    let body = request.into_body().collect().await?.to_bytes();
    let review: AdmissionReview<DynamicObject> = serde_json::from_slice(&body)?;
    Ok(review.try_into()?)
}

/// Answers a review by the rules. A dry run stores nothing, so the rules neither count nor hold it.
async fn answer_review(
    request: &AdmissionRequest<DynamicObject>,
    context: &ReviewContext,
) -> AdmissionReview<DynamicObject> {
    let mut response = AdmissionResponse::from(request);
    if request.dry_run {
        if request.name == PROBE {
            context.probes.send_modify(|probes| *probes += 1);
        }
        return response.into_review();
    }
    if let Err(rule) = context.reviewer.review(&Write::from_request(request)).await {
        response = response.deny(format!("the scenario's rule denies it: {rule}"));
        response.result.code = StatusCode::FORBIDDEN.as_u16();
        response.result.reason = "Forbidden".to_owned();
    }
    response.into_review()
}
