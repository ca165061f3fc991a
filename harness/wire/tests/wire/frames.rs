use racetrap_wire::{Matcher, Point, Streams, What};
use rstest::rstest;
use serde_json::json;

use crate::bench::{Bench, LIMIT, chunk, route};
use crate::carrier::Carrier;

const CREATE: &str = "{\"Type\":\"container\",\"Action\":\"create\",\"Actor\":{\"ID\":\"a\"}}\n";
const START: &str = "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"a\"}}\n";
const UNTAG: &str = "{\"Type\":\"image\",\"Action\":\"untag\",\"Actor\":{\"ID\":\"b\"}}\n";

fn starts() -> Matcher {
    Matcher { frame: [("/Action".to_owned(), json!("start"))].into(), ..route("/events") }
}

// What is before the frame arrives, whole chunks of it; the frame and all behind it do not, until
// the release; then the bytes are those of the engine. In both cases the engine's framing differs.
#[rstest]
#[case::a_chunk_each(&[chunk(CREATE)], &[chunk(START), chunk(UNTAG)])]
#[case::one_write(&[chunk(CREATE)], &[[chunk(START), chunk(UNTAG)].concat()])]
#[tokio::test]
async fn a_held_frame_keeps_what_is_behind_it(
    #[case] before: &[Vec<u8>],
    #[case] held: &[Vec<u8>],
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let gate = bench.wire.hold("start", starts(), Point::Frame);
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(&[before.concat(), held.concat()].concat()).await;
    daemon.expect(&before.concat()).await;
    gate.reached(LIMIT).await.unwrap();
    daemon.expect_nothing();
    let frames = |bench: &Bench| {
        bench.all_told().iter().filter(|what| matches!(what, What::Frame { .. })).count()
    };
    assert_eq!(frames(&bench), 1);
    gate.release();
    daemon.expect(&held.concat()).await;
    assert_eq!(frames(&bench), 3);
    bench.close().await;
}

// Two frames in one chunk: the first one arrives, and what is kept begins with the second.
#[rstest]
#[tokio::test]
async fn a_frame_in_the_middle_of_a_chunk_can_be_held(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let gate = bench.wire.hold("start", starts(), Point::Frame);
    let (mut daemon, mut engine) = bench.stream().await;
    let both = chunk(&[CREATE, START].concat());
    engine.send(&both).await;
    let (first, second) = both.split_at(both.len() - START.len() - 2);
    daemon.expect(first).await;
    gate.reached(LIMIT).await.unwrap();
    daemon.expect_nothing();
    gate.release();
    daemon.expect(second).await;
    bench.close().await;
}

// Cut at every byte on its way from the engine, the stream is the same; and each frame is told once.
#[rstest]
#[tokio::test]
async fn a_stream_passes_unchanged_wherever_it_is_cut(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.stream().await;
    let both = [chunk(CREATE), chunk("\n"), chunk(START)].concat();
    for cut in 0..=both.len() {
        engine.send(&both[..cut]).await;
        tokio::task::yield_now().await;
        engine.send(&both[cut..]).await;
        daemon.expect(&both).await;
    }
    let frames: Vec<_> = bench
        .all_told()
        .into_iter()
        .filter_map(|what| if let What::Frame { json } = what { Some(json) } else { None })
        .collect();
    assert_eq!(frames.len(), 2 * (both.len() + 1));
    for pair in frames.chunks(2) {
        assert_eq!((&pair[0]["Action"], &pair[1]["Action"]), (&json!("create"), &json!("start")));
    }
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_frame_that_is_no_json_passes_and_is_told_as_text(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(&chunk("{\"Type\":\n")).await;
    daemon.expect(&chunk("{\"Type\":\n")).await;
    bench.told("frame", |what| *what == What::Frame { json: json!("{\"Type\":") }).await;
    bench.close().await;
}

// A frame that the engine did not finish is not lost, and neither is the end of the stream.
#[rstest]
#[case::ended(&b"0\r\nX: y\r\n\r\n"[..])]
#[case::lost(&b""[..])]
#[tokio::test]
async fn the_end_of_a_stream_passes_with_what_was_before_it(
    #[case] end: &[u8],
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.stream().await;
    let last = [&chunk("{\"half")[..], end].concat();
    engine.send(&last).await;
    drop(engine);
    assert_eq!(daemon.rest().await.as_bytes(), last);
    bench.told("frame", |what| *what == What::Frame { json: json!("{\"half") }).await;
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_cut_gives_up_a_held_frame(#[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier) {
    let bench = Bench::over(carrier).await;
    let gate = bench.wire.hold("start", starts(), Point::Frame);
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(&chunk(START)).await;
    gate.reached(LIMIT).await.unwrap();
    assert_eq!((bench.wire.status().held, bench.wire.status().event_streams), (1, 1));
    assert_eq!(bench.wire.cut(Streams::Events), 1);
    daemon.expect_end().await;
    bench.told("closed", |what| *what == What::Closed).await;
    let told = bench.all_told();
    let end = [What::Abandoned { gate: "start".to_owned() }, What::Cut, What::Closed];
    assert_eq!(told[told.len() - 3..], end);
    assert!(!told.iter().any(|what| matches!(what, What::Frame { .. })), "{told:#?}");
    bench.close().await;
}
