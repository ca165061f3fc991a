//! Reviews over HTTPS, as an API server sends them.

use std::ops::ControlFlow;
use std::sync::Arc;

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use racetrap_history::{What, WriteMatch};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::{LIMIT, named, outcomes, recorder, review, within};
use crate::daemon::admission::webhook::Admission;
use crate::recorder::Recorder;
use crate::wait::polled;

impl Admission {
    /// Connects like an API server that has read the configuration: it trusts only the authority
    /// there.
    async fn client(&self, tasks: &mut JoinSet<()>) -> SendRequest<Full<Bytes>> {
        let configuration = self.configuration();
        let webhook = &configuration["webhooks"][0]["clientConfig"];
        let authority: k8s_openapi::ByteString =
            serde_json::from_value(webhook["caBundle"].clone()).unwrap();
        let mut trusted = RootCertStore::empty();
        trusted.add(CertificateDer::from_pem_slice(&authority.0).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let url: http::Uri = webhook["url"].as_str().unwrap().parse().unwrap();
        let address = (url.host().unwrap(), url.port_u16().unwrap());
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(address.0.to_owned()).unwrap();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = within(connecting).await.unwrap();
        let (client, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tasks.spawn(async move { connection.await.unwrap() });
        client
    }
}

async fn post(client: &mut SendRequest<Full<Bytes>>, body: String) -> (StatusCode, Vec<u8>) {
    let request = Request::post("/review").header("host", "127.0.0.1");
    let request = request.body(Full::from(body)).unwrap();
    let response = within(client.send_request(request)).await.unwrap();
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
}

async fn ask(client: &mut SendRequest<Full<Bytes>>, review: &Value) -> Value {
    let (status, body) = post(client, review.to_string()).await;
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    assert_eq!(answer["response"]["uid"], review["request"]["uid"]);
    answer["response"].clone()
}

/// Waits until the history has these outcomes.
async fn recorded(recorder: &Recorder, wanted: &[&str]) {
    let waited = polled(format!("{wanted:?}"), LIMIT, async || {
        let seen = outcomes(recorder);
        if seen == wanted {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(format!("{seen:?}"))
    });
    waited.await.unwrap();
}

// The client verifies the server's certificate by the authority in the configuration, and the
// answer must name the review: an API server accepts no other answer.
#[tokio::test]
async fn a_review_is_answered_by_the_rules() {
    let (_place, recorder) = recorder();
    let (mut server, mut clients) = (JoinSet::new(), JoinSet::new());
    let admission = Admission::start(&mut server, &recorder).unwrap();
    let mut client = admission.client(&mut clients).await;
    assert_eq!(ask(&mut client, &review("v")).await["allowed"], true);
    let _guard = admission.deny("nobody writes v", named("v"), None);
    let denied = ask(&mut client, &review("v")).await;
    let status = &denied["status"];
    assert_eq!(denied["allowed"], false);
    assert_eq!((&status["code"], &status["reason"]), (&json!(403), &json!("Forbidden")));
    assert!(status["message"].as_str().unwrap().contains("nobody writes v"), "{denied}");
    assert_eq!(outcomes(&recorder), ["v: allowed", "v: denied"]);
}

// A review on another connection is answered while one is held: an API server opens as many
// connections as it needs.
#[tokio::test]
async fn a_held_review_is_answered_after_its_release_and_delays_no_other() {
    let (_place, recorder) = recorder();
    let (mut server, mut clients) = (JoinSet::new(), JoinSet::new());
    let admission = Admission::start(&mut server, &recorder).unwrap();
    let mut client = admission.client(&mut clients).await;
    let mut other = admission.client(&mut clients).await;
    let gate = admission.hold("g", named("v"));
    let held = review("v");
    let scenario = async {
        gate.reached(LIMIT).await.unwrap();
        assert_eq!(ask(&mut other, &review("w")).await["allowed"], true);
        gate.release();
    };
    let (answer, ()) = tokio::join!(ask(&mut client, &held), scenario);
    assert_eq!(answer["allowed"], true);
    assert_eq!(outcomes(&recorder), ["v: held at g", "w: allowed", "v: released from g"]);
}

// The rule denies every write, so a dry run that it saw would not be allowed.
#[tokio::test]
async fn a_dry_run_is_neither_counted_nor_recorded() {
    let (_place, recorder) = recorder();
    let (mut server, mut clients) = (JoinSet::new(), JoinSet::new());
    let admission = Admission::start(&mut server, &recorder).unwrap();
    let mut client = admission.client(&mut clients).await;
    let guard = admission.deny("d", WriteMatch::default(), Some(1));
    let mut dry = review("v");
    dry["request"]["dryRun"] = json!(true);
    assert_eq!(ask(&mut client, &dry).await["allowed"], true);
    assert!(!guard.fired());
    assert_eq!(ask(&mut client, &review("v")).await["allowed"], false);
    assert_eq!(outcomes(&recorder), ["v: denied"]);
}

// An API server closes the connection after its time limit, or when it is killed.
#[tokio::test]
async fn a_review_whose_client_goes_away_is_given_up() {
    let (_place, recorder) = recorder();
    let (mut server, mut clients) = (JoinSet::new(), JoinSet::new());
    let admission = Admission::start(&mut server, &recorder).unwrap();
    let mut client = admission.client(&mut clients).await;
    let gate = admission.hold("g", named("v"));
    let held = review("v");
    tokio::select! {
        _ = ask(&mut client, &held) => panic!("nothing releases it"),
        reached = gate.reached(LIMIT) => reached.unwrap(),
    }
    drop(client);
    clients.shutdown().await;
    recorded(&recorder, &["v: held at g", "v: given up at g"]).await;
}

// If the webhook fails, the write goes on. So the history must say why it was not held.
#[tokio::test]
async fn a_request_that_is_no_review_is_refused_and_noted() {
    let (_place, recorder) = recorder();
    let (mut server, mut clients) = (JoinSet::new(), JoinSet::new());
    let admission = Admission::start(&mut server, &recorder).unwrap();
    let mut client = admission.client(&mut clients).await;
    let mut empty = review("v");
    empty["request"] = Value::Null;
    for body in ["{".to_owned(), empty.to_string()] {
        assert_eq!(post(&mut client, body).await.0, StatusCode::BAD_REQUEST);
    }
    assert_eq!(ask(&mut client, &review("v")).await["allowed"], true);
    let is_noted = |what: &What| matches!(what, What::Note { text } if text.starts_with("admission: no review"));
    assert_eq!(recorder.history().iter().filter(|record| is_noted(&record.what)).count(), 2);
}
