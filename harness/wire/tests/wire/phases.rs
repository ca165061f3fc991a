use racetrap_wire::{Matcher, Phase, Point, What};
use rstest::rstest;

use crate::bench::{Bench, LIMIT, OK, get, route};
use crate::carrier::Carrier;

async fn phase_of_request(bench: &Bench, target: &str) -> Phase {
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get(target)).await;
    engine.expect(&get(target)).await;
    let event = bench.told(target, |w| matches!(w, What::Request { target: t, .. } if t == target));
    let What::Request { phase, .. } = event.await.what else { panic!("asked for a request") };
    phase
}

// The stream's head has arrived at the daemon before the next request is sent, so that there is
// one right answer to each question.
#[rstest]
#[tokio::test]
async fn phases_follow_the_event_streams(#[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier) {
    let bench = Bench::over(carrier).await;
    assert_eq!(phase_of_request(&bench, "/info?1").await, Phase::Bootstrap);
    let (daemon, engine) = bench.stream().await;
    let (daemon_2, mut engine_2) = bench.stream().await;
    assert_eq!(phase_of_request(&bench, "/info?2").await, Phase::Steady);
    assert_eq!(bench.wire.status().event_streams, 2);
    drop(engine);
    bench.told("lost", |what| matches!(what, What::UpstreamLost { .. })).await;
    assert_eq!(phase_of_request(&bench, "/info?3").await, Phase::Steady, "one stream is open");
    drop((daemon, daemon_2));
    engine_2.expect_end().await;
    assert_eq!(phase_of_request(&bench, "/info?4").await, Phase::Reconnect);
    bench.wire.forget_phase();
    assert_eq!(phase_of_request(&bench, "/info?5").await, Phase::Bootstrap);
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_gate_for_a_phase_holds_nothing_before_it(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let steady = Matcher { phase: Some(Phase::Steady), ..route("/info") };
    let gate = bench.wire.hold("steady", steady, Point::Request);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    let _stream = bench.stream().await;
    daemon.send(&get("/info")).await;
    gate.reached(LIMIT).await.unwrap();
    engine.expect_nothing();
    bench.close().await;
    drop(gate);
}

// A refused subscription opens no stream.
#[rstest]
#[tokio::test]
async fn an_event_request_that_fails_changes_no_phase(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/events")).await;
    engine.expect(&get("/events")).await;
    let refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno";
    engine.send(refusal).await;
    daemon.expect(refusal).await;
    assert_eq!(bench.wire.status().phase, Phase::Bootstrap);
    bench.close().await;
}
