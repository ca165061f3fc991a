use racetrap_wire::{Matcher, What};
use rstest::rstest;

use crate::bench::{Bench, OK, get, route};
use crate::carrier::Carrier;

const START: &[u8] = b"POST /v1.51/containers/a/start HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";

fn answered(status: u16) -> Vec<u8> {
    let body = "{\"message\":\"answered by the wire: fail\"}";
    format!(
        "HTTP/1.1 {status} Answered\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

// Twice the wire answers, then the engine does, on one connection: the bodies of the answered
// requests must be gone, and the engine must see only the third.
#[rstest]
#[tokio::test]
async fn so_many_requests_are_answered_and_the_engine_sees_none_of_them(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let _rule = bench.wire.answer("fail", route("/containers/{id}/start"), 500, Some(2));
    let (mut daemon, mut engine) = bench.connect().await;
    for _ in 0..2 {
        daemon.send(START).await;
        daemon.expect(&answered(500)).await;
        engine.expect_nothing();
    }
    daemon.send(START).await;
    engine.expect(START).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    let fault = What::Faulted { rule: "fail".to_owned(), fault: "answered with 500".to_owned() };
    assert_eq!(bench.all_told().iter().filter(|what| **what == fault).count(), 2);
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_dropped_rule_answers_nothing_any_more(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let rule = bench.wire.answer("fail", Matcher::default(), 503, None);
    let (mut daemon, mut engine) = bench.connect().await;
    for _ in 0..3 {
        daemon.send(&get("/info")).await;
        daemon.expect(&answered(503)).await;
    }
    rule.release();
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn the_first_request_passes_where_the_second_is_meant(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let second = Matcher { nth: Some(2), ..Matcher::default() };
    let _rule = bench.wire.answer("fail", second, 404, Some(1));
    let (mut daemon, mut engine) = bench.connect().await;
    for status in [None, Some(404), None] {
        daemon.send(&get("/info")).await;
        if let Some(status) = status {
            daemon.expect(&answered(status)).await;
        } else {
            engine.expect(&get("/info")).await;
            engine.send(OK).await;
            daemon.expect(OK).await;
        }
    }
    bench.close().await;
}

// A body behind such a head would be taken for the next response: what follows would not fit.
#[rstest]
#[case::head("HEAD", 500)]
#[case::no_content("POST", 204)]
#[case::not_modified("POST", 304)]
#[tokio::test]
async fn an_answer_has_no_body_where_http_has_none(
    #[case] method: &str,
    #[case] status: u16,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let _rule = bench.wire.answer("fail", Matcher::default(), status, Some(1));
    let (mut daemon, mut engine) = bench.connect().await;
    let request = format!("{method} /containers/a/start HTTP/1.1\r\n\r\n");
    daemon.send(request.as_bytes()).await;
    let whole = answered(status);
    let end = whole.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    if method == "HEAD" {
        daemon.expect(&whole[..end]).await;
    } else {
        daemon.expect(format!("HTTP/1.1 {status} Answered\r\n\r\n").as_bytes()).await;
    }
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    bench.close().await;
}

// Nobody tells the daemon to go on, so that its body never comes: the answer may not wait for it.
#[rstest]
#[tokio::test]
async fn who_waits_to_be_told_to_go_on_is_answered_at_once(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let _rule = bench.wire.answer("fail", Matcher::default(), 500, None);
    let (mut daemon, _engine) = bench.connect().await;
    let head = b"POST /images/load HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    daemon.send(head).await;
    daemon.expect(&answered(500)).await;
    daemon.expect_end().await;
    bench.close().await;
}
