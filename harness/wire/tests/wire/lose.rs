use racetrap_wire::{Matcher, What};
use rstest::rstest;

use crate::testbed::{OK, Testbed, get, route};
use crate::transport::Transport;

const START: &[u8] = b"POST /v1.51/containers/a/start HTTP/1.1\r\nContent-Length: 0\r\n\r\n";

// The upstream has read the request and sent its whole response, in two parts. The client reads the
// end of its connection, and nothing before it.
#[rstest]
#[case::no_content(b"HTTP/1.1 204 No Content\r\n\r\n", b"", 204)]
#[case::length(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", b"cd", 200)]
#[case::chunked(
    b"HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    b"0\r\n\r\n",
    201
)]
#[tokio::test]
async fn the_upstream_answers_and_the_client_receives_nothing(
    #[case] first: &[u8],
    #[case] second: &[u8],
    #[case] status: u16,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let _rule = testbed.wire.lose("lost", route("/containers/{id}/start"), Some(1));
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(START).await;
    upstream.expect(START).await;
    upstream.send(first).await;
    if !second.is_empty() {
        tokio::task::yield_now().await;
        assert!(testbed.faults().is_empty(), "the response is not complete yet");
        upstream.send(second).await;
    }
    match transport {
        Transport::Unix => client.expect_end().await,
        // TLS can tell an intended end from a loss, and this must be a loss.
        Transport::Tls => client.expect_loss().await,
    }
    upstream.expect_end().await;
    assert_eq!(testbed.faults(), [format!("lost the response with status {status}")]);
    let answered = |what: &What| matches!(what, What::Response { .. } | What::Finished { .. });
    assert!(!testbed.all_events().iter().any(answered), "nothing of the response was forwarded");
    testbed.close().await;
}

// The second of three responses is lost. Each is on its own connection: the rule counts over all
// connections.
#[tokio::test]
async fn only_the_selected_response_is_lost() {
    let testbed = Testbed::start().await;
    let second = Matcher { nth: Some(2), ..route("/containers/{id}/start") };
    let _rule = testbed.wire.lose("lost", second, Some(1));
    for turn in 1..=3 {
        let (mut client, mut upstream) = testbed.connect().await;
        client.send(START).await;
        upstream.expect(START).await;
        upstream.send(OK).await;
        if turn == 2 {
            client.expect_end().await;
        } else {
            client.expect(OK).await;
        }
    }
    assert_eq!(testbed.faults().len(), 1);
    testbed.close().await;
}

// The wire cannot wait for the end of an event stream, so it loses the response when it has the
// head.
#[tokio::test]
async fn the_head_of_an_event_stream_can_be_lost() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.lose("lost", route("/events"), None);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/events")).await;
    upstream.expect(&get("/events")).await;
    upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.expect_end().await;
    upstream.expect_end().await;
    testbed.close().await;
}

// The client closes before the response is complete. So the fault does not happen, and the wire
// must not report it.
#[tokio::test]
async fn a_response_that_no_client_waits_for_is_not_reported_as_lost() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.lose("lost", route("/info"), None);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(&OK[..OK.len() - 1]).await;
    drop(client);
    upstream.expect_end().await;
    testbed.wait_for_event("closed", |what| *what == What::Closed).await;
    assert_eq!(testbed.faults(), Vec::<String>::new());
    testbed.close().await;
}

// The matcher selects writes, so responses to reads must arrive.
#[tokio::test]
async fn a_matcher_of_writes_does_not_match_reads() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.lose("lost", Matcher { writes: true, ..Matcher::default() }, None);
    for (method, is_lost) in [("GET", false), ("HEAD", false), ("POST", true), ("DELETE", true)] {
        let (mut client, mut upstream) = testbed.connect().await;
        let request = format!("{method} /volumes/a HTTP/1.1\r\n\r\n");
        client.send(request.as_bytes()).await;
        upstream.expect(request.as_bytes()).await;
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        upstream.send(answer).await;
        if is_lost {
            client.expect_end().await;
        } else {
            client.expect(answer).await;
        }
    }
    testbed.close().await;
}
