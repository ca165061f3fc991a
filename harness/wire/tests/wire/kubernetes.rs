//! The wire before an API server: its event streams are the responses to watches.

use racetrap_wire::{Dialect, Matcher, Phase, Point, Streams, What};
use rstest::rstest;
use serde_json::{Value, json};

use crate::testbed::{LIMIT, OK, Peer, STREAM, Testbed, chunk, route, within_limit};
use crate::transport::Transport;

const APPS: &str = "/apis/example.io/v1/apps";
const IMAGES: &str = "/apis/example.io/v1/namespaces/n/images";

async fn start() -> Testbed {
    Testbed::with_dialect(Dialect::Kubernetes, Transport::Tls).await
}

fn get(target: &str, agent: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\n\r\n").into_bytes()
}

fn event(kind: &str, name: &str) -> String {
    json!({"type": kind, "object": {"metadata": {"name": name}}}).to_string() + "\n"
}

/// Matches frames of this type, for the object of this name.
fn frames_of(kind: &str, name: &str) -> Matcher {
    let pointer = |pointer: &str, value: &str| (pointer.to_owned(), json!(value));
    let frame = [pointer("/type", kind), pointer("/object/metadata/name", name)];
    Matcher { frame: frame.into(), ..Matcher::default() }
}

/// Opens a connection and a watch on it. The head of the response has arrived.
async fn watch(testbed: &Testbed, target: &str, agent: &str) -> (Peer, Peer) {
    let (mut client, mut upstream) = testbed.connect().await;
    let request = get(&format!("{target}?watch=true"), agent);
    client.send(&request).await;
    upstream.expect(&request).await;
    upstream.send(STREAM).await;
    client.expect(STREAM).await;
    (client, upstream)
}

// The frame before the held one arrives. Until the release, the kernel has no more bytes for the
// client's end.
#[tokio::test]
async fn a_frame_of_a_watch_can_be_held() {
    let testbed = start().await;
    let gate = testbed.wire.hold("settled", frames_of("MODIFIED", "app"), Point::Frame);
    let (mut client, mut upstream) = watch(&testbed, APPS, "rdd").await;
    let status = testbed.wire.status();
    assert_eq!((status.event_streams, status.in_flight, status.phase), (1, 0, Phase::Steady));
    let (before, held) = (chunk(&event("ADDED", "app")), chunk(&event("MODIFIED", "app")));
    let behind = chunk(&event("DELETED", "app"));
    upstream.send(&[&before[..], &held, &behind].concat()).await;
    client.expect(&before).await;
    gate.reached(LIMIT).await.unwrap();
    client.expect_nothing();
    gate.release();
    client.expect(&[held, behind].concat()).await;
    let kinds: Vec<_> = testbed.frames().iter().map(|frame| frame["type"].clone()).collect();
    assert_eq!(kinds, [json!("ADDED"), json!("MODIFIED"), json!("DELETED")]);
    testbed.close().await;
}

// Two clients watch the same collection. The gate holds the frame of one, and the other receives
// it. The wire tells the clients apart by their `User-Agent`, and reports the address of each.
#[tokio::test]
async fn a_gate_can_hold_the_frame_of_one_client_only() {
    let testbed = start().await;
    let only = Matcher { agent: Some("rdd/".to_owned()), ..frames_of("MODIFIED", "app") };
    let gate = testbed.wire.hold("settled", only, Point::Frame);
    let (mut other, mut other_upstream) = watch(&testbed, APPS, "kubectl/v1.35").await;
    let (mut rdd, mut rdd_upstream) = watch(&testbed, APPS, "rdd/1.2").await;
    let frame = chunk(&event("MODIFIED", "app"));
    for upstream in [&mut other_upstream, &mut rdd_upstream] {
        upstream.send(&frame).await;
    }
    other.expect(&frame).await;
    gate.reached(LIMIT).await.unwrap();
    rdd.expect_nothing();
    gate.release();
    rdd.expect(&frame).await;
    for (client, name) in [(&other, "kubectl/v1.35"), (&rdd, "rdd/1.2")] {
        let is_its =
            |what: &What| matches!(what, What::Request { agent: Some(agent), .. } if agent == name);
        let request = testbed.wait_for_event(name, is_its).await;
        let peer = testbed.peer_of(request.connection);
        assert_eq!(peer, client.address(), "{name}");
        assert!(peer.is_some());
    }
    testbed.close().await;
}

// The watch is lost on both sides. The list that is under way is not affected.
#[tokio::test]
async fn a_cut_of_event_streams_cuts_watches() {
    let testbed = start().await;
    let (mut client, mut upstream) = watch(&testbed, APPS, "rdd").await;
    let (mut lister, mut lister_upstream) = testbed.connect().await;
    lister.send(&get(APPS, "rdd")).await;
    lister_upstream.expect(&get(APPS, "rdd")).await;
    assert_eq!(testbed.wire.cut(Streams::Events), 1);
    client.expect_loss().await;
    upstream.expect_loss().await;
    lister_upstream.send(OK).await;
    lister.expect(OK).await;
    assert_eq!(testbed.wire.status().phase, Phase::Reconnect);
    testbed.close().await;
}

