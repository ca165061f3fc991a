use std::num::NonZeroUsize;
use std::time::Duration;

use racetrap_wire::Pieces;
use tokio::time::Instant;

use crate::bench::{Bench, OK, chunk, get, route};

const LONG: Duration = Duration::from_secs(3600);

fn pieces(bytes: usize, every: Duration) -> Pieces {
    Pieces { bytes: NonZeroUsize::new(bytes).expect("a test asks for some bytes"), every }
}

fn answer(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

// Of five pieces the first comes at once, and each of the others a whole pace after the one before. The
// machine can only be slower than that, so that the bound holds from below.
#[tokio::test]
async fn a_body_comes_in_pieces_no_faster_than_it_may() {
    let bench = Bench::start().await;
    let every = Duration::from_millis(20);
    let _rule = bench.wire.slow("slow", route("/info"), pieces(3, every), Some(1));
    let (mut daemon, mut engine) = bench.connect().await;
    let answer = answer("abcdefghijklmn");
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    let began = Instant::now();
    engine.send(&answer).await;
    daemon.expect(&answer).await;
    assert!(began.elapsed() >= 4 * every, "it took {:?}", began.elapsed());
    assert_eq!(bench.faults(), ["passes 3 bytes on each 20ms"]);
    bench.close().await;
}

// The pace is so slow that the second piece cannot come by itself: the end of the rule brings it, and
// until then the first one is all that there is.
#[tokio::test]
async fn the_rest_comes_at_once_when_the_rule_ends() {
    let bench = Bench::start().await;
    let rule = bench.wire.slow("slow", route("/info"), pieces(2, LONG), None);
    let (mut daemon, mut engine) = bench.connect().await;
    let answer = answer("abcdef");
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(&answer).await;
    daemon.expect(&answer[..answer.len() - 4]).await;
    daemon.expect_nothing();
    rule.release();
    daemon.expect(b"cdef").await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    bench.close().await;
}

#[tokio::test]
async fn a_stream_of_events_is_slow_too() {
    let bench = Bench::start().await;
    let rule = bench.wire.slow("slow", route("/events"), pieces(4, LONG), None);
    let (mut daemon, mut engine) = bench.stream().await;
    let frame = chunk("{\"Action\":\"start\"}\n");
    engine.send(&frame).await;
    daemon.expect(&frame[..4]).await;
    daemon.expect_nothing();
    rule.release();
    daemon.expect(&frame[4..]).await;
    bench.close().await;
}
