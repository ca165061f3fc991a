use racetrap_wire::{Matcher, What};
use rstest::rstest;

use crate::bench::{Bench, OK, get, route};
use crate::carrier::Carrier;

const START: &[u8] = b"POST /v1.51/containers/a/start HTTP/1.1\r\nContent-Length: 0\r\n\r\n";

// The engine has read the request and has written its whole answer, the second part of it only after
// the first one was taken; the daemon reads the end of its connection, and nothing before it.
#[rstest]
#[case::no_content(b"HTTP/1.1 204 No Content\r\n\r\n", b"", 204)]
#[case::length(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", b"cd", 200)]
#[case::chunked(
    b"HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    b"0\r\n\r\n",
    201
)]
#[tokio::test]
async fn the_engine_acts_and_its_answer_is_lost(
    #[case] first: &[u8],
    #[case] second: &[u8],
    #[case] status: u16,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let _rule = bench.wire.lose("lost", route("/containers/{id}/start"), Some(1));
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(START).await;
    engine.expect(START).await;
    engine.send(first).await;
    if !second.is_empty() {
        tokio::task::yield_now().await;
        assert!(bench.faults().is_empty(), "the answer is not whole yet");
        engine.send(second).await;
    }
    match carrier {
        Carrier::Unix => daemon.expect_end().await,
        // It has more than one end, and this is not the one that is meant.
        Carrier::Tls => daemon.expect_loss().await,
    }
    engine.expect_end().await;
    assert_eq!(bench.faults(), [format!("lost the response with status {status}")]);
    let answered = |what: &What| matches!(what, What::Response { .. } | What::Finished { .. });
    assert!(!bench.all_told().iter().any(answered), "nothing of it was passed on");
    bench.close().await;
}

// One of three is lost, and the others arrive: the count is kept over connections.
#[tokio::test]
async fn only_so_many_answers_are_lost() {
    let bench = Bench::start().await;
    let second = Matcher { nth: Some(2), ..route("/containers/{id}/start") };
    let _rule = bench.wire.lose("lost", second, Some(1));
    for turn in 1..=3 {
        let (mut daemon, mut engine) = bench.connect().await;
        daemon.send(START).await;
        engine.expect(START).await;
        engine.send(OK).await;
        if turn == 2 {
            daemon.expect_end().await;
        } else {
            daemon.expect(OK).await;
        }
    }
    assert_eq!(bench.faults().len(), 1);
    bench.close().await;
}

// An answer that never ends cannot be waited for: the head is enough.
#[tokio::test]
async fn the_head_of_an_event_stream_can_be_lost() {
    let bench = Bench::start().await;
    let _rule = bench.wire.lose("lost", route("/events"), None);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/events")).await;
    engine.expect(&get("/events")).await;
    engine.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    daemon.expect_end().await;
    engine.expect_end().await;
    bench.close().await;
}

// A fault that did not happen is not told of: the daemon gave up before the answer was whole.
#[tokio::test]
async fn an_answer_that_nobody_waits_for_is_not_told_as_lost() {
    let bench = Bench::start().await;
    let _rule = bench.wire.lose("lost", route("/info"), None);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(&OK[..OK.len() - 1]).await;
    drop(daemon);
    engine.expect_end().await;
    bench.told("closed", |what| *what == What::Closed).await;
    assert_eq!(bench.faults(), Vec::<String>::new());
    bench.close().await;
}

// Reads may still happen where only what changes something is meant.
#[tokio::test]
async fn a_matcher_of_writes_fits_no_reads() {
    let bench = Bench::start().await;
    let _rule = bench.wire.lose("lost", Matcher { writes: true, ..Matcher::default() }, None);
    for (method, is_lost) in [("GET", false), ("HEAD", false), ("POST", true), ("DELETE", true)] {
        let (mut daemon, mut engine) = bench.connect().await;
        let request = format!("{method} /volumes/a HTTP/1.1\r\n\r\n");
        daemon.send(request.as_bytes()).await;
        engine.expect(request.as_bytes()).await;
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        engine.send(answer).await;
        if is_lost {
            daemon.expect_end().await;
        } else {
            daemon.expect(answer).await;
        }
    }
    bench.close().await;
}
