use racetrap_wire::Matcher;
use serde_json::json;

use crate::bench::{Bench, chunk, route};

const CREATE: &str = "{\"Action\":\"create\"}\n";
const DIE: &str = "{\"Action\": \"die\"}\n";

// Only the second of three frames that fit comes twice, each time with the engine's own bytes.
#[tokio::test]
async fn one_frame_arrives_twice_and_all_others_once() {
    let bench = Bench::start().await;
    let dies = Matcher {
        frame: [("/Action".to_owned(), json!("die"))].into(),
        nth: Some(2),
        ..route("/events")
    };
    let _rule = bench.wire.duplicate_frame("twice", dies, Some(1));
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(&[chunk(DIE), chunk(CREATE), chunk(DIE), chunk(DIE)].concat()).await;
    engine.send(b"0\r\n\r\n").await;
    assert_eq!(daemon.content().await, [DIE, CREATE, DIE, DIE, DIE].concat());
    assert_eq!(bench.faults(), ["passed a frame on twice"]);
    assert_eq!(bench.frames().len(), 5, "each time is told");
    bench.close().await;
}
