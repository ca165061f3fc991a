//! The wire before an API server: watches are its streams of events.

use racetrap_wire::{Dialect, Matcher, Phase, Point, Streams, What};
use rstest::rstest;
use serde_json::{Value, json};

use crate::bench::{Bench, LIMIT, OK, Peer, STREAM, chunk, route, soon};
use crate::carrier::Carrier;

const APPS: &str = "/apis/example.io/v1/apps";
const IMAGES: &str = "/apis/example.io/v1/namespaces/n/images";

async fn start() -> Bench {
    Bench::speaking(Dialect::Kubernetes, Carrier::Tls).await
}

fn get(target: &str, agent: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\n\r\n").into_bytes()
}

fn event(kind: &str, name: &str) -> String {
    json!({"type": kind, "object": {"metadata": {"name": name}}}).to_string() + "\n"
}

/// Frames of this kind, about this object.
fn about(kind: &str, name: &str) -> Matcher {
    let pointer = |pointer: &str, value: &str| (pointer.to_owned(), json!(value));
    let frame = [pointer("/type", kind), pointer("/object/metadata/name", name)];
    Matcher { frame: frame.into(), ..Matcher::default() }
}

/// A connection on which a watch was opened and its head has arrived.
async fn watch(bench: &Bench, target: &str, agent: &str) -> (Peer, Peer) {
    let (mut client, mut server) = bench.connect().await;
    let request = get(&format!("{target}?watch=true"), agent);
    client.send(&request).await;
    server.expect(&request).await;
    server.send(STREAM).await;
    client.expect(STREAM).await;
    (client, server)
}

// What is before the frame arrives; the frame and all behind it do not until the release, says the
// kernel of the client's end.
#[tokio::test]
async fn a_frame_of_a_watch_can_be_held() {
    let bench = start().await;
    let gate = bench.wire.hold("settled", about("MODIFIED", "app"), Point::Frame);
    let (mut client, mut server) = watch(&bench, APPS, "rdd").await;
    let status = bench.wire.status();
    assert_eq!((status.event_streams, status.in_flight, status.phase), (1, 0, Phase::Steady));
    let (before, held) = (chunk(&event("ADDED", "app")), chunk(&event("MODIFIED", "app")));
    let behind = chunk(&event("DELETED", "app"));
    server.send(&[&before[..], &held, &behind].concat()).await;
    client.expect(&before).await;
    gate.reached(LIMIT).await.unwrap();
    client.expect_nothing();
    gate.release();
    client.expect(&[held, behind].concat()).await;
    let kinds: Vec<_> = bench.frames().iter().map(|frame| frame["type"].clone()).collect();
    assert_eq!(kinds, [json!("ADDED"), json!("MODIFIED"), json!("DELETED")]);
    bench.close().await;
}

// Two clients watch the same: the one whose frame is held waits, the other has it. Which is which is
// told by what they call themselves and where they connect from.
#[tokio::test]
async fn two_clients_see_the_same_at_different_times() {
    let bench = start().await;
    let only = Matcher { agent: Some("rdd/".to_owned()), ..about("MODIFIED", "app") };
    let gate = bench.wire.hold("settled", only, Point::Frame);
    let (mut other, mut to_other) = watch(&bench, APPS, "kubectl/v1.35").await;
    let (mut rdd, mut to_rdd) = watch(&bench, APPS, "rdd/1.2").await;
    let frame = chunk(&event("MODIFIED", "app"));
    for server in [&mut to_other, &mut to_rdd] {
        server.send(&frame).await;
    }
    other.expect(&frame).await;
    gate.reached(LIMIT).await.unwrap();
    rdd.expect_nothing();
    gate.release();
    rdd.expect(&frame).await;
    for (client, name) in [(&other, "kubectl/v1.35"), (&rdd, "rdd/1.2")] {
        let is_its =
            |what: &What| matches!(what, What::Request { agent: Some(agent), .. } if agent == name);
        let request = bench.told(name, is_its).await;
        let peer = bench.peer_of(request.connection);
        assert_eq!(peer, client.address(), "{name}");
        assert!(peer.is_some());
    }
    bench.close().await;
}

// The watch ends on both sides as if the network were lost; the list that is under way goes on.
#[tokio::test]
async fn a_cut_of_event_streams_cuts_watches() {
    let bench = start().await;
    let (mut client, mut server) = watch(&bench, APPS, "rdd").await;
    let (mut lister, mut to_lister) = bench.connect().await;
    lister.send(&get(APPS, "rdd")).await;
    to_lister.expect(&get(APPS, "rdd")).await;
    assert_eq!(bench.wire.cut(Streams::Events), 1);
    client.expect_loss().await;
    server.expect_loss().await;
    to_lister.send(OK).await;
    lister.expect(OK).await;
    assert_eq!(bench.wire.status().phase, Phase::Reconnect);
    bench.close().await;
}

