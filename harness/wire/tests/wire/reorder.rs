use std::num::NonZeroU32;

use racetrap_wire::Matcher;
use rstest::rstest;
use serde_json::json;

use crate::testbed::{Testbed, chunk, route};
use crate::transport::Transport;

fn frame(action: &str) -> String {
    format!("{{\"Action\":\"{action}\"}}\n")
}

fn starts() -> Matcher {
    Matcher { frame: [("/Action".to_owned(), json!("start"))].into(), ..route("/events") }
}

// Compares the order in which the client reads with the order in which the upstream has sent.
#[rstest]
#[case::behind_one(1, &["create", "start", "die", "x"], &["create", "die", "start", "x"], 1)]
#[case::behind_two(2, &["start", "die", "destroy", "x"], &["die", "destroy", "start", "x"], 2)]
#[case::the_stream_ends_first(3, &["start", "die"], &["die", "start"], 1)]
#[tokio::test]
async fn a_frame_is_forwarded_behind_later_ones(
    #[case] behind: u32,
    #[case] sent: &[&str],
    #[case] expected: &[&str],
    #[case] passed: u32,
    #[values(Transport::Unix, Transport::Tls)] transport: Transport,
) {
    let testbed = Testbed::over(transport).await;
    let behind = NonZeroU32::new(behind).unwrap();
    let _rule = testbed.wire.reorder_frame("late", starts(), behind, Some(1));
    let (mut client, mut upstream) = testbed.event_stream().await;
    for action in sent {
        upstream.send(&chunk(&frame(action))).await;
    }
    upstream.send(b"0\r\n\r\n").await;
    let expected: String = expected.iter().map(|action| frame(action)).collect();
    assert_eq!(client.read_chunked_content().await, expected);
    assert_eq!(testbed.faults(), [format!("forwarded a frame behind {passed} later ones")]);
    testbed.close().await;
}

// No frame passed before it, so the order is unchanged and the wire reports no fault.
#[tokio::test]
async fn a_delayed_frame_without_later_ones_arrives_at_the_end_of_the_stream() {
    let testbed = Testbed::start().await;
    let rule = testbed.wire.reorder_frame("late", starts(), NonZeroU32::MIN, None);
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(&chunk(&frame("start"))).await;
    rule.release();
    upstream.send(b"0\r\n\r\n").await;
    assert_eq!(client.read_chunked_content().await, frame("start"));
    assert_eq!(testbed.faults(), Vec::<String>::new());
    testbed.close().await;
}

// The upstream closes in the middle of the stream. The client must still receive the delayed frame.
#[tokio::test]
async fn a_delayed_frame_is_not_lost_if_the_upstream_closes() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.reorder_frame("late", starts(), NonZeroU32::MIN, None);
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(&chunk(&frame("start"))).await;
    drop(upstream);
    assert_eq!(client.read_to_end().await.as_bytes(), chunk(&frame("start")));
    testbed.close().await;
}
