use racetrap_wire::{Streams, What};
use rstest::rstest;

use crate::testbed::{OK, Testbed, get};
use crate::transport::Transport;

// With two event streams and one ordinary exchange, only the streams end, on both sides.
#[rstest]
#[tokio::test]
async fn a_cut_of_event_streams_leaves_other_connections_open(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let mut streams = [testbed.event_stream().await, testbed.event_stream().await];
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    assert_eq!(testbed.wire.cut(Streams::Events), 2);
    for (client, upstream) in &mut streams {
        client.expect_end().await;
        upstream.expect_end().await;
    }
    upstream.send(OK).await;
    client.expect(OK).await;
    assert_eq!(testbed.wire.cut(Streams::Events), 0);
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_cut_of_all_ends_exchanges_and_idle_connections(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    let (mut idle, mut idle_upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    assert_eq!(testbed.wire.cut(Streams::All), 2);
    for peer in [&mut client, &mut upstream, &mut idle, &mut idle_upstream] {
        peer.expect_end().await;
    }
    testbed.wait_for_event("cut", |what| *what == What::Cut).await;
    // The wire still accepts new connections.
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/info")).await;
    upstream.expect(&get("/info")).await;
    testbed.close().await;
}
