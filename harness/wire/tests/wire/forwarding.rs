use racetrap_wire::What;
use rstest::rstest;

use crate::bench::{Bench, OK, chunk, get, soon};
use crate::carrier::Carrier;

const CHUNKED: &[u8] =
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n";
const UPLOAD: &[u8] = b"POST /v1.51/images/load HTTP/1.1\r\nHost: d\r\n\
    Transfer-Encoding: chunked\r\n\r\n4\r\n\x00\xff\r\n\r\n0\r\n\r\n";

// The test compares all bytes on both sides, and sends the next message on the same connection:
// it would stand still, or read the wrong bytes, if a body were taken for longer or shorter. Each
// message is also sent in two parts, cut at every byte.
#[rstest]
#[case::length(&get("/info"), OK)]
#[case::chunked_with_trailer(&get("/v1.51/images/json?all=1"), CHUNKED)]
#[case::head(
    b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
)]
#[case::no_content(
    b"POST /containers/a/start HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n"
)]
#[case::not_modified(
    b"POST /containers/a/start HTTP/1.1\r\nHost: d\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"
)]
#[case::upload(UPLOAD, OK)]
#[case::unknown_route(b"PATCH /\xc3\xa4?%zz HTTP/1.1\r\nX: \xff\r\n\r\n", OK)]
#[tokio::test]
async fn messages_pass_unchanged_wherever_they_are_cut(
    #[case] request: &[u8],
    #[case] response: &[u8],
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    for cut in 0..=request.len().max(response.len()) {
        let (first, second) = request.split_at(cut.min(request.len()));
        daemon.send(first).await;
        // The wire's task runs on this thread, and has the first part when its turn has come.
        tokio::task::yield_now().await;
        daemon.send(second).await;
        engine.expect(request).await;
        let (first, second) = response.split_at(cut.min(response.len()));
        engine.send(first).await;
        tokio::task::yield_now().await;
        engine.send(second).await;
        daemon.expect(response).await;
    }
    bench.close().await;
}

// The engine must see the second request only after its answer to the first, and the order of the
// responses shows that they were not mixed.
#[rstest]
#[tokio::test]
async fn requests_sent_at_once_are_answered_in_turn(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&[get("/info"), get("/version")].concat()).await;
    engine.expect(&get("/info")).await;
    engine.expect_nothing();
    engine.send(OK).await;
    engine.expect(&get("/version")).await;
    engine.send(CHUNKED).await;
    daemon.expect(&[OK, CHUNKED].concat()).await;
    bench.close().await;
}

