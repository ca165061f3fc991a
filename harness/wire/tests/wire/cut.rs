use racetrap_wire::{Streams, What};
use rstest::rstest;

use crate::bench::{Bench, OK, get};
use crate::carrier::Carrier;

// Two streams and one ordinary exchange: only the streams end, on both sides.
#[rstest]
#[tokio::test]
async fn a_cut_of_event_streams_leaves_the_others(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let mut streams = [bench.stream().await, bench.stream().await];
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    assert_eq!(bench.wire.cut(Streams::Events), 2);
    for (daemon, engine) in &mut streams {
        daemon.expect_end().await;
        engine.expect_end().await;
    }
    engine.send(OK).await;
    daemon.expect(OK).await;
    assert_eq!(bench.wire.cut(Streams::Events), 0);
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_cut_of_all_ends_what_is_in_the_middle(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    let (mut idle, mut idle_engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    assert_eq!(bench.wire.cut(Streams::All), 2);
    for peer in [&mut daemon, &mut engine, &mut idle, &mut idle_engine] {
        peer.expect_end().await;
    }
    bench.told("cut", |what| *what == What::Cut).await;
    // The wire itself is as it was.
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    bench.close().await;
}
