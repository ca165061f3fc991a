use racetrap_wire::Matcher;
use rstest::rstest;
use serde_json::json;

use crate::bench::{Bench, STREAM, chunk, get, route};

const CREATE: &str = "{\"Action\":\"create\"}\n";
const UNTAG: &str = "{\"Action\":\"untag\"}\n";
const DIE: &str = "{\"Action\":\"die\"}\n";

fn untags() -> Matcher {
    Matcher { frame: [("/Action".to_owned(), json!("untag"))].into(), ..route("/events") }
}

// The engine has sent three frames and the daemon reads the first and the last: had the second one
// arrived, it would stand between them. Each way of framing ends the same.
#[rstest]
#[case::a_chunk_each([chunk(CREATE), chunk(UNTAG), chunk(DIE)].concat())]
#[case::one_chunk(chunk(&[CREATE, UNTAG, DIE].concat()))]
#[case::across_chunks([
    chunk("{\"Action\":\"create\"}\n{\"Act"), chunk("ion\":\"untag"), chunk("\"}\n{\"Action\":\"die\"}\n"),
].concat())]
#[tokio::test]
async fn a_dropped_frame_does_not_arrive_and_the_others_do(#[case] sent: Vec<u8>) {
    for cut in 0..=sent.len() {
        let bench = Bench::start().await;
        let _rule = bench.wire.drop_frame("dropped", untags(), Some(1));
        let (mut daemon, mut engine) = bench.stream().await;
        engine.send(&sent[..cut]).await;
        tokio::task::yield_now().await;
        engine.send(&sent[cut..]).await;
        engine.send(&[chunk(UNTAG), b"0\r\n\r\n".to_vec()].concat()).await;
        assert_eq!(daemon.content().await, [CREATE, DIE, UNTAG].concat(), "cut at {cut}");
        assert_eq!(bench.faults(), ["dropped the frame {\"Action\":\"untag\"}"]);
        let told: Vec<_> =
            bench.frames().into_iter().map(|frame| frame["Action"].clone()).collect();
        assert_eq!(told, ["create", "die", "untag"], "the frames that the daemon is given");
        // The connection is of use for another exchange.
        daemon.send(&get("/info")).await;
        engine.expect(&get("/info")).await;
        bench.close().await;
    }
}

// The chunk's size has arrived with the first frame, and nothing comes that could fill it up: the
// stream still ends well.
#[tokio::test]
async fn a_stream_that_ends_behind_a_dropped_frame_ends_well() {
    let bench = Bench::start().await;
    let _rule = bench.wire.drop_frame("dropped", untags(), None);
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(&[chunk(&[CREATE, UNTAG].concat()), b"0\r\n\r\n".to_vec()].concat()).await;
    let content = daemon.content().await;
    assert_eq!(content.trim_end_matches('\n'), CREATE.trim_end());
    bench.close().await;
}

#[tokio::test]
async fn a_frame_is_dropped_from_a_stream_that_ends_with_the_connection() {
    let bench = Bench::start().await;
    let _rule = bench.wire.drop_frame("dropped", untags(), None);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/events")).await;
    engine.expect(&get("/events")).await;
    let head = "HTTP/1.0 200 OK\r\n\r\n";
    engine.send([head, CREATE, UNTAG, DIE].concat().as_bytes()).await;
    drop(engine);
    assert_eq!(daemon.rest().await, [head, CREATE, DIE].concat());
    bench.close().await;
}

// The head has promised so many bytes: with one frame less the daemon would wait for ever.
#[tokio::test]
async fn nothing_is_dropped_where_the_length_is_promised() {
    let bench = Bench::start().await;
    let _rule = bench.wire.drop_frame("dropped", untags(), None);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/events")).await;
    engine.expect(&get("/events")).await;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{UNTAG}", UNTAG.len());
    engine.send(answer.as_bytes()).await;
    daemon.expect(answer.as_bytes()).await;
    assert_eq!(bench.faults(), Vec::<String>::new());
    bench.close().await;
}

// A frame that was not whole when the engine went is a frame all the same.
#[tokio::test]
async fn a_stream_that_breaks_off_is_no_end() {
    let bench = Bench::start().await;
    let _rule = bench.wire.drop_frame("dropped", untags(), None);
    let (mut daemon, mut engine) = bench.stream().await;
    engine.send(&[chunk(UNTAG), chunk(CREATE), chunk("{\"half")].concat()).await;
    drop(engine);
    let rest = daemon.rest().await;
    assert_eq!(rest.as_bytes(), [chunk(CREATE), chunk("{\"half")].concat(), "and no last chunk");
    bench.close().await;
}

// A rule that fits nothing leaves the bytes alone.
#[tokio::test]
async fn a_stream_without_such_a_frame_passes_unchanged() {
    let bench = Bench::start().await;
    let _rule = bench.wire.drop_frame("dropped", untags(), None);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/events")).await;
    engine.expect(&get("/events")).await;
    let sent = [STREAM, &chunk(&[CREATE, DIE].concat()), b"0\r\nT: u\r\n\r\n"].concat();
    engine.send(&sent).await;
    daemon.expect(&sent).await;
    bench.close().await;
}

// Two frames and a half, and nothing that fits: the engine's end changes no byte of them.
#[tokio::test]
async fn a_stream_that_breaks_off_without_such_a_frame_passes_unchanged() {
    let bench = Bench::start().await;
    let _rule = bench.wire.drop_frame("dropped", untags(), None);
    let (mut daemon, mut engine) = bench.stream().await;
    let sent = [chunk(CREATE), chunk(DIE), chunk("{\"h")].concat();
    engine.send(&sent).await;
    daemon.expect(&[chunk(CREATE), chunk(DIE)].concat()).await;
    drop(engine);
    assert_eq!(daemon.rest().await.as_bytes(), chunk("{\"h"));
    bench.close().await;
}
