//! Messages go through as they are, whatever their form.

use rstest::rstest;

use crate::scene::Scene;

const PING: &str = "GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n";
const PONG: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

/// Sends a request and its response through a fresh connection; every byte must arrive, and the
/// connection must carry another exchange exactly where `kept` says so.
async fn check(request: &[u8], response: &[u8], kept: bool) {
    let scene = Scene::set().await;
    let (mut daemon, mut engine) = scene.connect().await;
    tokio::join!(daemon.send(request), engine.expect(request));
    tokio::join!(engine.send(response), daemon.expect(response));
    if kept {
        daemon.send(PING).await;
        engine.expect(PING).await;
        engine.send(PONG).await;
        daemon.expect(PONG).await;
    } else {
        daemon.expect_end().await;
        engine.expect_end().await;
    }
    scene.end().await;
}

// A request that is forwarded in full, a response that is forwarded in full, and then a second
// exchange or the end: if the wire measured either message wrongly, the second exchange would
// be cut, stuck or mixed with the rest of the first.
#[rstest]
#[case::length(
    "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    true
)]
#[case::no_content("DELETE /a HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", true)]
#[case::not_modified(
    "GET /a HTTP/1.1\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    true
)]
#[case::head("HEAD /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", true)]
#[case::chunks(
    "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
    true
)]
#[case::unknown_fields(
    "GET /a HTTP/1.1\r\nx-Odd:  two  \r\nX-odd:\r\n\r\n",
    "HTTP/1.1 299 Odd Reason\r\nx-oDD: \t1\r\nContent-Length: 0\r\n\r\n",
    true
)]
#[case::daemon_closes(
    "GET /a HTTP/1.1\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    false
)]
#[case::engine_closes(
    "GET /a HTTP/1.1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    false
)]
#[case::http_1_0(
    "GET /a HTTP/1.0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    false
)]
#[tokio::test]
async fn an_exchange_goes_through_and_the_connection_lives_on_where_http_says(
    #[case] request: &str,
    #[case] response: &str,
    #[case] kept: bool,
) {
    check(request.as_bytes(), response.as_bytes(), kept).await;
}

// The daemon and the engine send one byte a write; what arrives must be what was sent.
#[tokio::test]
async fn messages_sent_byte_by_byte_arrive_whole() {
    let request =
        b"POST /v1.41/images/load HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n\
        5\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nSum: 1\r\n\r\n";
    let response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n";
    let scene = Scene::set().await;
    let (mut daemon, mut engine) = scene.connect().await;
    for _ in 0..2 {
        tokio::join!(daemon.send_bytewise(request), engine.expect(request));
        tokio::join!(engine.send_bytewise(response), daemon.expect(response));
    }
    scene.end().await;
}