// The gate holds the list of one namespace. The list over all namespaces has another path and
// passes meanwhile.
#[tokio::test]
async fn a_gate_can_hold_a_list() {
    let testbed = start().await;
    let namespaced = "/apis/{group}/{version}/namespaces/{namespace}/{plural}";
    let params = [("namespace", "n"), ("plural", "images")];
    let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let gate = testbed.wire.hold("list", Matcher { params, ..route(namespaced) }, Point::Response);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get(IMAGES, "rdd")).await;
    upstream.expect(&get(IMAGES, "rdd")).await;
    upstream.send(OK).await;
    gate.reached(LIMIT).await.unwrap();
    let (mut other, mut other_upstream) = testbed.connect().await;
    let all = get("/apis/example.io/v1/images", "rdd");
    other.send(&all).await;
    other_upstream.expect(&all).await;
    other_upstream.send(OK).await;
    other.expect(OK).await;
    client.expect_nothing();
    gate.release();
    client.expect(OK).await;
    testbed.close().await;
}

// A refused watch has no frames, and its connection can carry another exchange.
#[tokio::test]
async fn a_refused_watch_is_an_ordinary_response() {
    let testbed = start().await;
    let (mut client, mut upstream) = testbed.connect().await;
    for _ in 0..2 {
        let request = get(&format!("{APPS}?resourceVersion=1&watch=true"), "rdd");
        client.send(&request).await;
        upstream.expect(&request).await;
        let gone = b"HTTP/1.1 410 Gone\r\nContent-Length: 3\r\n\r\n{}\n";
        upstream.send(gone).await;
        client.expect(gone).await;
    }
    assert_eq!(testbed.frames(), Vec::<Value>::new());
    testbed.close().await;
}

// Clients parse an error response as a `Status`, so the wire must answer with one.
#[tokio::test]
async fn an_answer_of_the_wire_is_a_kubernetes_status() {
    let testbed = start().await;
    let _guard = testbed.wire.answer("busy", Matcher::default(), 503, None);
    let (mut client, _upstream) = testbed.connect().await;
    client.send(&get(APPS, "rdd")).await;
    testbed.wait_for_event("finished", |what| matches!(what, What::Finished { .. })).await;
    testbed.wire.cut(Streams::All);
    let answer = client.read_to_end().await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a response has a head");
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    let status: Value = serde_json::from_str(body).expect("the body is JSON");
    let fields = [&status["kind"], &status["code"], &status["message"]];
    assert_eq!(fields, [&json!("Status"), &json!(503), &json!("answered by the wire: busy")]);
    testbed.close().await;
}

const COMPACT: &str = "Accept: application/vnd.kubernetes.protobuf,application/json\r\n\
    Accept-Encoding: gzip\r\n";

fn compact(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n{COMPACT}Authorization: Bearer t\r\n\r\n")
}

// The wire changes only the two fields of the watch. A second request is in the buffer behind it:
// this one must arrive unchanged, although the head before it has got shorter.
#[tokio::test]
async fn only_the_accept_fields_of_a_watch_are_changed() {
    let testbed = start().await;
    let (mut client, mut upstream) = testbed.connect().await;
    let (watch, list) = (compact(&format!("{APPS}?watch=1")), compact(APPS));
    client.send(format!("{watch}{list}").as_bytes()).await;
    let plain = watch.replace(COMPACT, "Accept: application/json\r\n");
    upstream.expect(plain.as_bytes()).await;
    upstream.send(&[STREAM, &chunk(&event("ADDED", "app")), b"0\r\n\r\n"].concat()).await;
    upstream.expect(list.as_bytes()).await;
    testbed.close().await;
}

// The Docker API has no watches: the same request passes unchanged, and its response is not an
// event stream.
#[tokio::test]
async fn the_docker_dialect_changes_no_request() {
    let testbed = Testbed::over(Transport::Tls).await;
    let (mut client, mut upstream) = testbed.connect().await;
    let watch = compact(&format!("{APPS}?watch=1"));
    client.send(watch.as_bytes()).await;
    upstream.expect(watch.as_bytes()).await;
    upstream.send(STREAM).await;
    client.expect(STREAM).await;
    assert_eq!(testbed.wire.status().event_streams, 0);
    testbed.close().await;
}

// Both bodies are larger than all buffers on the way, and take many TLS records.
#[rstest]
#[case::forwarded(None)]
#[case::held(Some(Point::Response))]
#[tokio::test]
async fn large_bodies_are_forwarded(#[case] held: Option<Point>) {
    const SIZE: usize = 8 * 1024 * 1024;
    let testbed = start().await;
    let gate = held.map(|point| testbed.wire.hold("large", Matcher::default(), point));
    let (mut client, mut upstream) = testbed.connect().await;
    let body = "0123456789abcdef".repeat(SIZE / 16);
    let request = format!("PUT {IMAGES}/i HTTP/1.1\r\nContent-Length: {SIZE}\r\n\r\n{body}");
    let response = [STREAM, &chunk(&body), &chunk("")].concat();
    tokio::join!(client.send(request.as_bytes()), upstream.expect(request.as_bytes()));
    let sending = async {
        upstream.send(&response).await;
    };
    let reading = async {
        if let Some(gate) = gate {
            gate.reached(LIMIT).await.unwrap();
            client.expect_nothing();
            gate.release();
        }
        client.expect(&response).await;
    };
    within_limit("both", async { tokio::join!(sending, reading) }).await;
    testbed.wait_for_event("finished", |what| matches!(what, What::Finished { .. })).await;
    testbed.close().await;
}
