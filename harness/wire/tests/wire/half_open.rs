use racetrap_wire::{Matcher, Passes, What};
use rstest::rstest;
use serde_json::json;

use crate::bench::{Bench, OK, chunk, get, route};
use crate::carrier::Carrier;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n";

// After the bytes that pass nothing comes, although the engine has sent all and has even gone; it ends
// with the rule, and not before.
#[rstest]
#[case::head(0, "")]
#[case::some(4, "abcd")]
#[tokio::test]
async fn a_body_stops_in_the_middle_and_its_connection_stays(
    #[case] bytes: u64,
    #[case] passing: &str,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let rule = bench.wire.half_open("half", route("/info"), Passes::Bytes(bytes), None);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(format!("{HEAD}abcdef").as_bytes()).await;
    drop(engine);
    let fault = format!("passed on {bytes} bytes of the body, and nothing more");
    bench.told("half-open", |what| is_fault(what, &fault)).await;
    daemon.expect(format!("{HEAD}{passing}").as_bytes()).await;
    // The engine's end must not be seen either: whoever is on this wire has its turn before.
    let (mut other, mut other_engine) = bench.connect().await;
    other.send(&get("/version")).await;
    other_engine.expect(&get("/version")).await;
    daemon.expect_nothing();
    rule.release();
    daemon.expect_end().await;
    bench.close().await;
}

fn is_fault(what: &What, wanted: &str) -> bool {
    matches!(what, What::Faulted { fault, .. } if fault == wanted)
}

// The body is no longer than what passes: nothing is left to keep back, and nothing has happened.
#[tokio::test]
async fn a_body_that_is_no_longer_passes_and_the_connection_is_of_use() {
    let bench = Bench::start().await;
    let _rule = bench.wire.half_open("half", route("/info"), Passes::Bytes(2), None);
    let (mut daemon, mut engine) = bench.connect().await;
    for _ in 0..2 {
        daemon.send(&get("/info")).await;
        engine.expect(&get("/info")).await;
        engine.send(OK).await;
        daemon.expect(OK).await;
    }
    assert_eq!(bench.faults(), Vec::<String>::new());
    bench.close().await;
}

// Two frames fit and pass, the second one as the last; what the engine sends then does not arrive.
#[tokio::test]
async fn a_stream_stops_behind_the_nth_frame() {
    let bench = Bench::start().await;
    let second = Matcher {
        frame: [("/Action".to_owned(), json!("start"))].into(),
        nth: Some(2),
        ..route("/events")
    };
    let rule = bench.wire.half_open("half", second, Passes::Frame, None);
    let (mut daemon, mut engine) = bench.stream().await;
    let start = chunk("{\"Action\":\"start\"}\n");
    engine.send(&[&start[..], &start, &start].concat()).await;
    let fault = "passed on this frame, and nothing more";
    bench.told("half-open", |what| is_fault(what, fault)).await;
    daemon.expect(&[&start[..], &start].concat()).await;
    engine.send(&start).await;
    daemon.expect_nothing();
    assert_eq!(bench.frames().len(), 2);
    assert_eq!(bench.wire.status().event_streams, 1);
    rule.release();
    daemon.expect_end().await;
    engine.expect_end().await;
    bench.close().await;
}

// Neither a daemon that gives up nor the wire's own end is kept by it.
#[tokio::test]
async fn a_half_open_connection_ends_with_the_daemon_and_with_the_wire() {
    let bench = Bench::start().await;
    let _rule = bench.wire.half_open("half", route("/info"), Passes::Bytes(0), None);
    let mut connections = Vec::new();
    for _ in 0..2 {
        let (mut daemon, mut engine) = bench.connect().await;
        daemon.send(&get("/info")).await;
        engine.expect(&get("/info")).await;
        engine.send(OK).await;
        daemon.expect(&OK[..OK.len() - 2]).await;
        connections.push((daemon, engine));
    }
    let (daemon, mut engine) = connections.remove(0);
    drop(daemon);
    engine.expect_end().await;
    let (mut daemon, _engine) = connections.remove(0);
    bench.close().await;
    daemon.expect_end().await;
}
