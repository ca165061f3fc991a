use racetrap_wire::What;
use rstest::rstest;

use crate::bench::Bench;
use crate::carrier::Carrier;

const ATTACH: &[u8] = b"POST /v1.51/containers/a/attach?stream=1 HTTP/1.1\r\n\
    Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
const SWITCHED: &[u8] = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const HIJACKED: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";

// After the head bytes go both ways that are no HTTP at all; then each side ends in its own time,
// and what the other one says after that must still arrive.
#[rstest]
#[case::switched(SWITCHED)]
#[case::hijacked(HIJACKED)]
#[tokio::test]
async fn a_raw_stream_goes_both_ways_and_each_side_ends_by_itself(
    #[case] head: &[u8],
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(ATTACH).await;
    engine.expect(ATTACH).await;
    engine.send(head).await;
    engine.send(b"\x01\x00\x00\x00\x00\x00\x00\x02hi").await;
    daemon.expect(&[head, b"\x01\x00\x00\x00\x00\x00\x00\x02hi"].concat()).await;
    daemon.send(b"input\r\n\r\n").await;
    engine.expect(b"input\r\n\r\n").await;
    daemon.finish().await;
    engine.expect_end().await;
    engine.send(b"after the daemon's end").await;
    daemon.expect(b"after the daemon's end").await;
    assert_eq!(bench.wire.status().in_flight, 0, "a raw stream is not in flight");
    engine.close().await;
    daemon.expect_end().await;
    bench.told("upgraded", |what| *what == What::Upgraded).await;
    bench.told("finished", |what| matches!(what, What::Finished { .. })).await;
    bench.close().await;
}

// The input is whole before the engine has agreed: `docker exec -i` in a pipe does this.
#[rstest]
#[tokio::test]
async fn an_end_of_input_before_the_upgrade_does_not_end_the_output(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(ATTACH).await;
    daemon.send(b"all input").await;
    daemon.finish().await;
    engine.expect(ATTACH).await;
    engine.send(SWITCHED).await;
    engine.expect(b"all input").await;
    engine.expect_end().await;
    engine.send(b"output").await;
    drop(engine);
    assert_eq!(daemon.rest().await, String::from_utf8_lossy(SWITCHED) + "output");
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_refused_upgrade_is_an_ordinary_response(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    for _ in 0..2 {
        daemon.send(ATTACH).await;
        engine.expect(ATTACH).await;
        let refusal = b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\nno";
        engine.send(refusal).await;
        daemon.expect(refusal).await;
    }
    bench.close().await;
}
