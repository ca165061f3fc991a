use racetrap_wire::{HalfOpenAfter, Matcher, What};
use rstest::rstest;
use serde_json::json;

use crate::testbed::{OK, Testbed, chunk, get, route};
use crate::transport::Transport;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n";

// The client receives the first bytes and nothing more, although the upstream has sent everything
// and closed. The connection ends when the rule is released, and not before.
#[rstest]
#[case::head(0, "")]
#[case::some(4, "abcd")]
#[tokio::test]
async fn a_body_stops_in_the_middle_and_its_connection_stays_open(
    #[case] bytes: u64,
    #[case] received: &str,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let rule = testbed.wire.half_open("half", route("/info"), HalfOpenAfter::Bytes(bytes), None);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(format!("{HEAD}abcdef").as_bytes()).await;
    drop(upstream);
    let fault = format!("forwarded {bytes} bytes of the body, and nothing more");
    testbed.wait_for_event("half-open", |what| is_fault(what, &fault)).await;
    client.expect(format!("{HEAD}{received}").as_bytes()).await;
    // The client must not see the close of the upstream either. An exchange on another connection
    // gives the wire the time to forward it.
    let (mut other, mut other_upstream) = testbed.connect().await;
    other.send(&get("/version")).await;
    other_upstream.expect(&get("/version")).await;
    client.expect_nothing();
    rule.release();
    client.expect_end().await;
    testbed.close().await;
}

fn is_fault(what: &What, expected: &str) -> bool {
    matches!(what, What::Faulted { fault, .. } if fault == expected)
}

// The body has no more bytes than may pass: nothing is left to suppress, so the fault does not
// happen.
#[tokio::test]
async fn a_body_that_is_not_longer_is_forwarded_and_its_connection_stays_usable() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.half_open("half", route("/info"), HalfOpenAfter::Bytes(2), None);
    let (mut client, mut upstream) = testbed.connect().await;
    for _ in 0..2 {
        client.send(&get("/info")).await;
        upstream.expect(&get("/info")).await;
        upstream.send(OK).await;
        client.expect(OK).await;
    }
    assert_eq!(testbed.faults(), Vec::<String>::new());
    testbed.close().await;
}

// Two frames match and arrive. The second one is the last: what the upstream sends then does not
// arrive.
#[tokio::test]
async fn a_stream_stops_after_the_nth_frame() {
    let testbed = Testbed::start().await;
    let second = Matcher {
        frame: [("/Action".to_owned(), json!("start"))].into(),
        nth: Some(2),
        ..route("/events")
    };
    let rule = testbed.wire.half_open("half", second, HalfOpenAfter::Frame, None);
    let (mut client, mut upstream) = testbed.event_stream().await;
    let start = chunk("{\"Action\":\"start\"}\n");
    upstream.send(&[&start[..], &start, &start].concat()).await;
    let fault = "forwarded this frame, and nothing more";
    testbed.wait_for_event("half-open", |what| is_fault(what, fault)).await;
    client.expect(&[&start[..], &start].concat()).await;
    upstream.send(&start).await;
    client.expect_nothing();
    assert_eq!(testbed.frames().len(), 2);
    // The stream is open, but carries nothing any more, so it is not counted.
    assert_eq!(testbed.wire.status().event_streams, 0);
    rule.release();
    client.expect_end().await;
    upstream.expect_end().await;
    testbed.close().await;
}

// The client can close the connection, and the wire can close, while the rule is armed.
#[tokio::test]
async fn a_half_open_connection_ends_with_the_client_and_with_the_wire() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.half_open("half", route("/info"), HalfOpenAfter::Bytes(0), None);
    let mut connections = Vec::new();
    for _ in 0..2 {
        let (mut client, mut upstream) = testbed.connect().await;
        client.send(&get("/info")).await;
        upstream.expect(&get("/info")).await;
        upstream.send(OK).await;
        client.expect(&OK[..OK.len() - 2]).await;
        connections.push((client, upstream));
    }
    let (client, mut upstream) = connections.remove(0);
    drop(client);
    upstream.expect_end().await;
    let (mut client, _upstream) = connections.remove(0);
    testbed.close().await;
    client.expect_end().await;
}
