use racetrap_wire::What;
use rstest::rstest;

use crate::testbed::{OK, Testbed, chunk, get, within_limit};
use crate::transport::Transport;

const CHUNKED: &[u8] =
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n";
const UPLOAD: &[u8] = b"POST /v1.51/images/load HTTP/1.1\r\nHost: d\r\n\
    Transfer-Encoding: chunked\r\n\r\n4\r\n\x00\xff\r\n\r\n0\r\n\r\n";

// The test compares all bytes on both sides, and sends the next message on the same connection: if
// the wire measured a body wrong, it would wait for ever or forward the wrong bytes. Each message
// is also sent in two parts, split at every byte.
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
async fn messages_are_forwarded_unchanged_wherever_they_are_split(
    #[case] request: &[u8],
    #[case] response: &[u8],
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    for cut in 0..=request.len().max(response.len()) {
        let (first, second) = request.split_at(cut.min(request.len()));
        client.send(first).await;
        // The task of the wire runs on this thread, and reads the first part now.
        tokio::task::yield_now().await;
        client.send(second).await;
        upstream.expect(request).await;
        let (first, second) = response.split_at(cut.min(response.len()));
        upstream.send(first).await;
        tokio::task::yield_now().await;
        upstream.send(second).await;
        client.expect(response).await;
    }
    testbed.close().await;
}

// The upstream must receive the second request only after it has answered the first. The order of
// the responses shows that they were not mixed up.
#[rstest]
#[tokio::test]
async fn pipelined_requests_are_answered_in_order(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&[get("/info"), get("/version")].concat()).await;
    upstream.expect(&get("/info")).await;
    upstream.expect_nothing();
    upstream.send(OK).await;
    upstream.expect(&get("/version")).await;
    upstream.send(CHUNKED).await;
    client.expect(&[OK, CHUNKED].concat()).await;
    testbed.close().await;
}

#[rstest]
#[case::closed_by_the_upstream(&get("/info"), b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx")]
#[case::closed_by_the_client(b"GET /info HTTP/1.1\r\nConnection: close\r\n\r\n", OK)]
#[case::http_1_0(b"GET /info HTTP/1.0\r\n\r\n", OK)]
#[tokio::test]
async fn a_connection_closes_after_the_message_that_says_so(
    #[case] request: &[u8],
    #[case] response: &[u8],
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(request).await;
    upstream.expect(request).await;
    upstream.send(response).await;
    client.expect(response).await;
    client.expect_end().await;
    upstream.expect_end().await;
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_body_without_a_length_ends_with_the_connection(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/images/a/get")).await;
    upstream.expect(&get("/images/a/get")).await;
    upstream.send(b"HTTP/1.0 200 OK\r\n\r\nall of ").await;
    client.expect(b"HTTP/1.0 200 OK\r\n\r\nall of ").await;
    upstream.send(b"it").await;
    upstream.close().await;
    assert_eq!(client.read_to_end().await, "it");
    testbed.wait_for_event("finished", |what| *what == What::Finished { bytes: 9 }).await;
    testbed.close().await;
}

// The response has no end, so each part can arrive only if the wire does not wait for more.
#[rstest]
#[tokio::test]
async fn a_followed_log_arrives_part_by_part(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    let request = get("/containers/a/logs?follow=1&stdout=1");
    client.send(&request).await;
    upstream.expect(&request).await;
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    upstream.send(head).await;
    client.expect(head).await;
    for part in [&chunk("one\n")[..], b"5\r\nsp", b"lit\r\n"] {
        upstream.send(part).await;
        client.expect(part).await;
    }
    assert_eq!(testbed.wire.status().in_flight, 0, "a followed log is not in flight");
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_100_continue_of_the_upstream_is_forwarded(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    let head =
        b"POST /containers/create HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    client.send(head).await;
    upstream.expect(head).await;
    upstream.send(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    client.expect(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send(b"{}").await;
    upstream.expect(b"{}").await;
    upstream.send(OK).await;
    client.expect(OK).await;
    testbed.close().await;
}

// The upstream answers and closes while the client has sent only a part of its body. The client
// must receive the response.
#[rstest]
#[tokio::test]
async fn a_response_before_the_end_of_the_request_arrives(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    let head = b"POST /images/load HTTP/1.1\r\nContent-Length: 100000\r\n\r\n";
    client.send(head).await;
    upstream.expect(head).await;
    let answer = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    upstream.send(answer).await;
    drop(upstream);
    client.expect(answer).await;
    client.expect_end().await;
    testbed.close().await;
}

// A client that pools connections must see that this one is closed before it uses it again.
#[rstest]
#[tokio::test]
async fn the_close_of_an_idle_upstream_connection_reaches_the_client(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    drop(upstream);
    client.expect_end().await;
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn an_upstream_that_is_down_is_reported(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let mut testbed = Testbed::over(transport).await;
    testbed.upstream = None;
    let mut client = testbed.dial().await;
    client.expect_end().await;
    testbed.wait_for_event("upstream lost", |what| matches!(what, What::UpstreamLost { .. })).await;
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn an_upstream_that_closes_in_the_middle_of_a_response_is_reported(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").await;
    drop(upstream);
    assert_eq!(client.read_to_end().await, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    let lost = testbed
        .wait_for_event("upstream lost", |what| matches!(what, What::UpstreamLost { .. }))
        .await;
    assert_eq!(lost.exchange, 1, "the event must name the exchange");
    testbed.close().await;
}

// Each connection requests its own number and gets a body of a matching length, on several threads
// at the same time.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_do_not_mix_their_messages(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let mut pairs = tokio::task::JoinSet::new();
    for number in 0..30 {
        let (mut client, mut upstream) = testbed.connect().await;
        pairs.spawn(async move {
            for turn in 0..20 {
                let request = get(&format!("/containers/{number}-{turn}/json"));
                client.send(&request).await;
                upstream.expect(&request).await;
                let body = "x".repeat(number * turn);
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                upstream.send((head.clone() + &body).as_bytes()).await;
                client.expect((head + &body).as_bytes()).await;
            }
        });
    }
    within_limit("all exchanges", pairs.join_all()).await;
    let requests =
        testbed.all_events().iter().filter(|w| matches!(w, What::Request { .. })).count();
    assert_eq!(requests, 600);
    testbed.close().await;
}

#[tokio::test]
async fn the_events_of_an_exchange_are_reported_in_order() {
    let testbed = Testbed::start().await;
    let (mut client, mut upstream) = testbed.connect().await;
    let request = b"POST /v1.51/containers/create?name=a HTTP/1.1\r\nuser-agent: rdd/1.0\r\n\
        Content-Length: 2\r\n\r\n{}";
    client.send(request).await;
    upstream.expect(request).await;
    assert_eq!(testbed.wire.status().in_flight, 1);
    upstream.send(OK).await;
    client.expect(OK).await;
    drop(client);
    testbed.wait_for_event("closed", |what| *what == What::Closed).await;
    assert_eq!(testbed.wire.status().in_flight, 0);
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
    assert_eq!(testbed.all_events(), expected);
    testbed.close().await;
}
