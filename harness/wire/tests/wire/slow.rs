use std::num::NonZeroUsize;
use std::time::Duration;

use racetrap_wire::Pieces;
use tokio::time::Instant;

use crate::testbed::{OK, Testbed, chunk, get, route};

const LONG: Duration = Duration::from_secs(3600);

fn pieces(bytes: usize, every: Duration) -> Pieces {
    Pieces { bytes: NonZeroUsize::new(bytes).expect("the tests ask for at least one byte"), every }
}

fn answer(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

// Of five pieces the first is sent at once, and each other one period later. A slow machine can
// only add to the time, so the lower bound holds on every machine.
#[tokio::test]
async fn a_body_is_sent_in_pieces_at_the_given_pace() {
    let testbed = Testbed::start().await;
    let every = Duration::from_millis(20);
    let _rule = testbed.wire.slow("slow", route("/info"), pieces(3, every), Some(1));
    let (mut client, mut upstream) = testbed.connect().await;
    let answer = answer("abcdefghijklmn");
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    let began = Instant::now();
    upstream.send(&answer).await;
    client.expect(&answer).await;
    assert!(began.elapsed() >= 4 * every, "it took {:?}", began.elapsed());
    assert_eq!(testbed.faults(), ["forwards 3 bytes every 20ms"]);
    testbed.close().await;
}

// The period is so long that the second piece cannot come during the test. Only the end of the rule
// sends it.
#[tokio::test]
async fn the_rest_is_sent_at_once_when_the_rule_is_released() {
    let testbed = Testbed::start().await;
    let rule = testbed.wire.slow("slow", route("/info"), pieces(2, LONG), None);
    let (mut client, mut upstream) = testbed.connect().await;
    let answer = answer("abcdef");
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(&answer).await;
    client.expect(&answer[..answer.len() - 4]).await;
    client.expect_nothing();
    rule.release();
    client.expect(b"cdef").await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    testbed.close().await;
}

#[tokio::test]
async fn an_event_stream_is_sent_in_pieces_too() {
    let testbed = Testbed::start().await;
    let rule = testbed.wire.slow("slow", route("/events"), pieces(4, LONG), None);
    let (mut client, mut upstream) = testbed.event_stream().await;
    let frame = chunk("{\"Action\":\"start\"}\n");
    upstream.send(&frame).await;
    client.expect(&frame[..4]).await;
    client.expect_nothing();
    rule.release();
    client.expect(&frame[4..]).await;
    testbed.close().await;
}
