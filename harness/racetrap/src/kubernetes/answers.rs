//! What the stand-in for the guest's k3s answers: its health, and a list of one node.

use std::convert::Infallible;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use racetrap_history::KubernetesState;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Serves connections until its task is aborted, which also ends the connections.
pub(super) async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    token: String,
    state: watch::Receiver<KubernetesState>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Cancel-safe: documented by tokio; no connection is lost.
            accepted = listener.accept() => {
                // The wire may close a connection before it is accepted. That concerns no other one.
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(connection(stream, tls.clone(), token.clone(), state.clone()));
            }
            // Cancel-safe: documented by tokio. Without it, ended tasks would pile up.
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(
    stream: TcpStream,
    tls: TlsAcceptor,
    token: String,
    state: watch::Receiver<KubernetesState>,
) {
    let Ok(stream) = tls.accept(stream).await else { return };
    let service = service_fn(|request: Request<Incoming>| {
        let (status, body) = if is_authorized(&request, &token) {
            answer(request.method(), request.uri().path(), *state.borrow())
        } else {
            (StatusCode::UNAUTHORIZED, json!({"kind": "Status", "code": 401}))
        };
        async move { Ok::<_, Infallible>(response(status, &body)) }
    });
    // A connection that breaks off ends here, and the client opens another one.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn is_authorized(request: &Request<Incoming>, token: &str) -> bool {
    let expected = format!("Bearer {token}");
    request.headers().get(AUTHORIZATION).is_some_and(|value| *value == expected)
}

/// Status and body of an answer; a text is sent as it is.
fn answer(method: &Method, path: &str, state: KubernetesState) -> (StatusCode, Value) {
    match (method.as_str(), path) {
        ("GET", "/healthz" | "/livez" | "/readyz") => (StatusCode::OK, json!("ok")),
        ("GET", "/api/v1/nodes") => (StatusCode::OK, nodes(state == KubernetesState::Ready)),
        _ => (StatusCode::NOT_FOUND, json!({"kind": "Status", "code": 404})),
    }
}

fn nodes(is_ready: bool) -> Value {
    let status = if is_ready { "True" } else { "False" };
    let reason = if is_ready { "KubeletReady" } else { "KubeletNotReady" };
    json!({
        "kind": "NodeList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"},
        "items": [{
            "metadata": {"name": "lima-rd", "uid": "1", "resourceVersion": "1"},
            "spec": {},
            "status": {"conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": status, "reason": reason},
            ]},
        }],
    })
}

fn response(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let plain = body.as_str().map(|text| ("text/plain", text.to_owned()));
    let (kind, text) = plain.unwrap_or_else(|| ("application/json", body.to_string()));
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use racetrap_history::KubernetesState;
    use rstest::rstest;
    use serde_json::json;

    use super::answer;

    // Only the node tells a Kubernetes that is not ready from one that is: its health is the same.
    #[rstest]
    #[case(KubernetesState::Ready, "True")]
    #[case(KubernetesState::NotReady, "False")]
    fn the_node_has_the_state(#[case] state: KubernetesState, #[case] expected: &str) {
        assert_eq!(answer(&Method::GET, "/healthz", state), (StatusCode::OK, json!("ok")));
        let (status, nodes) = answer(&Method::GET, "/api/v1/nodes", state);
        assert_eq!(status, StatusCode::OK);
        assert_eq!(nodes.pointer("/items/0/status/conditions/1/status"), Some(&json!(expected)));
        assert_eq!(answer(&Method::POST, "/healthz", state).0, StatusCode::NOT_FOUND);
    }
}
