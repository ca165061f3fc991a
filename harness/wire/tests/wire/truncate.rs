use racetrap_wire::Matcher;
use rstest::rstest;

use crate::bench::{Bench, chunk, get, route};
use crate::carrier::Carrier;

fn length(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn chunked(body: &str) -> Vec<u8> {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = if body.is_empty() { Vec::new() } else { chunk(body) };
    [&head[..], &chunk, b"0\r\n\r\n"].concat()
}

// The daemon reads half of a JSON text in a message that is whole, since the second exchange on the
// same connection fits; that one is no longer cut.
#[rstest]
#[case::length(length, 7, "{\"Id\":\"")]
#[case::chunked(chunked, 7, "{\"Id\":\"")]
#[case::all_of_it(length, 0, "")]
#[case::all_chunks(chunked, 0, "")]
#[tokio::test]
async fn a_body_is_cut_off_and_its_connection_is_of_use(
    #[case] framed: fn(&str) -> Vec<u8>,
    #[case] bytes: usize,
    #[case] cut: &str,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let _rule = bench.wire.truncate("cut", route("/images/{id}/json"), bytes, Some(1));
    let (mut daemon, mut engine) = bench.connect().await;
    let whole = "{\"Id\":\"sha256:ab\"}";
    for expected in [cut, whole] {
        daemon.send(&get("/images/a/json")).await;
        engine.expect(&get("/images/a/json")).await;
        engine.send(&framed(whole)).await;
        daemon.expect(&framed(expected)).await;
    }
    assert_eq!(bench.faults(), [format!("cut the body from {} to {bytes} bytes", whole.len())]);
    bench.close().await;
}

#[tokio::test]
async fn a_body_that_is_no_longer_passes_as_it_is() {
    let bench = Bench::start().await;
    let _rule = bench.wire.truncate("cut", Matcher::default(), 4, None);
    let (mut daemon, mut engine) = bench.connect().await;
    for answer in [length("four"), chunked("four"), b"HTTP/1.1 204 None\r\n\r\n".to_vec()] {
        daemon.send(&get("/info")).await;
        engine.expect(&get("/info")).await;
        engine.send(&answer).await;
        daemon.expect(&answer).await;
    }
    assert_eq!(bench.faults(), Vec::<String>::new());
    bench.close().await;
}
