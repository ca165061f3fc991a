use std::time::Duration;

use racetrap_wire::{Matcher, Point, What};
use rstest::rstest;
use serde_json::json;

use crate::testbed::{LIMIT, OK, Testbed, get, route};
use crate::transport::Transport;

const INSPECT: &str = "/v1.51/images/reg/app:1/json";
const CREATE: &[u8] =
    b"POST /containers/create HTTP/1.1\r\nContent-Length: 13\r\n\r\n{\"Image\":\"a\"}";

// Until the release, the kernel has no bytes for the upstream's end of the socket.
#[rstest]
#[tokio::test]
async fn a_held_request_does_not_reach_the_upstream(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let gate = testbed.wire.hold("inspect", route("/images/{id}/json"), Point::Request);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get(INSPECT)).await;
    gate.reached(LIMIT).await.unwrap();
    upstream.expect_nothing();
    let status = testbed.wire.status();
    assert_eq!((status.held, status.in_flight), (1, 1));
    gate.release();
    upstream.expect(&get(INSPECT)).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    assert_eq!(testbed.wire.status().held, 0);
    testbed.close().await;
}

// The upstream sends its response in two parts. The gate is reached only after the second, and the
// client has received nothing then.
#[rstest]
#[tokio::test]
async fn a_held_response_is_complete_and_does_not_reach_the_client(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let gate = testbed.wire.hold("inspect", route("/images/{id}/json"), Point::Response);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get(INSPECT)).await;
    upstream.expect(&get(INSPECT)).await;
    upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n").await;
    let early = gate.reached(Duration::from_millis(20)).await;
    assert!(early.is_err(), "the response is not complete yet");
    upstream.send(b"0\r\n\r\n").await;
    gate.reached(LIMIT).await.unwrap();
    client.expect_nothing();
    drop(upstream);
    gate.release();
    let whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    assert_eq!(client.read_to_end().await, whole, "the wire must have the whole response");
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_gate_holds_the_nth_message_and_no_other(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let second = Matcher { nth: Some(2), ..route("/images/{id}/json") };
    let gate = testbed.wire.hold("second", second, Point::Request);
    let (mut client, mut upstream) = testbed.connect().await;
    for turn in 1..=4 {
        // The gate does not count messages of another route.
        for target in ["/info", INSPECT] {
            client.send(&get(target)).await;
            if turn == 2 && target == INSPECT {
                break;
            }
            upstream.expect(&get(target)).await;
            upstream.send(OK).await;
            client.expect(OK).await;
        }
        if turn == 2 {
            gate.reached(LIMIT).await.unwrap();
            // A matching message on another connection passes meanwhile.
            let (mut other, mut upstream_2) = testbed.connect().await;
            other.send(&get(INSPECT)).await;
            upstream_2.expect(&get(INSPECT)).await;
            upstream.expect_nothing();
            break;
        }
    }
    gate.release();
    upstream.expect(&get(INSPECT)).await;
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn dropping_a_gate_releases_its_message(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    {
        let gate = testbed.wire.hold("dropped", Matcher::default(), Point::Request);
        client.send(&get("/info")).await;
        gate.reached(LIMIT).await.unwrap();
    }
    upstream.expect(&get("/info")).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    // The gate is disarmed: the next message passes.
    client.send(&get("/version")).await;
    upstream.expect(&get("/version")).await;
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn the_error_of_an_unreached_gate_describes_the_messages_that_passed(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let gate = testbed.wire.hold("start", route("/containers/{id}/start"), Point::Request);
    let nothing = gate.reached(Duration::from_millis(1)).await.unwrap_err().to_string();
    assert!(nothing.contains("`start`") && nothing.contains("no message at all"), "{nothing}");
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/containers/a/json")).await;
    upstream.expect(&get("/containers/a/json")).await;
    let error = gate.reached(Duration::from_millis(1)).await.unwrap_err().to_string();
    assert!(error.contains("1 other messages, the last one GET /containers/a/json"), "{error}");
    testbed.close().await;
}

// The client closes while its message is held: the wire reports that the message is abandoned, and
// closes the upstream's side.
#[rstest]
#[case::request(Point::Request)]
#[case::response(Point::Response)]
#[tokio::test]
async fn a_client_that_closes_abandons_its_held_message(
    #[case] point: Point,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let gate = testbed.wire.hold("list", route("/containers/json"), point);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/containers/json")).await;
    if point == Point::Response {
        upstream.expect(&get("/containers/json")).await;
        upstream.send(OK).await;
    }
    gate.reached(LIMIT).await.unwrap();
    drop(client);
    upstream.expect_end().await;
    let abandoned = What::Abandoned { gate: "list".to_owned() };
    testbed.wait_for_event("abandoned", |what| *what == abandoned).await;
    testbed.wait_for_event("closed", |what| *what == What::Closed).await;
    assert_eq!((testbed.wire.status().held, testbed.wire.status().in_flight), (0, 0));
    gate.reached(LIMIT).await.expect("an abandoned message has reached the gate, too");
    testbed.close().await;
}

// The body is matched as JSON. The first request does not match and must pass.
#[rstest]
#[case::length("Content-Length: 13\r\n", "{\"Image\":\"a\"}")]
#[case::chunked("Transfer-Encoding: chunked\r\n", "5\r\n{\"Ima\r\n8\r\nge\":\"a\"}\r\n0\r\n\r\n")]
#[tokio::test]
async fn a_body_field_is_matched(
    #[case] framing: &str,
    #[case] body: &str,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let matcher =
        Matcher { body: [("/Image".to_owned(), json!("a"))].into(), ..route("/containers/create") };
    let gate = testbed.wire.hold("create", matcher, Point::Request);
    let (mut client, mut upstream) = testbed.connect().await;
    let other = b"POST /containers/create HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
    client.send(other).await;
    upstream.expect(other).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    let request = format!("POST /containers/create HTTP/1.1\r\n{framing}\r\n{body}");
    let (first, second) = request.split_at(request.len() - 4);
    client.send(first.as_bytes()).await;
    client.send(second.as_bytes()).await;
    gate.reached(LIMIT).await.unwrap();
    upstream.expect_nothing();
    gate.release();
    upstream.expect(request.as_bytes()).await;
    testbed.close().await;
}

// If the wire did not send `100 Continue`, the client would wait for the upstream, and the wire for
// the client.
#[rstest]
#[tokio::test]
async fn a_body_is_matched_if_the_client_waits_for_100_continue(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let matcher =
        Matcher { body: [("/Image".to_owned(), json!("a"))].into(), ..Matcher::default() };
    let gate = testbed.wire.hold("create", matcher, Point::Request);
    let (mut client, mut upstream) = testbed.connect().await;
    let head =
        b"POST /containers/create HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 13\r\n\r\n";
    client.send(head).await;
    client.expect(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send(b"{\"Image\":\"a\"}").await;
    gate.reached(LIMIT).await.unwrap();
    gate.release();
    upstream.expect(head).await;
    upstream.expect(b"{\"Image\":\"a\"}").await;
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_body_over_the_limit_matches_no_body_matcher(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let matcher = Matcher { body: [("/a".to_owned(), json!(1))].into(), ..Matcher::default() };
    let _gate = testbed.wire.hold("long", matcher, Point::Request);
    let (mut client, mut upstream) = testbed.connect().await;
    let body = format!("{{\"a\":1,\"b\":\"{}\"}}", "x".repeat(1024 * 1024));
    let head = format!("POST /images/load HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
    let request = (head + &body).into_bytes();
    tokio::join!(client.send(&request), upstream.expect(&request));
    testbed.close().await;
}

#[rstest]
#[case::method(Matcher { method: Some("POST".to_owned()), ..Matcher::default() }, "/info")]
#[case::route(route("/version"), "/info")]
#[case::parameter(Matcher { params: [("id".to_owned(), "b".to_owned())].into(), ..route("/containers/{id}/json") }, "/containers/a/json")]
#[case::query(Matcher { query: [("all".to_owned(), "1".to_owned())].into(), ..route("/containers/json") }, "/containers/json?all=0")]
#[case::body(Matcher { body: [("/a".to_owned(), json!(1))].into(), ..Matcher::default() }, "/info")]
#[tokio::test]
async fn a_message_that_differs_in_one_field_passes(
    #[case] matcher: Matcher,
    #[case] target: &str,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let _gate = testbed.wire.hold("other", matcher, Point::Request);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get(target)).await;
    upstream.expect(&get(target)).await;
    testbed.close().await;
}

#[rstest]
#[case::parameter(Matcher { params: [("id".to_owned(), "reg/app:1".to_owned())].into(), ..Matcher::default() }, "/v1.51/images/reg%2Fapp:1/json")]
#[case::query(Matcher { query: [("all".to_owned(), "1".to_owned())].into(), ..Matcher::default() }, "/v1.51/containers/json?all=1&size=0")]
#[tokio::test]
async fn a_message_that_matches_in_every_field_is_held(
    #[case] matcher: Matcher,
    #[case] target: &str,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let gate = testbed.wire.hold("this", matcher, Point::Request);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get(target)).await;
    gate.reached(LIMIT).await.unwrap();
    upstream.expect_nothing();
    testbed.close().await;
    drop(gate);
}

// The upstream restarts while the request is held. The wire has sent nothing of the request yet, so
// it sends it to the new upstream.
#[rstest]
#[tokio::test]
async fn a_held_request_goes_to_the_upstream_that_is_up_at_its_release(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let mut testbed = Testbed::over(transport).await;
    let gate = testbed.wire.hold("create", route("/containers/create"), Point::Request);
    let (mut client, upstream) = testbed.connect().await;
    client.send(CREATE).await;
    gate.reached(LIMIT).await.unwrap();
    drop(upstream);
    testbed.restart_upstream().await;
    gate.release();
    let mut upstream = testbed.accept().await;
    upstream.expect(CREATE).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn closing_the_wire_drops_held_messages(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let gate = testbed.wire.hold("held", Matcher::default(), Point::Request);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    gate.reached(LIMIT).await.unwrap();
    testbed.close().await;
    upstream.expect_end().await;
    client.expect_end().await;
    gate.release();
}

// Two clients ask, and both requests stand. The later one goes first, and its response stands too. What is
// left is released when the whole is dropped.
#[tokio::test]
async fn each_message_is_held_and_released_in_the_order_of_the_test() {
    let testbed = Testbed::over(Transport::Unix).await;
    let mut each = testbed.wire.hold_each("line");
    let (mut first, mut first_upstream) = testbed.connect().await;
    first.send(&get(INSPECT)).await;
    let held = each.next().await;
    assert_eq!(held.name(), "line request GET /images/{id}/json 1");
    let (mut second, mut second_upstream) = testbed.connect().await;
    second.send(&get(INSPECT)).await;
    let later = each.next().await;
    assert_eq!(later.name(), "line request GET /images/{id}/json 2");
    assert_ne!(held.connection(), later.connection());
    later.release();
    second_upstream.expect(&get(INSPECT)).await;
    first_upstream.expect_nothing();
    second_upstream.send(OK).await;
    let answer = each.next().await;
    assert_eq!(answer.name(), "line response GET /images/{id}/json 1");
    second.expect_nothing();
    assert!(held.is_there() && each.try_next().is_none());
    drop((held, answer, each));
    second.expect(OK).await;
    first_upstream.expect(&get(INSPECT)).await;
    first_upstream.send(OK).await;
    first.expect(OK).await;
    testbed.close().await;
}
