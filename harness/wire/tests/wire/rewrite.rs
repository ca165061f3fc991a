use std::collections::BTreeMap;

use racetrap_wire::{Matcher, Part, Rewrite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::bench::{Bench, chunk, get, route};
use crate::carrier::Carrier;

const BODY: &str = "{\"Config\":{\"Image\":\"a\"},\"SystemTime\":\"now\"}";

fn rewrite(part: Part, values: &[(&str, Option<Value>)]) -> Rewrite {
    let values = values.iter().map(|(pointer, value)| ((*pointer).to_owned(), value.clone()));
    Rewrite { part, values: BTreeMap::from_iter(values) }
}

fn length(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX: y\r\n\r\n{body}", body.len())
}

fn length_behind(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn chunked(body: &str) -> String {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    format!("{head}{}0\r\n\r\n", String::from_utf8_lossy(&chunk(body)))
}

// The daemon reads the changed values in a message that ends where its length says: the next exchange
// on the same connection, which is not changed, would not fit otherwise.
#[rstest]
#[case::length(length, length_behind)]
#[case::chunked(chunked, chunked)]
#[tokio::test]
async fn values_in_a_body_are_set_and_removed_and_its_length_is_right(
    #[case] before: fn(&str) -> String,
    #[case] after: fn(&str) -> String,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let values = [("/Config", Some(json!(null))), ("/SystemTime", None), ("/New", Some(json!(1)))];
    let _rule = bench.wire.rewrite("skew", route("/info"), rewrite(Part::Body, &values), Some(1));
    let (mut daemon, mut engine) = bench.connect().await;
    for expected in [after("{\"Config\":null,\"New\":1}"), before(BODY)] {
        daemon.send(&get("/info")).await;
        engine.expect(&get("/info")).await;
        engine.send(before(BODY).as_bytes()).await;
        daemon.expect(expected.as_bytes()).await;
    }
    assert_eq!(bench.faults(), ["rewrote `/Config`, `/New`, `/SystemTime`"]);
    bench.close().await;
}

// What cannot be changed arrives byte for byte, and nothing is told as a fault.
#[rstest]
#[case::no_such_place("/info", &length("{\"a\": 1}"))]
#[case::no_json("/info", &length("{\"Config\": "))]
#[case::no_content("/info", "HTTP/1.1 204 No Content\r\n\r\n")]
#[case::another_route("/version", &length(BODY))]
#[tokio::test]
async fn what_a_rewrite_does_not_fit_passes_as_it_is(#[case] target: &str, #[case] answer: &str) {
    let bench = Bench::start().await;
    let values = rewrite(Part::Body, &[("/Config/Image", None)]);
    let _rule = bench.wire.rewrite("poison", route("/info"), values, None);
    let (mut daemon, mut engine) = bench.connect().await;
    for _ in 0..2 {
        daemon.send(&get(target)).await;
        engine.expect(&get(target)).await;
        engine.send(answer.as_bytes()).await;
        daemon.expect(answer.as_bytes()).await;
    }
    assert_eq!(bench.faults(), Vec::<String>::new());
    bench.close().await;
}

// A body that ends with the connection has no length to correct and no chunks: it passes, and ends.
#[tokio::test]
async fn a_body_that_ends_with_the_connection_passes_as_it_is() {
    let bench = Bench::start().await;
    let values = rewrite(Part::Body, &[("/Config", None)]);
    let _rule = bench.wire.rewrite("poison", route("/info"), values, None);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    let answer = format!("HTTP/1.0 200 OK\r\n\r\n{BODY}");
    engine.send(answer.as_bytes()).await;
    drop(engine);
    assert_eq!(daemon.rest().await, answer);
    assert_eq!(bench.faults(), Vec::<String>::new());
    bench.close().await;
}

// Only the frame that fits is changed; it keeps the separator and the newline between which it was.
#[tokio::test]
async fn a_frame_is_rewritten_between_two_that_are_not() {
    let bench = Bench::start().await;
    let starts =
        Matcher { frame: [("/Action".to_owned(), json!("start"))].into(), ..route("/events") };
    let values = rewrite(Part::Frame, &[("/id", Some(json!("b"))), ("/x", None)]);
    let _rule = bench.wire.rewrite("other", starts, values, None);
    let (mut daemon, mut engine) = bench.stream().await;
    let (first, last) = (chunk("{\"Action\": \"create\"}\n"), chunk("{\"Action\": \"die\"}\n"));
    engine.send(&first).await;
    daemon.expect(&first).await;
    engine.send(&chunk("\x1e{\"Action\": \"start\", \"id\": \"a\", \"x\": 1}\n")).await;
    daemon.expect(&chunk("\x1e{\"Action\":\"start\",\"id\":\"b\"}\n")).await;
    engine.send(&last).await;
    daemon.expect(&last).await;
    assert_eq!(bench.faults(), ["rewrote `/id`, `/x`"]);
    assert_eq!(bench.frames()[1], json!({"Action": "start", "id": "b"}), "what the daemon sees");
    bench.close().await;
}
