use racetrap_wire::Matcher;
use rstest::rstest;
use serde_json::json;

use crate::testbed::{STREAM, Testbed, chunk, get, route};

const CREATE: &str = "{\"Action\":\"create\"}\n";
const UNTAG: &str = "{\"Action\":\"untag\"}\n";
const DIE: &str = "{\"Action\":\"die\"}\n";

fn untags() -> Matcher {
    Matcher { frame: [("/Action".to_owned(), json!("untag"))].into(), ..route("/events") }
}

// The upstream sends three frames, framed in three ways and split at every byte. The client must
// read the first and the last, with nothing between them.
#[rstest]
#[case::a_chunk_each([chunk(CREATE), chunk(UNTAG), chunk(DIE)].concat())]
#[case::one_chunk(chunk(&[CREATE, UNTAG, DIE].concat()))]
#[case::across_chunks([
    chunk("{\"Action\":\"create\"}\n{\"Act"), chunk("ion\":\"untag"), chunk("\"}\n{\"Action\":\"die\"}\n"),
].concat())]
#[tokio::test]
async fn only_the_dropped_frame_does_not_arrive(#[case] sent: Vec<u8>) {
    for cut in 0..=sent.len() {
        let testbed = Testbed::start().await;
        let _rule = testbed.wire.drop_frame("dropped", untags(), Some(1));
        let (mut client, mut upstream) = testbed.event_stream().await;
        upstream.send(&sent[..cut]).await;
        tokio::task::yield_now().await;
        upstream.send(&sent[cut..]).await;
        upstream.send(&[chunk(UNTAG), b"0\r\n\r\n".to_vec()].concat()).await;
        assert_eq!(
            client.read_chunked_content().await,
            [CREATE, DIE, UNTAG].concat(),
            "cut at {cut}"
        );
        assert_eq!(testbed.faults(), ["dropped the frame {\"Action\":\"untag\"}"]);
        let reported: Vec<_> =
            testbed.frames().into_iter().map(|frame| frame["Action"].clone()).collect();
        assert_eq!(
            reported,
            ["create", "die", "untag"],
            "the wire reports the frames that the client receives"
        );
        // The connection can carry another exchange.
        client.send(&get("/info")).await;
        upstream.expect(&get("/info")).await;
        testbed.close().await;
    }
}

// The client has the size of the chunk with the first frame, and the rest of the chunk is dropped.
// The client must still read a complete body.
#[tokio::test]
async fn a_stream_that_ends_with_a_dropped_frame_is_complete() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.drop_frame("dropped", untags(), None);
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(&[chunk(&[CREATE, UNTAG].concat()), b"0\r\n\r\n".to_vec()].concat()).await;
    let content = client.read_chunked_content().await;
    assert_eq!(content.trim_end_matches('\n'), CREATE.trim_end());
    testbed.close().await;
}

#[tokio::test]
async fn a_frame_is_dropped_from_a_stream_that_ends_with_the_connection() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.drop_frame("dropped", untags(), None);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/events")).await;
    upstream.expect(&get("/events")).await;
    let head = "HTTP/1.0 200 OK\r\n\r\n";
    upstream.send([head, CREATE, UNTAG, DIE].concat().as_bytes()).await;
    drop(upstream);
    assert_eq!(client.read_to_end().await, [head, CREATE, DIE].concat());
    testbed.close().await;
}

// The head has announced the length: with one frame less the client would wait for ever.
#[tokio::test]
async fn nothing_is_dropped_from_a_body_with_a_length() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.drop_frame("dropped", untags(), None);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/events")).await;
    upstream.expect(&get("/events")).await;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{UNTAG}", UNTAG.len());
    upstream.send(answer.as_bytes()).await;
    client.expect(answer.as_bytes()).await;
    assert_eq!(testbed.faults(), Vec::<String>::new());
    testbed.close().await;
}

// The upstream closes in the middle of the stream. The client receives the incomplete last frame,
// but no last chunk: it must not take the stream for complete.
#[tokio::test]
async fn a_stream_that_breaks_off_has_no_last_chunk() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.drop_frame("dropped", untags(), None);
    let (mut client, mut upstream) = testbed.event_stream().await;
    upstream.send(&[chunk(UNTAG), chunk(CREATE), chunk("{\"half")].concat()).await;
    drop(upstream);
    let rest = client.read_to_end().await;
    assert_eq!(
        rest.as_bytes(),
        [chunk(CREATE), chunk("{\"half")].concat(),
        "a last chunk would mark the stream as complete"
    );
    testbed.close().await;
}

// A rule that matches no frame must not change a byte.
#[tokio::test]
async fn a_stream_without_a_matching_frame_is_forwarded_unchanged() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.drop_frame("dropped", untags(), None);
    let (mut client, mut upstream) = testbed.connect().await;
    client.send(&get("/events")).await;
    upstream.expect(&get("/events")).await;
    let sent = [STREAM, &chunk(&[CREATE, DIE].concat()), b"0\r\nT: u\r\n\r\n"].concat();
    upstream.send(&sent).await;
    client.expect(&sent).await;
    testbed.close().await;
}

// No frame matches, and the upstream closes in the middle of the third: the client receives its
// bytes unchanged.
#[tokio::test]
async fn a_stream_that_breaks_off_without_a_matching_frame_is_forwarded_unchanged() {
    let testbed = Testbed::start().await;
    let _rule = testbed.wire.drop_frame("dropped", untags(), None);
    let (mut client, mut upstream) = testbed.event_stream().await;
    let sent = [chunk(CREATE), chunk(DIE), chunk("{\"h")].concat();
    upstream.send(&sent).await;
    client.expect(&[chunk(CREATE), chunk(DIE)].concat()).await;
    drop(upstream);
    assert_eq!(client.read_to_end().await.as_bytes(), chunk("{\"h"));
    testbed.close().await;
}
