use std::num::NonZeroU32;

use racetrap_wire::Matcher;
use rstest::rstest;
use serde_json::json;

use crate::bench::{Bench, chunk, route};
use crate::carrier::Carrier;

fn frame(action: &str) -> String {
    format!("{{\"Action\":\"{action}\"}}\n")
}

fn starts() -> Matcher {
    Matcher { frame: [("/Action".to_owned(), json!("start"))].into(), ..route("/events") }
}

// The order in which the daemon reads is compared with the one in which the engine has sent.
#[rstest]
#[case::behind_one(1, &["create", "start", "die", "x"], &["create", "die", "start", "x"], 1)]
#[case::behind_two(2, &["start", "die", "destroy", "x"], &["die", "destroy", "start", "x"], 2)]
#[case::an_end_before_its_turn(3, &["start", "die"], &["die", "start"], 1)]
#[tokio::test]
async fn a_frame_passes_behind_later_ones(
    #[case] behind: u32,
    #[case] sent: &[&str],
    #[case] expected: &[&str],
    #[case] passed: u32,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let behind = NonZeroU32::new(behind).unwrap();
    let _rule = bench.wire.reorder_frame("late", starts(), behind, Some(1));
    let (mut daemon, mut engine) = bench.stream().await;
    for action in sent {
        engine.send(&chunk(&frame(action))).await;
    }
    engine.send(b"0\r\n\r\n").await;
    let expected: String = expected.iter().map(|action| frame(action)).collect();
    assert_eq!(daemon.content().await, expected);
    assert_eq!(bench.faults(), [format!("passed a frame on behind {passed} others")]);
    bench.close().await;
}

// Nothing came behind it: its order has not changed, and nothing is told as if it had.
#[tokio::test]
async fn a_frame_with_nothing_behind_it_arrives_at_the_end_of_the_stream() {
    let bench = Bench::start().await;
    let rule = bench.wire.reorder_frame("late", starts(), NonZeroU32::MIN, None);
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(&chunk(&frame("start"))).await;
    rule.release();
    engine.send(b"0\r\n\r\n").await;
    assert_eq!(daemon.content().await, frame("start"));
    assert_eq!(bench.faults(), Vec::<String>::new());
    bench.close().await;
}

// A stream that breaks off with the engine's end still gives what was kept back.
#[tokio::test]
async fn a_frame_that_is_kept_back_is_not_lost_with_the_engine() {
    let bench = Bench::start().await;
    let _rule = bench.wire.reorder_frame("late", starts(), NonZeroU32::MIN, None);
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(&chunk(&frame("start"))).await;
    drop(engine);
    assert_eq!(daemon.rest().await.as_bytes(), chunk(&frame("start")));
    bench.close().await;
}
