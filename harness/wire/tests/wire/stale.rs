use std::time::Duration;

use racetrap_wire::{Matcher, What};
use rstest::rstest;

use crate::bench::{Bench, LIMIT, OK, Peer, chunk, get, route};

const LIST: &str = "/v1.51/containers/json?all=1";

fn list(content: &str) -> Vec<u8> {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n";
    [&head[..], &chunk(content), b"0\r\nT: u\r\n\r\n"].concat()
}

async fn ask(daemon: &mut Peer, engine: &mut Peer, answer: &[u8]) {
    daemon.send(&get(LIST)).await;
    engine.expect(&get(LIST)).await;
    engine.send(answer).await;
    daemon.expect(answer).await;
}

// The engine's list has changed, and the daemon reads the one before, with the bytes of then, while the
// engine has nothing to read; the third time it is asked again.
#[tokio::test]
async fn an_earlier_answer_is_served_and_the_engine_does_not_see_the_request() {
    let bench = Bench::start().await;
    let lists = bench.wire.record("list", route("/containers/json"), Some(2));
    let (mut daemon, mut engine) = bench.connect().await;
    ask(&mut daemon, &mut engine, &list("[1]")).await;
    ask(&mut daemon, &mut engine, &list("[2]")).await;
    lists.recorded(LIMIT).await.unwrap();
    // The count of the recording is used up.
    ask(&mut daemon, &mut engine, &list("[3]")).await;
    let _rule = bench.wire.stale("stale", route("/containers/json"), &lists, Some(1));
    daemon.send(&get(LIST)).await;
    daemon.expect(&list("[2]")).await;
    engine.expect_nothing();
    ask(&mut daemon, &mut engine, &list("[4]")).await;
    assert_eq!(bench.faults(), ["answered with a recorded 200"]);
    let statuses = bench.all_told();
    let answered = statuses.iter().filter(|what| **what == What::Response { status: 200 });
    assert_eq!(answered.count(), 5, "the daemon has been answered each time");
    bench.close().await;
}

// Armed before anything is recorded, it begins with what comes first, and its count does too.
#[tokio::test]
async fn what_is_not_recorded_yet_passes_and_does_not_count() {
    let bench = Bench::start().await;
    let first = bench.wire.record("first", route("/containers/json"), Some(1));
    let _rule = bench.wire.stale("stale", route("/containers/json"), &first, Some(1));
    let (mut daemon, mut engine) = bench.connect().await;
    ask(&mut daemon, &mut engine, &list("[1]")).await;
    daemon.send(&get(LIST)).await;
    daemon.expect(&list("[1]")).await;
    ask(&mut daemon, &mut engine, &list("[2]")).await;
    bench.close().await;
}

// An answer to HEAD has no body: served to GET it would leave the daemon waiting.
#[tokio::test]
async fn an_answer_is_served_to_requests_of_its_method_only() {
    let bench = Bench::start().await;
    let pings = bench.wire.record("ping", route("/_ping"), None);
    let _rule = bench.wire.stale("stale", Matcher::default(), &pings, None);
    let (mut daemon, mut engine) = bench.connect().await;
    let (head, answer) = (b"HEAD /_ping HTTP/1.1\r\n\r\n", &OK[..OK.len() - 2]);
    daemon.send(head).await;
    engine.expect(head).await;
    engine.send(answer).await;
    daemon.expect(answer).await;
    daemon.send(head).await;
    daemon.expect(answer).await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    bench.close().await;
}

// What has no end of its own is passed on at once and never kept.
#[rstest]
#[case::events("/events", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
#[case::until_close("/info", b"HTTP/1.0 200 OK\r\n\r\nab")]
#[tokio::test]
async fn an_answer_without_an_end_is_not_recorded(#[case] target: &str, #[case] answer: &[u8]) {
    let bench = Bench::start().await;
    let recording = bench.wire.record("all", Matcher::default(), None);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get(target)).await;
    engine.expect(&get(target)).await;
    engine.send(answer).await;
    daemon.expect(answer).await;
    let error = recording.recorded(Duration::from_millis(1)).await.unwrap_err().to_string();
    assert!(error.contains("`all`") && error.contains(target), "{error}");
    bench.close().await;
}

// The engine closes after its answer, and so must the wire each time that it serves it again.
#[tokio::test]
async fn an_answer_that_ends_its_connection_does_so_again() {
    let bench = Bench::start().await;
    let recording = bench.wire.record("last", route("/info"), None);
    let _rule = bench.wire.stale("stale", route("/info"), &recording, None);
    let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(answer).await;
    daemon.expect(answer).await;
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    daemon.expect(answer).await;
    daemon.expect_end().await;
    engine.expect_end().await;
    bench.close().await;
}

// Two recordings and a fault on the same response: the recordings change nothing for each other or
// for it, and what is kept is what the engine said.
#[tokio::test]
async fn recordings_are_in_nobodys_way() {
    let bench = Bench::start().await;
    let one = bench.wire.record("one", Matcher::default(), None);
    let two = bench.wire.record("two", Matcher::default(), None);
    let cut = bench.wire.truncate("cut", Matcher::default(), 1, Some(1));
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    engine.expect(&get("/info")).await;
    engine.send(OK).await;
    daemon.expect(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\no").await;
    drop(cut);
    for recording in [one, two] {
        let _rule = bench.wire.stale("stale", Matcher::default(), &recording, None);
        drop(recording);
        daemon.send(&get("/info")).await;
        daemon.expect(OK).await;
    }
    bench.close().await;
}
