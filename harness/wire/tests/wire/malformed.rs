use racetrap_wire::{Side, What};
use rstest::rstest;

use crate::bench::{Bench, get};
use crate::carrier::Carrier;

async fn told_of(bench: &Bench, side: Side) {
    bench.told("malformed", |w| matches!(w, What::Malformed { side: s, .. } if *s == side)).await;
}

#[rstest]
#[case::garbage(b"\x16\x03\x01 no http\r\n\r\n".to_vec())]
#[case::length(b"POST / HTTP/1.1\r\nContent-Length: one\r\n\r\n".to_vec())]
#[case::smuggled(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec())]
#[case::chunk(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec())]
#[case::long(format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024)).into_bytes())]
#[case::many(format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101)).into_bytes())]
#[tokio::test]
async fn a_request_that_is_no_http_is_answered_with_400_and_not_passed_on(
    #[case] request: Vec<u8>,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&request).await;
    let answer = b"HTTP/1.1 400 Malformed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    daemon.expect(answer).await;
    daemon.expect_end().await;
    engine.expect_end().await;
    told_of(&bench, Side::Daemon).await;
    bench.close().await;
}

#[rstest]
#[case::garbage(b"SSH-2.0-x\r\n\r\n".to_vec())]
#[case::length(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n".to_vec())]
#[case::long(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(64 * 1024)).into_bytes())]
#[tokio::test]
async fn a_response_that_is_no_http_becomes_a_502(
    #[case] response: Vec<u8>,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(&response).await;
    let answer = b"HTTP/1.1 502 Malformed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    daemon.expect(answer).await;
    daemon.expect_end().await;
    told_of(&bench, Side::Engine).await;
    bench.close().await;
}

// A part of the response is there: a second head in the middle of it would be a lie.
#[rstest]
#[case::body("/info")]
#[case::stream("/events")]
#[tokio::test]
async fn a_body_that_breaks_off_into_garbage_ends_the_connection(
    #[case] target: &str,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get(target)).await;
    engine.expect(&get(target)).await;
    let begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n";
    engine.send(begin).await;
    daemon.expect(begin).await;
    engine.send(b"garbage\r\n").await;
    daemon.expect_end().await;
    told_of(&bench, Side::Engine).await;
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_request_body_that_breaks_off_into_garbage_ends_the_connection(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    let begin = b"POST /images/load HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n";
    daemon.send(begin).await;
    engine.expect(begin).await;
    daemon.send(b"garbage\r\n").await;
    daemon.expect_end().await;
    engine.expect_end().await;
    told_of(&bench, Side::Daemon).await;
    bench.close().await;
}
