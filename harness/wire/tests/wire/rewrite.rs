use std::collections::BTreeMap;

use racetrap_wire::{Matcher, Part, Rewrite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::testbed::{Testbed, chunk, get, route};
use crate::transport::Transport;

const BODY: &str = "{\"Config\":{\"Image\":\"a\"},\"SystemTime\":\"now\"}";

fn rewrite(part: Part, values: &[(&str, Option<Value>)]) -> Rewrite {
    let values = values.iter().map(|(pointer, value)| ((*pointer).to_owned(), value.clone()));
    Rewrite { part, values: BTreeMap::from_iter(values), head: BTreeMap::new() }
}

fn length(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX: y\r\n\r\n{body}", body.len())
}

fn length_last(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn chunked(body: &str) -> String {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    format!("{head}{}0\r\n\r\n", String::from_utf8_lossy(&chunk(body)))
}

// The client reads the changed values. The next exchange on the same connection, which is not
// changed, would be misread if the length of the first were wrong.
#[rstest]
#[case::length(length, length_last)]
#[case::chunked(chunked, chunked)]
#[tokio::test]
async fn values_in_a_body_are_set_and_removed_and_its_length_is_adjusted(
    #[case] before: fn(&str) -> String,
    #[case] after: fn(&str) -> String,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let values = [("/Config", Some(json!(null))), ("/SystemTime", None), ("/New", Some(json!(1)))];
    let _rule = testbed.wire.rewrite("skew", route("/info"), rewrite(Part::Body, &values), Some(1));
    let (mut client, mut upstream) = testbed.connect().await;
    for expected in [after("{\"Config\":null,\"New\":1}"), before(BODY)] {
        client.send(&get("/info")).await;
        upstream.expect(&get("/info")).await;
        upstream.send(before(BODY).as_bytes()).await;
        client.expect(expected.as_bytes()).await;
    }
    assert_eq!(testbed.faults(), ["rewrote `/Config`, `/New`, `/SystemTime`"]);
    testbed.close().await;
}

// A response that cannot be changed arrives byte for byte, and the wire reports no fault.
#[rstest]
#[case::no_such_field("/info", &length("{\"a\": 1}"))]
#[case::no_json("/info", &length("{\"Config\": "))]
#[case::no_content("/info", "HTTP/1.1 204 No Content\r\n\r\n")]
#[case::another_route("/version", &length(BODY))]
#[tokio::test]
async fn a_response_to_which_no_pointer_applies_is_forwarded_unchanged(
    #[case] target: &str,
    #[case] answer: &str,
) {
    let testbed = Testbed::start().await;
    let values = rewrite(Part::Body, &[("/Config/Image", None)]);
    let _rule = testbed.wire.rewrite("poison", route("/info"), values, None);
    let (mut client, mut upstream) = testbed.connect().await;
    for _ in 0..2 {
        client.send(&get(target)).await;
        upstream.expect(&get(target)).await;
        upstream.send(answer.as_bytes()).await;
        client.expect(answer.as_bytes()).await;
    }
    assert_eq!(testbed.faults(), Vec::<String>::new());
    testbed.close().await;
}

// A body that ends with its connection has neither a length nor chunks to adjust.
#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_forwarded_unchanged() {
    let testbed = Testbed::start().await;
    let values = rewrite(Part::Body, &[("/Config", None)]);
    let _rule = testbed.wire.rewrite("poison", route("/info"), values, None);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    let answer = format!("HTTP/1.0 200 OK\r\n\r\n{BODY}");
    upstream.send(answer.as_bytes()).await;
    drop(upstream);
    assert_eq!(client.read_to_end().await, answer);
    assert_eq!(testbed.faults(), Vec::<String>::new());
    testbed.close().await;
}

// Only the matching frame is changed. It keeps its record separator and its newline.
#[tokio::test]
async fn a_matching_frame_is_rewritten_and_its_neighbours_are_not() {
    let testbed = Testbed::start().await;
    let starts =
        Matcher { frame: [("/Action".to_owned(), json!("start"))].into(), ..route("/events") };
    let values = rewrite(Part::Frame, &[("/id", Some(json!("b"))), ("/x", None)]);
    let _rule = testbed.wire.rewrite("other", starts, values, None);
    let (mut client, mut upstream) = testbed.event_stream().await;
    let (first, last) = (chunk("{\"Action\": \"create\"}\n"), chunk("{\"Action\": \"die\"}\n"));
    upstream.send(&first).await;
    client.expect(&first).await;
    upstream.send(&chunk("\x1e{\"Action\": \"start\", \"id\": \"a\", \"x\": 1}\n")).await;
    client.expect(&chunk("\x1e{\"Action\":\"start\",\"id\":\"b\"}\n")).await;
    upstream.send(&last).await;
    client.expect(&last).await;
    assert_eq!(testbed.faults(), ["rewrote `/id`, `/x`"]);
    assert_eq!(
        testbed.frames()[1],
        json!({"Action": "start", "id": "b"}),
        "the event has the frame that the client receives"
    );
    testbed.close().await;
}

// The head of a response without a body and that of one with a body are rewritten, and the body that
// follows is still read to its end.
#[rstest]
#[tokio::test]
async fn fields_of_a_head_are_set_and_removed(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let head = [("X".to_owned(), None), ("Api-Version".to_owned(), Some("1.24".to_owned()))];
    let head = Rewrite { head: head.into(), ..rewrite(Part::Body, &[]) };
    let _rule = testbed.wire.rewrite("old", route("/info"), head, Some(1));
    let (mut client, mut upstream) = testbed.connect().await;
    let rewritten = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nApi-Version: 1.24\r\n\r\n{BODY}",
        BODY.len()
    );
    for expected in [rewritten, length(BODY)] {
        client.send(&get("/info")).await;
        upstream.expect(&get("/info")).await;
        upstream.send(length(BODY).as_bytes()).await;
        client.expect(expected.as_bytes()).await;
    }
    assert_eq!(testbed.faults(), ["rewrote the head's `Api-Version`, `X`"]);
    testbed.close().await;
}
