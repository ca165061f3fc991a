use racetrap_wire::{Matcher, Point};
use rstest::rstest;
use serde_json::json;

use crate::testbed::{LIMIT, OK, Testbed, chunk, get};

const CREATE: &str = "{\"Action\":\"create\"}\n";

// Both streams receive the frame, which the upstream has not sent. The connection without a stream
// receives nothing. What the upstream sends next arrives behind the frame.
#[rstest]
#[case::json("{\"Action\":\"untag\"}\n", json!({"Action": "untag"}))]
#[case::not_json("{\"Action\":\n", json!("{\"Action\":"))]
#[tokio::test]
async fn a_frame_is_inserted_into_every_open_stream(
    #[case] frame: &str,
    #[case] reported: serde_json::Value,
) {
    let testbed = Testbed::start().await;
    assert_eq!(testbed.wire.inject("early", frame.as_bytes()), 0, "no stream is open yet");
    let mut streams = [testbed.event_stream().await, testbed.event_stream().await];
    let (mut other, mut other_upstream) = testbed.connect().await;
    assert_eq!(testbed.wire.inject("put", frame.as_bytes()), 2);
    for (client, upstream) in &mut streams {
        client.expect(&chunk(frame)).await;
        upstream.expect_nothing();
        upstream.send(&chunk(CREATE)).await;
        client.expect(&chunk(CREATE)).await;
    }
    other.send(&get("/info")).await;
    other_upstream.expect(&get("/info")).await;
    other_upstream.send(OK).await;
    other.expect(OK).await;
    assert_eq!(testbed.faults(), ["injected a frame", "injected a frame"]);
    assert_eq!(testbed.frames().iter().filter(|frame| **frame == reported).count(), 2);
    testbed.close().await;
}

// The upstream has sent a part of its chunks, split at every byte, when the frame is injected. The
// frames of the upstream must stay intact.
#[tokio::test]
async fn a_frame_is_never_inserted_into_another() {
    let sent = [chunk(CREATE), chunk(&[CREATE, CREATE].concat())].concat();
    for cut in 0..sent.len() {
        let testbed = Testbed::start().await;
        let (mut client, mut upstream) = testbed.event_stream().await;
        upstream.send(&sent[..cut]).await;
        tokio::task::yield_now().await;
        assert_eq!(testbed.wire.inject("put", b"{}\n"), 1);
        testbed
            .wait_for_event(
                "injected",
                |what| matches!(what, racetrap_wire::What::Frame { json } if *json == json!({})),
            )
            .await;
        upstream.send(&[&sent[cut..], b"0\r\n\r\n"].concat()).await;
        let content = client.read_chunked_content().await;
        let (injected, others): (Vec<_>, _) = content.lines().partition(|line| *line == "{}");
        assert_eq!((injected.len(), others), (1, vec![CREATE.trim_end(); 3]), "cut at {cut}");
        testbed.close().await;
    }
}

#[tokio::test]
async fn an_injected_frame_waits_behind_a_held_one() {
    let testbed = Testbed::start().await;
    let gate = testbed.wire.hold("held", Matcher::default(), Point::Frame);
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(&chunk(CREATE)).await;
    gate.reached(LIMIT).await.unwrap();
    assert_eq!(testbed.wire.inject("put", b"{}\n"), 1);
    client.expect_nothing();
    gate.release();
    client.expect(&[chunk(CREATE), chunk("{}\n")].concat()).await;
    testbed.close().await;
}

// Streams that have ended, and streams with a `Content-Length`, cannot take a frame and are not
// counted. A stream that a gate holds takes 64 frames and no more.
#[tokio::test]
async fn only_streams_that_take_the_frame_are_counted() {
    let testbed = Testbed::start().await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/events")).await;
    upstream.expect(&get("/events")).await;
    let with_length = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    upstream.send(with_length).await;
    client.expect(with_length).await;
    assert_eq!(testbed.wire.inject("put", b"{}\n"), 0);
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(b"0\r\n\r\n").await;
    client.expect(b"0\r\n\r\n").await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    assert_eq!(testbed.wire.inject("put", b"{}\n"), 0);
    let gate = testbed.wire.hold("held", Matcher::default(), Point::Frame);
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(&chunk(CREATE)).await;
    gate.reached(LIMIT).await.unwrap();
    let taken: usize = (0..70).map(|_| testbed.wire.inject("put", b"{}\n")).sum();
    assert_eq!(taken, 64);
    gate.release();
    client.expect(&[chunk(CREATE), chunk("{}\n").repeat(64)].concat()).await;
    testbed.close().await;
}

// A stream that ends with its connection is not chunked.
#[tokio::test]
async fn a_frame_is_inserted_into_a_stream_without_chunks() {
    let testbed = Testbed::start().await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/events")).await;
    upstream.expect(&get("/events")).await;
    let begin = format!("HTTP/1.0 200 OK\r\n\r\n{CREATE}");
    upstream.send(begin.as_bytes()).await;
    client.expect(begin.as_bytes()).await;
    assert_eq!(testbed.wire.inject("put", b"{}\n"), 1);
    client.expect(b"{}\n").await;
    upstream.send(CREATE.as_bytes()).await;
    client.expect(CREATE.as_bytes()).await;
    testbed.close().await;
}
