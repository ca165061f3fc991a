use racetrap_wire::What;
use rstest::rstest;

use crate::testbed::Testbed;
use crate::transport::Transport;

const ATTACH: &[u8] = b"POST /v1.51/containers/a/attach?stream=1 HTTP/1.1\r\n\
    Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
const SWITCHED: &[u8] = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const HIJACKED: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";

// Behind the head, bytes that are not HTTP go both ways. Then the client closes its direction, and
// what the upstream sends after that must still arrive.
#[rstest]
#[case::switched(SWITCHED)]
#[case::hijacked(HIJACKED)]
#[tokio::test]
async fn a_raw_stream_goes_both_ways_and_each_direction_closes_by_itself(
    #[case] head: &[u8],
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(ATTACH).await;
    upstream.expect(ATTACH).await;
    upstream.send(head).await;
    upstream.send(b"\x01\x00\x00\x00\x00\x00\x00\x02hi").await;
    client.expect(&[head, b"\x01\x00\x00\x00\x00\x00\x00\x02hi"].concat()).await;
    client.send(b"input\r\n\r\n").await;
    upstream.expect(b"input\r\n\r\n").await;
    client.shutdown().await;
    upstream.expect_end().await;
    upstream.send(b"after the client's close").await;
    client.expect(b"after the client's close").await;
    assert_eq!(testbed.wire.status().in_flight, 0, "a raw stream is not in flight");
    upstream.close().await;
    client.expect_end().await;
    testbed.wait_for_event("upgraded", |what| *what == What::Upgraded).await;
    testbed.wait_for_event("finished", |what| matches!(what, What::Finished { .. })).await;
    testbed.close().await;
}

// The client sends all its input and closes its direction before the upstream has switched, as
// `docker exec -i` in a pipe does.
#[rstest]
#[tokio::test]
async fn input_that_ends_before_the_upgrade_does_not_end_the_output(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(ATTACH).await;
    client.send(b"all input").await;
    client.shutdown().await;
    upstream.expect(ATTACH).await;
    upstream.send(SWITCHED).await;
    upstream.expect(b"all input").await;
    upstream.expect_end().await;
    upstream.send(b"output").await;
    drop(upstream);
    assert_eq!(client.read_to_end().await, String::from_utf8_lossy(SWITCHED) + "output");
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_refused_upgrade_is_an_ordinary_response(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.connect().await;
    for _ in 0..2 {
        client.send(ATTACH).await;
        upstream.expect(ATTACH).await;
        let refusal = b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\nno";
        upstream.send(refusal).await;
        client.expect(refusal).await;
    }
    testbed.close().await;
}
