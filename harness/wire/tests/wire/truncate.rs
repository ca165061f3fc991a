use racetrap_wire::Matcher;
use rstest::rstest;

use crate::testbed::{Testbed, chunk, get, route};
use crate::transport::Transport;

fn length(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn chunked(body: &str) -> Vec<u8> {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = if body.is_empty() { Vec::new() } else { chunk(body) };
    [&head[..], &chunk, b"0\r\n\r\n"].concat()
}

// The client reads the beginning of the JSON in a message that is complete: otherwise the second
// exchange on the same connection, which is not truncated, would be misread.
#[rstest]
#[case::length(length, 7, "{\"Id\":\"")]
#[case::chunked(chunked, 7, "{\"Id\":\"")]
#[case::whole_body(length, 0, "")]
#[case::whole_chunked_body(chunked, 0, "")]
#[tokio::test]
async fn a_body_is_truncated_and_its_connection_stays_usable(
    #[case] framed: fn(&str) -> Vec<u8>,
    #[case] bytes: usize,
    #[case] truncated: &str,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let _rule = testbed.wire.truncate("cut", route("/images/{id}/json"), bytes, Some(1));
    let (mut client, mut upstream) = testbed.connect().await;
    let whole = "{\"Id\":\"sha256:ab\"}";
    for expected in [truncated, whole] {
        client.send(&get("/images/a/json")).await;
        upstream.expect(&get("/images/a/json")).await;
        upstream.send(&framed(whole)).await;
        client.expect(&framed(expected)).await;
    }
    assert_eq!(testbed.faults(), [format!("cut the body from {} to {bytes} bytes", whole.len())]);
    testbed.close().await;
}

#[tokio::test]
async fn a_body_that_is_not_longer_is_forwarded_unchanged() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.truncate("cut", Matcher::default(), 4, None);
    let (mut client, mut upstream) = testbed.connect().await;
    for answer in [length("four"), chunked("four"), b"HTTP/1.1 204 None\r\n\r\n".to_vec()] {
        client.send(&get("/info")).await;
        upstream.expect(&get("/info")).await;
        upstream.send(&answer).await;
        client.expect(&answer).await;
    }
    assert_eq!(testbed.faults(), Vec::<String>::new());
    testbed.close().await;
}