#[rstest]
#[case::told_by_the_engine(&get("/info"), b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx")]
#[case::told_by_the_daemon(b"GET /info HTTP/1.1\r\nConnection: close\r\n\r\n", OK)]
#[case::http_1_0(b"GET /info HTTP/1.0\r\n\r\n", OK)]
#[tokio::test]
async fn a_connection_ends_after_the_message_that_says_so(
    #[case] request: &[u8],
    #[case] response: &[u8],
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(request).await;
    engine.expect(request).await;
    engine.send(response).await;
    daemon.expect(response).await;
    daemon.expect_end().await;
    engine.expect_end().await;
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_body_without_length_ends_with_the_connection(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/images/a/get")).await;
    engine.expect(&get("/images/a/get")).await;
    engine.send(b"HTTP/1.0 200 OK\r\n\r\nall of ").await;
    daemon.expect(b"HTTP/1.0 200 OK\r\n\r\nall of ").await;
    engine.send(b"it").await;
    engine.close().await;
    assert_eq!(daemon.rest().await, "it");
    bench.told("finished", |what| *what == What::Finished { bytes: 9 }).await;
    bench.close().await;
}

// The response has no end: each part can only arrive because nothing waits for more.
#[rstest]
#[tokio::test]
async fn a_followed_log_arrives_part_by_part(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    let request = get("/containers/a/logs?follow=1&stdout=1");
    daemon.send(&request).await;
    engine.expect(&request).await;
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    engine.send(head).await;
    daemon.expect(head).await;
    for part in [&chunk("one\n")[..], b"5\r\nsp", b"lit\r\n"] {
        engine.send(part).await;
        daemon.expect(part).await;
    }
    assert_eq!(bench.wire.status().in_flight, 0, "a followed log is not in flight");
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_body_is_sent_on_when_the_engine_says_go_on(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    let head =
        b"POST /containers/create HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    daemon.send(head).await;
    engine.expect(head).await;
    engine.send(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    daemon.expect(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    daemon.send(b"{}").await;
    engine.expect(b"{}").await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    bench.close().await;
}

// The daemon is in the middle of its body and the engine has gone: the answer must get through.
#[rstest]
#[tokio::test]
async fn an_answer_before_the_end_of_a_body_arrives(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    let head = b"POST /images/load HTTP/1.1\r\nContent-Length: 100000\r\n\r\n";
    daemon.send(head).await;
    engine.expect(head).await;
    let answer = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    engine.send(answer).await;
    drop(engine);
    daemon.expect(answer).await;
    daemon.expect_end().await;
    bench.close().await;
}

// A client that keeps connections must learn that this one is dead before it uses it again.
#[rstest]
#[tokio::test]
async fn the_end_of_an_idle_engine_connection_reaches_the_daemon(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    drop(engine);
    daemon.expect_end().await;
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn an_engine_that_is_not_there_is_told_of(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let mut bench = Bench::over(carrier).await;
    bench.engine = None;
    let mut daemon = bench.dial().await;
    daemon.expect_end().await;
    bench.told("upstream lost", |what| matches!(what, What::UpstreamLost { .. })).await;
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn an_engine_that_goes_in_the_middle_is_told_of(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").await;
    drop(engine);
    assert_eq!(daemon.rest().await, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    let lost = bench.told("upstream lost", |what| matches!(what, What::UpstreamLost { .. })).await;
    assert_eq!(lost.exchange, 1, "the exchange is named");
    bench.close().await;
}

// Each connection asks for its own number and gets it back, on several threads at once.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_do_not_mix(#[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier) {
    let bench = Bench::over(carrier).await;
    let mut pairs = tokio::task::JoinSet::new();
    for number in 0..30 {
        let (mut daemon, mut engine) = bench.connect().await;
        pairs.spawn(async move {
            for turn in 0..20 {
                let request = get(&format!("/containers/{number}-{turn}/json"));
                daemon.send(&request).await;
                engine.expect(&request).await;
                let body = "x".repeat(number * turn);
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                engine.send((head.clone() + &body).as_bytes()).await;
                daemon.expect((head + &body).as_bytes()).await;
            }
        });
    }
    soon("all exchanges", pairs.join_all()).await;
    let requests = bench.all_told().iter().filter(|w| matches!(w, What::Request { .. })).count();
    assert_eq!(requests, 600);
    bench.close().await;
}

#[tokio::test]
async fn an_exchange_is_told_in_order() {
    let bench = Bench::start().await;
    let (mut daemon, mut engine) = bench.connect().await;
    let request = b"POST /v1.51/containers/create?name=a HTTP/1.1\r\nuser-agent: rdd/1.0\r\n\
        Content-Length: 2\r\n\r\n{}";
    daemon.send(request).await;
    engine.expect(request).await;
    assert_eq!(bench.wire.status().in_flight, 1);
    engine.send(OK).await;
    daemon.expect(OK).await;
    drop(daemon);
    bench.told("closed", |what| *what == What::Closed).await;
    assert_eq!(bench.wire.status().in_flight, 0);
    let expected = [
        What::Opened { peer: None },
        What::Request {
            method: "POST".to_owned(),
            target: "/v1.51/containers/create?name=a".to_owned(),
            route: Some("/containers/create"),
            phase: racetrap_wire::Phase::Bootstrap,
            body_bytes: Some(2),
            agent: Some("rdd/1.0".to_owned()),
        },
        What::Response { status: 200 },
        What::Finished { bytes: 2 },
        What::Closed,
    ];
    assert_eq!(bench.all_told(), expected);
    bench.close().await;
}
