use racetrap_wire::{Side, What};
use rstest::rstest;

use crate::testbed::{Testbed, get};
use crate::transport::Transport;

async fn wait_for_malformed(testbed: &Testbed, side: Side) {
    testbed
        .wait_for_event("malformed", |w| matches!(w, What::Malformed { side: s, .. } if *s == side))
        .await;
}

#[rstest]
#[case::garbage(b"\x16\x03\x01 no http\r\n\r\n".to_vec())]
#[case::length(b"POST / HTTP/1.1\r\nContent-Length: one\r\n\r\n".to_vec())]
#[case::smuggled(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec())]
#[case::chunk(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec())]
#[case::long(format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024)).into_bytes())]
#[case::many(format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101)).into_bytes())]
#[tokio::test]
async fn a_request_that_is_not_http_is_answered_with_400_and_not_forwarded(
    #[case] request: Vec<u8>,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&request).await;
    let answer = b"HTTP/1.1 400 Malformed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    client.expect(answer).await;
    client.expect_end().await;
    upstream.expect_end().await;
    wait_for_malformed(&testbed, Side::Client).await;
    testbed.close().await;
}

#[rstest]
#[case::garbage(b"SSH-2.0-x\r\n\r\n".to_vec())]
#[case::length(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n".to_vec())]
#[case::long(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(64 * 1024)).into_bytes())]
#[tokio::test]
async fn a_response_that_is_not_http_is_answered_with_502(
    #[case] response: Vec<u8>,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(&response).await;
    let answer = b"HTTP/1.1 502 Malformed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    client.expect(answer).await;
    client.expect_end().await;
    wait_for_malformed(&testbed, Side::Upstream).await;
    testbed.close().await;
}

// The client has a part of the response: it would take an error response behind that for content.
#[rstest]
#[case::body("/info")]
#[case::stream("/events")]
#[tokio::test]
async fn a_response_body_with_broken_framing_closes_the_connection(
    #[case] target: &str,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get(target)).await;
    upstream.expect(&get(target)).await;
    let begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n";
    upstream.send(begin).await;
    client.expect(begin).await;
    upstream.send(b"garbage\r\n").await;
    client.expect_end().await;
    wait_for_malformed(&testbed, Side::Upstream).await;
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_request_body_with_broken_framing_closes_the_connection(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    let begin = b"POST /images/load HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n";
    client.send(begin).await;
    upstream.expect(begin).await;
    client.send(b"garbage\r\n").await;
    client.expect_end().await;
    upstream.expect_end().await;
    wait_for_malformed(&testbed, Side::Client).await;
    testbed.close().await;
}
