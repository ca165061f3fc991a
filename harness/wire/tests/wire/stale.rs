use std::time::Duration;

use racetrap_wire::{Matcher, What};
use rstest::rstest;

use crate::testbed::{LIMIT, OK, Peer, Testbed, chunk, get, route};

const LIST: &str = "/v1.51/containers/json?all=1";

fn list(content: &str) -> Vec<u8> {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n";
    [&head[..], &chunk(content), b"0\r\nT: u\r\n\r\n"].concat()
}

async fn exchange(client: &mut Peer, upstream: &mut Peer, answer: &[u8]) {
    client.send(&get(LIST)).await;
    upstream.expect(&get(LIST)).await;
    upstream.send(answer).await;
    client.expect(answer).await;
}

// The list of the upstream has changed. The client receives the recorded list, byte for byte, and
// the upstream receives no request. The next request goes to the upstream again.
#[tokio::test]
async fn a_recorded_response_is_served_and_the_upstream_receives_no_request() {
    let testbed = Testbed::start().await;
    let lists = testbed.wire.record("list", route("/containers/json"), Some(2));
    let (mut client, mut upstream) = testbed.connect().await;
    exchange(&mut client, &mut upstream, &list("[1]")).await;
    exchange(&mut client, &mut upstream, &list("[2]")).await;
    lists.recorded(LIMIT).await.unwrap();
    // The recording was for two responses and keeps no third one.
    exchange(&mut client, &mut upstream, &list("[3]")).await;
    let _rule = testbed.wire.stale("stale", route("/containers/json"), &lists, Some(1));
    client.send(&get(LIST)).await;
    client.expect(&list("[2]")).await;
    upstream.expect_nothing();
    exchange(&mut client, &mut upstream, &list("[4]")).await;
    assert_eq!(testbed.faults(), ["answered with a recorded 200"]);
    let events = testbed.all_events();
    let answered = events.iter().filter(|what| **what == What::Response { status: 200 });
    assert_eq!(answered.count(), 5, "the wire must report each response");
    testbed.close().await;
}

// The rule is armed before anything is recorded. It neither answers nor counts the first request,
// and serves the response to it for the second.
#[tokio::test]
async fn a_request_before_the_first_recording_passes_and_does_not_count() {
    let testbed = Testbed::start().await;
    let first = testbed.wire.record("first", route("/containers/json"), Some(1));
    let _rule = testbed.wire.stale("stale", route("/containers/json"), &first, Some(1));
    let (mut client, mut upstream) = testbed.connect().await;
    exchange(&mut client, &mut upstream, &list("[1]")).await;
    client.send(&get(LIST)).await;
    client.expect(&list("[1]")).await;
    exchange(&mut client, &mut upstream, &list("[2]")).await;
    testbed.close().await;
}

// A response to HEAD has no body. A client that received it for a GET would wait for the body.
#[tokio::test]
async fn a_recorded_response_is_served_only_to_requests_of_its_method() {
    let testbed = Testbed::start().await;
    let pings = testbed.wire.record("ping", route("/_ping"), None);
    let _rule = testbed.wire.stale("stale", Matcher::default(), &pings, None);
    let (mut client, mut upstream) = testbed.connect().await;
    let (head, answer) = (b"HEAD /_ping HTTP/1.1\r\n\r\n", &OK[..OK.len() - 2]);
    client.send(head).await;
    upstream.expect(head).await;
    upstream.send(answer).await;
    client.expect(answer).await;
    client.send(head).await;
    client.expect(answer).await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    testbed.close().await;
}

// A response without an end of its own is forwarded at once, and never recorded.
#[rstest]
#[case::events("/events", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
#[case::until_close("/info", b"HTTP/1.0 200 OK\r\n\r\nab")]
#[tokio::test]
async fn a_response_without_an_end_is_not_recorded(#[case] target: &str, #[case] answer: &[u8]) {
    let testbed = Testbed::start().await;
    let recording = testbed.wire.record("all", Matcher::default(), None);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get(target)).await;
    upstream.expect(&get(target)).await;
    upstream.send(answer).await;
    client.expect(answer).await;
    let error = recording.recorded(Duration::from_millis(1)).await.unwrap_err().to_string();
    assert!(error.contains("`all`") && error.contains(target), "{error}");
    testbed.close().await;
}

// The upstream closes after this response, and so must the wire whenever it serves the response.
#[tokio::test]
async fn a_recorded_response_that_closes_its_connection_closes_it_again() {
    let testbed = Testbed::start().await;
    let recording = testbed.wire.record("last", route("/info"), None);
    let _rule = testbed.wire.stale("stale", route("/info"), &recording, None);
    let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(answer).await;
    client.expect(answer).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    client.expect(answer).await;
    client.expect_end().await;
    upstream.expect_end().await;
    testbed.close().await;
}

// Two recordings and a fault want the same response. They must not affect one another, and both
// recordings must have what the upstream sent.
#[tokio::test]
async fn recordings_do_not_affect_other_rules() {
    let testbed = Testbed::start().await;
    let one = testbed.wire.record("one", Matcher::default(), None);
    let two = testbed.wire.record("two", Matcher::default(), None);
    let cut = testbed.wire.truncate("cut", Matcher::default(), 1, Some(1));
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(OK).await;
    client.expect(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\no").await;
    drop(cut);
    for recording in [one, two] {
        let _rule = testbed.wire.stale("stale", Matcher::default(), &recording, None);
        drop(recording);
        client.send(&get("/info")).await;
        client.expect(OK).await;
    }
    testbed.close().await;
}