// The list of one namespace is held whole, and that of all namespaces, which is another path for the
// same kind, passes meanwhile.
#[tokio::test]
async fn a_list_can_be_delayed() {
    let bench = start().await;
    let namespaced = "/apis/{group}/{version}/namespaces/{namespace}/{plural}";
    let params = [("namespace", "n"), ("plural", "images")];
    let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let gate = bench.wire.hold("list", Matcher { params, ..route(namespaced) }, Point::Response);
    let (mut client, mut server) = bench.connect().await;
    client.send(&get(IMAGES, "rdd")).await;
    server.expect(&get(IMAGES, "rdd")).await;
    server.send(OK).await;
    gate.reached(LIMIT).await.unwrap();
    let (mut other, mut to_other) = bench.connect().await;
    let all = get("/apis/example.io/v1/images", "rdd");
    other.send(&all).await;
    to_other.expect(&all).await;
    to_other.send(OK).await;
    other.expect(OK).await;
    client.expect_nothing();
    gate.release();
    client.expect(OK).await;
    bench.close().await;
}

// A watch that is refused has no frames, and its connection goes on.
#[tokio::test]
async fn a_watch_that_is_refused_is_an_ordinary_response() {
    let bench = start().await;
    let (mut client, mut server) = bench.connect().await;
    for _ in 0..2 {
        let request = get(&format!("{APPS}?resourceVersion=1&watch=true"), "rdd");
        client.send(&request).await;
        server.expect(&request).await;
        let gone = b"HTTP/1.1 410 Gone\r\nContent-Length: 3\r\n\r\n{}\n";
        server.send(gone).await;
        client.expect(gone).await;
    }
    assert_eq!(bench.frames(), Vec::<Value>::new());
    bench.close().await;
}

// Clients take an error apart by its kind and code: the wire's own must be one of theirs.
#[tokio::test]
async fn an_answer_of_the_wire_is_a_status() {
    let bench = start().await;
    let _guard = bench.wire.answer("busy", Matcher::default(), 503, None);
    let (mut client, _server) = bench.connect().await;
    client.send(&get(APPS, "rdd")).await;
    bench.told("finished", |what| matches!(what, What::Finished { .. })).await;
    bench.wire.cut(Streams::All);
    let answer = client.rest().await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("it has a head");
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    let status: Value = serde_json::from_str(body).expect("it is JSON");
    let said = [&status["kind"], &status["code"], &status["message"]];
    assert_eq!(said, [&json!("Status"), &json!(503), &json!("answered by the wire: busy")]);
    bench.close().await;
}

const COMPACT: &str = "Accept: application/vnd.kubernetes.protobuf,application/json\r\n\
    Accept-Encoding: gzip\r\n";

fn compact(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n{COMPACT}Authorization: Bearer t\r\n\r\n")
}

// The server is asked for frames that can be read, by no other change; a request behind the watch on
// the same connection passes as it is, because the buffer behind a changed head is still the client's.
#[tokio::test]
async fn a_watch_asks_for_json_and_nothing_else_is_changed() {
    let bench = start().await;
    let (mut client, mut server) = bench.connect().await;
    let (asked, list) = (compact(&format!("{APPS}?watch=1")), compact(APPS));
    client.send(format!("{asked}{list}").as_bytes()).await;
    let plain = asked.replace(COMPACT, "Accept: application/json\r\n");
    server.expect(plain.as_bytes()).await;
    server.send(&[STREAM, &chunk(&event("ADDED", "app")), b"0\r\n\r\n"].concat()).await;
    server.expect(list.as_bytes()).await;
    bench.close().await;
}

// An engine knows no watches: there the same request passes untouched, and its answer is no stream.
#[tokio::test]
async fn before_an_engine_nothing_is_changed() {
    let bench = Bench::over(Carrier::Tls).await;
    let (mut client, mut server) = bench.connect().await;
    let asked = compact(&format!("{APPS}?watch=1"));
    client.send(asked.as_bytes()).await;
    server.expect(asked.as_bytes()).await;
    server.send(STREAM).await;
    client.expect(STREAM).await;
    assert_eq!(bench.wire.status().event_streams, 0);
    bench.close().await;
}

// Both ways more than all buffers on the way can hold, in many records of TLS.
#[rstest]
#[case::forwarded(None)]
#[case::held(Some(Point::Response))]
#[tokio::test]
async fn large_bodies_pass(#[case] held: Option<Point>) {
    const SIZE: usize = 8 * 1024 * 1024;
    let bench = start().await;
    let gate = held.map(|point| bench.wire.hold("large", Matcher::default(), point));
    let (mut client, mut server) = bench.connect().await;
    let body = "0123456789abcdef".repeat(SIZE / 16);
    let request = format!("PUT {IMAGES}/i HTTP/1.1\r\nContent-Length: {SIZE}\r\n\r\n{body}");
    let response = [STREAM, &chunk(&body), &chunk("")].concat();
    tokio::join!(client.send(request.as_bytes()), server.expect(request.as_bytes()));
    let answered = async {
        server.send(&response).await;
    };
    let read = async {
        if let Some(gate) = gate {
            gate.reached(LIMIT).await.unwrap();
            client.expect_nothing();
            gate.release();
        }
        client.expect(&response).await;
    };
    soon("both", async { tokio::join!(answered, read) }).await;
    bench.told("finished", |what| matches!(what, What::Finished { .. })).await;
    bench.close().await;
}
