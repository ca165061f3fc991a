use racetrap_wire::{Matcher, Phase, Point, What};
use rstest::rstest;

use crate::testbed::{LIMIT, OK, Testbed, get, route};
use crate::transport::Transport;

async fn phase_of_request(testbed: &Testbed, target: &str) -> Phase {
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get(target)).await;
    upstream.expect(&get(target)).await;
    let event = testbed
        .wait_for_event(target, |w| matches!(w, What::Request { target: t, .. } if t == target));
    let What::Request { phase, .. } = event.await.what else {
        panic!("the event must be a request")
    };
    phase
}

// The client has the head of the stream before it sends the next request, so the phase of this
// request is certain.
#[rstest]
#[tokio::test]
async fn phases_follow_the_event_streams(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    assert_eq!(phase_of_request(&testbed, "/info?1").await, Phase::Bootstrap);
    let (client, upstream) = testbed.event_stream().await;
    let (client_2, mut upstream_2) = testbed.event_stream().await;
    assert_eq!(phase_of_request(&testbed, "/info?2").await, Phase::Steady);
    assert_eq!(testbed.wire.status().event_streams, 2);
    drop(upstream);
    testbed.wait_for_event("lost", |what| matches!(what, What::UpstreamLost { .. })).await;
    assert_eq!(phase_of_request(&testbed, "/info?3").await, Phase::Steady, "one stream is open");
    drop((client, client_2));
    upstream_2.expect_end().await;
    assert_eq!(phase_of_request(&testbed, "/info?4").await, Phase::Reconnect);
    testbed.wire.reset_phase();
    assert_eq!(phase_of_request(&testbed, "/info?5").await, Phase::Bootstrap);
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_gate_for_a_phase_holds_no_message_of_an_earlier_phase(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let steady = Matcher { phase: Some(Phase::Steady), ..route("/info") };
    let gate = testbed.wire.hold("steady", steady, Point::Request);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    upstream.send(OK).await;
    client.expect(OK).await;
    let _stream = testbed.event_stream().await;
    client.send(&get("/info")).await;
    gate.reached(LIMIT).await.unwrap();
    upstream.expect_nothing();
    testbed.close().await;
    drop(gate);
}

// An error response to `/events` opens no stream.
#[rstest]
#[tokio::test]
async fn a_failed_event_request_does_not_change_the_phase(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/events")).await;
    upstream.expect(&get("/events")).await;
    let refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno";
    upstream.send(refusal).await;
    client.expect(refusal).await;
    assert_eq!(testbed.wire.status().phase, Phase::Bootstrap);
    testbed.close().await;
}
