use racetrap_wire::Matcher;
use serde_json::json;

use crate::testbed::{Testbed, chunk, route};

const CREATE: &str = "{\"Action\":\"create\"}\n";
const DIE: &str = "{\"Action\": \"die\"}\n";

// Three frames match. Only the second arrives twice, both times with the bytes of the upstream.
#[tokio::test]
async fn one_frame_arrives_twice_and_all_others_once() {
    let testbed = Testbed::start().await;
    let dies = Matcher {
        frame: [("/Action".to_owned(), json!("die"))].into(),
        nth: Some(2),
        ..route("/events")
    };
    let _rule = testbed.wire.duplicate_frame("twice", dies, Some(1));
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(&[chunk(DIE), chunk(CREATE), chunk(DIE), chunk(DIE)].concat()).await;
    upstream.send(b"0\r\n\r\n").await;
    assert_eq!(client.read_chunked_content().await, [DIE, CREATE, DIE, DIE, DIE].concat());
    assert_eq!(testbed.faults(), ["forwarded a frame twice"]);
    assert_eq!(testbed.frames().len(), 5, "the wire reports the frame each time");
    testbed.close().await;
}
