use racetrap_wire::{Matcher, What};
use rstest::rstest;

use crate::testbed::{OK, Testbed, get, route};
use crate::transport::Transport;

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

// On one connection the wire answers twice, then the upstream. The wire must have consumed the
// bodies of the first two requests, and the upstream must receive only the third.
#[rstest]
#[tokio::test]
async fn the_upstream_receives_no_request_that_the_wire_answers(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let _rule = testbed.wire.answer("fail", route("/containers/{id}/start"), 500, Some(2));
    let (mut client, mut upstream) = testbed.connect().await;
    for _ in 0..2 {
        client.send(START).await;
        client.expect(&answered(500)).await;
        upstream.expect_nothing();
    }
    client.send(START).await;
    upstream.expect(START).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    let fault = What::Faulted { rule: "fail".to_owned(), fault: "answered with 500".to_owned() };
    assert_eq!(testbed.all_events().iter().filter(|what| **what == fault).count(), 2);
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_released_rule_answers_no_more_requests(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let rule = testbed.wire.answer("fail", Matcher::default(), 503, None);
    let (mut client, mut upstream) = testbed.connect().await;
    for _ in 0..3 {
        client.send(&get("/info")).await;
        client.expect(&answered(503)).await;
    }
    rule.release();
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn with_nth_2_only_the_second_request_is_answered(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let second = Matcher { nth: Some(2), ..Matcher::default() };
    let _rule = testbed.wire.answer("fail", second, 404, Some(1));
    let (mut client, mut upstream) = testbed.connect().await;
    for status in [None, Some(404), None] {
        client.send(&get("/info")).await;
        if let Some(status) = status {
            client.expect(&answered(status)).await;
        } else {
            upstream.expect(&get("/info")).await;
            upstream.send(OK).await;
            client.expect(OK).await;
        }
    }
    testbed.close().await;
}

// A client takes a body behind such a head for its next response. So the next exchange on the same
// connection fails if the wire sends one.
#[rstest]
#[case::head("HEAD", 500)]
#[case::no_content("POST", 204)]
#[case::not_modified("POST", 304)]
#[tokio::test]
async fn an_answer_has_no_body_if_http_forbids_one(
    #[case] method: &str,
    #[case] status: u16,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let _rule = testbed.wire.answer("fail", Matcher::default(), status, Some(1));
    let (mut client, mut upstream) = testbed.connect().await;
    let request = format!("{method} /containers/a/start HTTP/1.1\r\n\r\n");
    client.send(request.as_bytes()).await;
    let whole = answered(status);
    let end = whole.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    if method == "HEAD" {
        client.expect(&whole[..end]).await;
    } else {
        client.expect(format!("HTTP/1.1 {status} Answered\r\n\r\n").as_bytes()).await;
    }
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    testbed.close().await;
}

// The client never receives a `100 Continue`, so it never sends its body. The answer must not wait
// for the body.
#[rstest]
#[tokio::test]
async fn a_client_that_waits_for_100_continue_is_answered_at_once(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let _rule = testbed.wire.answer("fail", Matcher::default(), 500, None);
    let (mut client, _upstream) = testbed.connect().await;
    let head = b"POST /images/load HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    client.send(head).await;
    client.expect(&answered(500)).await;
    client.expect_end().await;
    testbed.close().await;
}

// The body is the one of the rule, and not that of the dialect's errors.
#[rstest]
#[tokio::test]
async fn an_answer_has_the_body_that_its_rule_gives_it(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let body = serde_json::json!({"Volumes": null});
    let matcher = route("/volumes");
    let _rule = testbed.wire.answer_with_body("empty", matcher, (200, &body), Some(1));
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/volumes")).await;
    let expected = "HTTP/1.1 200 Answered\r\nContent-Type: application/json\r\n\
                    Content-Length: 16\r\n\r\n{\"Volumes\":null}";
    client.expect(expected.as_bytes()).await;
    upstream.expect_nothing();
    testbed.close().await;
}
