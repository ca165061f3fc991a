use racetrap_wire::{Matcher, Point, Streams, What};
use rstest::rstest;
use serde_json::json;

use crate::testbed::{LIMIT, Testbed, chunk, route};
use crate::transport::Transport;

const CREATE: &str = "{\"Type\":\"container\",\"Action\":\"create\",\"Actor\":{\"ID\":\"a\"}}\n";
const START: &str = "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"a\"}}\n";
const UNTAG: &str = "{\"Type\":\"image\",\"Action\":\"untag\",\"Actor\":{\"ID\":\"b\"}}\n";

fn starts() -> Matcher {
    Matcher { frame: [("/Action".to_owned(), json!("start"))].into(), ..route("/events") }
}

// The chunks before the held frame arrive. The frame and everything behind it arrive only after the
// release, with the bytes of the upstream. The two cases differ in how the upstream frames them.
#[rstest]
#[case::a_chunk_each(&[chunk(CREATE)], &[chunk(START), chunk(UNTAG)])]
#[case::one_write(&[chunk(CREATE)], &[[chunk(START), chunk(UNTAG)].concat()])]
#[tokio::test]
async fn a_held_frame_holds_everything_behind_it(
    #[case] before: &[Vec<u8>],
    #[case] held: &[Vec<u8>],
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let gate = testbed.wire.hold("start", starts(), Point::Frame);
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(&[before.concat(), held.concat()].concat()).await;
    client.expect(&before.concat()).await;
    gate.reached(LIMIT).await.unwrap();
    client.expect_nothing();
    let frames = |testbed: &Testbed| {
        testbed.all_events().iter().filter(|what| matches!(what, What::Frame { .. })).count()
    };
    assert_eq!(frames(&testbed), 1);
    gate.release();
    client.expect(&held.concat()).await;
    assert_eq!(frames(&testbed), 3);
    testbed.close().await;
}

// One chunk has two frames: the first arrives, the second is held.
#[rstest]
#[tokio::test]
async fn a_frame_in_the_middle_of_a_chunk_can_be_held(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let gate = testbed.wire.hold("start", starts(), Point::Frame);
    let (mut client, mut upstream) = testbed.event_stream().await;
    let both = chunk(&[CREATE, START].concat());
    upstream.send(&both).await;
    let (first, second) = both.split_at(both.len() - START.len() - 2);
    client.expect(first).await;
    gate.reached(LIMIT).await.unwrap();
    client.expect_nothing();
    gate.release();
    client.expect(second).await;
    testbed.close().await;
}

// The upstream's writes are split at every byte: the client receives the same bytes, and the wire
// reports each frame once.
#[rstest]
#[tokio::test]
async fn a_stream_is_forwarded_unchanged_wherever_it_is_split(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.event_stream().await;
    let both = [chunk(CREATE), chunk("\n"), chunk(START)].concat();
    for cut in 0..=both.len() {
        upstream.send(&both[..cut]).await;
        tokio::task::yield_now().await;
        upstream.send(&both[cut..]).await;
        client.expect(&both).await;
    }
    let frames: Vec<_> = testbed
        .all_events()
        .into_iter()
        .filter_map(|what| if let What::Frame { json } = what { Some(json) } else { None })
        .collect();
    assert_eq!(frames.len(), 2 * (both.len() + 1));
    for pair in frames.chunks(2) {
        assert_eq!((&pair[0]["Action"], &pair[1]["Action"]), (&json!("create"), &json!("start")));
    }
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_frame_that_is_not_json_is_forwarded_and_reported_as_text(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(&chunk("{\"Type\":\n")).await;
    client.expect(&chunk("{\"Type\":\n")).await;
    testbed
        .wait_for_event("frame", |what| *what == What::Frame { json: json!("{\"Type\":") })
        .await;
    testbed.close().await;
}

// The client receives the incomplete last frame, and the end of the stream with its trailer.
#[rstest]
#[case::ended(&b"0\r\nX: y\r\n\r\n"[..])]
#[case::lost(&b""[..])]
#[tokio::test]
async fn the_end_of_a_stream_is_forwarded_with_an_incomplete_frame(
    #[case] end: &[u8],
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let (mut client, mut upstream) = testbed.event_stream().await;
    let last = [&chunk("{\"half")[..], end].concat();
    upstream.send(&last).await;
    drop(upstream);
    assert_eq!(client.read_to_end().await.as_bytes(), last);
    testbed.wait_for_event("frame", |what| *what == What::Frame { json: json!("{\"half") }).await;
    testbed.close().await;
}

#[rstest]
#[tokio::test]
async fn a_cut_abandons_a_held_frame(
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let gate = testbed.wire.hold("start", starts(), Point::Frame);
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(&chunk(START)).await;
    gate.reached(LIMIT).await.unwrap();
    assert_eq!((testbed.wire.status().held, testbed.wire.status().event_streams), (1, 1));
    assert_eq!(testbed.wire.cut(Streams::Events), 1);
    client.expect_end().await;
    testbed.wait_for_event("closed", |what| *what == What::Closed).await;
    let events = testbed.all_events();
    let end = [What::Abandoned { gate: "start".to_owned() }, What::Cut, What::Closed];
    assert_eq!(events[events.len() - 3..], end);
    assert!(!events.iter().any(|what| matches!(what, What::Frame { .. })), "{events:#?}");
    testbed.close().await;
}
