use racetrap_wire::{Matcher, Point};
use rstest::rstest;
use serde_json::json;

use crate::bench::{Bench, LIMIT, OK, chunk, get};

const CREATE: &str = "{\"Action\":\"create\"}\n";

// Both streams get the frame, which the engine has not sent, and the connection without a stream gets
// nothing; what the engine sends then comes behind it.
#[rstest]
#[case::json("{\"Action\":\"untag\"}\n", json!({"Action": "untag"}))]
#[case::no_json("{\"Action\":\n", json!("{\"Action\":"))]
#[tokio::test]
async fn a_frame_is_put_into_every_open_stream(
    #[case] frame: &str,
    #[case] told: serde_json::Value,
) {
    let bench = Bench::start().await;
    assert_eq!(bench.wire.inject("early", frame.as_bytes()), 0, "no stream is open yet");
    let mut streams = [bench.stream().await, bench.stream().await];
    let (mut other, mut other_engine) = bench.connect().await;
    assert_eq!(bench.wire.inject("put", frame.as_bytes()), 2);
    for (daemon, engine) in &mut streams {
        daemon.expect(&chunk(frame)).await;
        engine.expect_nothing();
        engine.send(&chunk(CREATE)).await;
        daemon.expect(&chunk(CREATE)).await;
    }
    other.send(&get("/info")).await;
    other_engine.expect(&get("/info")).await;
    other_engine.send(OK).await;
    other.expect(OK).await;
    assert_eq!(bench.faults(), ["injected a frame", "injected a frame"]);
    assert_eq!(bench.frames().iter().filter(|frame| **frame == told).count(), 2);
    bench.close().await;
}

// The engine stands in the middle of a frame, cut at every byte of its chunk: the injected frame comes
// before it, and the engine's is whole.
#[tokio::test]
async fn a_frame_is_never_put_into_another() {
    let sent = [chunk(CREATE), chunk(&[CREATE, CREATE].concat())].concat();
    for cut in 0..sent.len() {
        let bench = Bench::start().await;
        let (mut daemon, mut engine) = bench.stream().await;
        engine.send(&sent[..cut]).await;
        tokio::task::yield_now().await;
        assert_eq!(bench.wire.inject("put", b"{}\n"), 1);
        bench
            .told(
                "injected",
                |what| matches!(what, racetrap_wire::What::Frame { json } if *json == json!({})),
            )
            .await;
        engine.send(&[&sent[cut..], b"0\r\n\r\n"].concat()).await;
        let content = daemon.content().await;
        let (put, others): (Vec<_>, _) = content.lines().partition(|line| *line == "{}");
        assert_eq!((put.len(), others), (1, vec![CREATE.trim_end(); 3]), "cut at {cut}");
        bench.close().await;
    }
}

#[tokio::test]
async fn a_frame_waits_behind_one_that_is_held() {
    let bench = Bench::start().await;
    let gate = bench.wire.hold("held", Matcher::default(), Point::Frame);
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(&chunk(CREATE)).await;
    gate.reached(LIMIT).await.unwrap();
    assert_eq!(bench.wire.inject("put", b"{}\n"), 1);
    daemon.expect_nothing();
    gate.release();
    daemon.expect(&[chunk(CREATE), chunk("{}\n")].concat()).await;
    bench.close().await;
}

// Streams that have ended, or whose length is promised, cannot take it and are not counted; and who
// does not read gets so many and no more.
#[tokio::test]
async fn only_streams_that_take_it_are_counted() {
    let bench = Bench::start().await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/events")).await;
    engine.expect(&get("/events")).await;
    let promised = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    engine.send(promised).await;
    daemon.expect(promised).await;
    assert_eq!(bench.wire.inject("put", b"{}\n"), 0);
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(b"0\r\n\r\n").await;
    daemon.expect(b"0\r\n\r\n").await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    assert_eq!(bench.wire.inject("put", b"{}\n"), 0);
    let gate = bench.wire.hold("held", Matcher::default(), Point::Frame);
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(&chunk(CREATE)).await;
    gate.reached(LIMIT).await.unwrap();
    let taken: usize = (0..70).map(|_| bench.wire.inject("put", b"{}\n")).sum();
    assert_eq!(taken, 64);
    gate.release();
    daemon.expect(&[chunk(CREATE), chunk("{}\n").repeat(64)].concat()).await;
    bench.close().await;
}

// A stream that ends with its connection has no chunks.
#[tokio::test]
async fn a_frame_is_put_into_a_stream_without_chunks() {
    let bench = Bench::start().await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/events")).await;
    engine.expect(&get("/events")).await;
    let begin = format!("HTTP/1.0 200 OK\r\n\r\n{CREATE}");
    engine.send(begin.as_bytes()).await;
    daemon.expect(begin.as_bytes()).await;
    assert_eq!(bench.wire.inject("put", b"{}\n"), 1);
    daemon.expect(b"{}\n").await;
    engine.send(CREATE.as_bytes()).await;
    daemon.expect(CREATE.as_bytes()).await;
    bench.close().await;
}
