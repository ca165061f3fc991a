use crate::testbed::{OK, STREAM, TAPPED, Testbed, chunk, get, route};

const LOGS: &str = "/v1.51/containers/a/logs?follow=1";

// The body is sent in two parts, split at every byte. The tap must receive its content, without sizes
// of chunks and without the trailer, and nothing of other routes.
#[tokio::test]
async fn a_tap_receives_the_content_of_its_route_wherever_it_is_split() {
    let testbed = Testbed::start().await;
    let (mut client, mut upstream) = testbed.connect().await;
    let body = [&chunk("abc")[..], &chunk("d\r\n"), b"0\r\nT: u\r\n\r\n"].concat();
    let response = [STREAM, &body].concat();
    for cut in 0..=response.len() {
        client.send(&get("/info")).await;
        upstream.expect(&get("/info")).await;
        upstream.send(OK).await;
        client.expect(OK).await;
        client.send(&get(LOGS)).await;
        upstream.expect(&get(LOGS)).await;
        upstream.send(&response[..cut]).await;
        // The task of the wire runs on this thread, and reads the first part now.
        tokio::task::yield_now().await;
        upstream.send(&response[cut..]).await;
        client.expect(&response).await;
    }
    let tapped = testbed.tapped();
    assert_eq!(tapped.len(), response.len() + 1);
    for (at, (exchange, content)) in tapped.into_iter().enumerate() {
        // Each second exchange is about a log.
        assert_eq!((exchange, content.as_str()), (2 * at as u64 + 2, "abcd\r\n"));
    }
    testbed.close().await;
}

// As soon as the client has a part of a body that goes on, the tap has it.
#[tokio::test]
async fn a_tap_has_what_the_client_has() {
    let testbed = Testbed::start().await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get(LOGS)).await;
    upstream.expect(&get(LOGS)).await;
    for (part, content) in [([STREAM, &chunk("a")].concat(), "a"), (chunk("b"), "ab")] {
        upstream.send(&part).await;
        client.expect(&part).await;
        assert_eq!(testbed.tapped(), [(1, content.to_owned())]);
    }
    testbed.close().await;
}

// The upstream has sent nothing, and the client receives something all the same.
#[tokio::test]
async fn a_tap_receives_what_the_wire_answers_itself() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.answer("fail", route(TAPPED), 500, Some(1));
    let (mut client, _upstream) = testbed.connect().await;
    client.send(&get(LOGS)).await;
    client.expect(b"HTTP/1.1 500 Answered\r\n").await;
    assert_eq!(testbed.tapped(), [(1, "{\"message\":\"answered by the wire: fail\"}".to_owned())]);
    testbed.close().await;
}
