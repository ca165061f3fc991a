use std::time::Duration;

use racetrap_wire::{Matcher, Point, What};
use rstest::rstest;
use serde_json::json;

use crate::bench::{Bench, LIMIT, OK, get, route};
use crate::carrier::Carrier;

const INSPECT: &str = "/v1.51/images/reg/app:1/json";
const CREATE: &[u8] =
    b"POST /containers/create HTTP/1.1\r\nContent-Length: 13\r\n\r\n{\"Image\":\"a\"}";

// Until the release the engine's end of the socket has nothing to read, says the kernel.
#[rstest]
#[tokio::test]
async fn a_held_request_has_not_reached_the_engine(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let gate = bench.wire.hold("inspect", route("/images/{id}/json"), Point::Request);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get(INSPECT)).await;
    gate.reached(LIMIT).await.unwrap();
    engine.expect_nothing();
    let status = bench.wire.status();
    assert_eq!((status.held, status.in_flight), (1, 1));
    gate.release();
    engine.expect(&get(INSPECT)).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    assert_eq!(bench.wire.status().held, 0);
    bench.close().await;
}

// The engine has sent all of its answer, a part of it only after the head; the daemon has nothing.
#[rstest]
#[tokio::test]
async fn a_held_response_has_left_the_engine_whole_and_not_reached_the_daemon(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let gate = bench.wire.hold("inspect", route("/images/{id}/json"), Point::Response);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get(INSPECT)).await;
    engine.expect(&get(INSPECT)).await;
    engine.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n").await;
    let early = gate.reached(Duration::from_millis(20)).await;
    assert!(early.is_err(), "the response is not whole yet");
    engine.send(b"0\r\n\r\n").await;
    gate.reached(LIMIT).await.unwrap();
    daemon.expect_nothing();
    drop(engine);
    gate.release();
    let whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    assert_eq!(daemon.rest().await, whole, "it needs no engine any more");
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_gate_holds_the_nth_message_and_no_other(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let second = Matcher { nth: Some(2), ..route("/images/{id}/json") };
    let gate = bench.wire.hold("second", second, Point::Request);
    let (mut daemon, mut engine) = bench.connect().await;
    for turn in 1..=4 {
        // Not counted: another route.
        for target in ["/info", INSPECT] {
            daemon.send(&get(target)).await;
            if turn == 2 && target == INSPECT {
                break;
            }
            engine.expect(&get(target)).await;
            engine.send(OK).await;
            daemon.expect(OK).await;
        }
        if turn == 2 {
            gate.reached(LIMIT).await.unwrap();
            // Another connection passes meanwhile, although its message fits.
            let (mut other, mut engine_2) = bench.connect().await;
            other.send(&get(INSPECT)).await;
            engine_2.expect(&get(INSPECT)).await;
            engine.expect_nothing();
            break;
        }
    }
    gate.release();
    engine.expect(&get(INSPECT)).await;
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_dropped_gate_loses_nothing(#[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier) {
    let bench = Bench::over(carrier).await;
    let (mut daemon, mut engine) = bench.connect().await;
    {
        let gate = bench.wire.hold("dropped", Matcher::default(), Point::Request);
        daemon.send(&get("/info")).await;
        gate.reached(LIMIT).await.unwrap();
    }
    engine.expect(&get("/info")).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    // It is disarmed, too.
    daemon.send(&get("/version")).await;
    engine.expect(&get("/version")).await;
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_gate_that_is_not_reached_tells_what_went_by(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let gate = bench.wire.hold("start", route("/containers/{id}/start"), Point::Request);
    let nothing = gate.reached(Duration::from_millis(1)).await.unwrap_err().to_string();
    assert!(nothing.contains("`start`") && nothing.contains("no message at all"), "{nothing}");
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/containers/a/json")).await;
    engine.expect(&get("/containers/a/json")).await;
    let error = gate.reached(Duration::from_millis(1)).await.unwrap_err().to_string();
    assert!(error.contains("1 other messages, the last one GET /containers/a/json"), "{error}");
    bench.close().await;
}

// Whatever is held, the daemon's end is told of, and the engine's side ends with it.
#[rstest]
#[case::request(Point::Request)]
#[case::response(Point::Response)]
#[tokio::test]
async fn a_daemon_that_gives_up_abandons_what_is_held(
    #[case] point: Point,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let gate = bench.wire.hold("list", route("/containers/json"), point);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/containers/json")).await;
    if point == Point::Response {
        engine.expect(&get("/containers/json")).await;
        engine.send(OK).await;
    }
    gate.reached(LIMIT).await.unwrap();
    drop(daemon);
    engine.expect_end().await;
    let gave_up = What::Abandoned { gate: "list".to_owned() };
    bench.told("abandoned", |what| *what == gave_up).await;
    bench.told("closed", |what| *what == What::Closed).await;
    assert_eq!((bench.wire.status().held, bench.wire.status().in_flight), (0, 0));
    gate.reached(LIMIT).await.expect("it was reached, even if it was given up then");
    bench.close().await;
}

// The body is matched as JSON; the first request does not fit and must pass.
#[rstest]
#[case::length("Content-Length: 13\r\n", "{\"Image\":\"a\"}")]
#[case::chunked("Transfer-Encoding: chunked\r\n", "5\r\n{\"Ima\r\n8\r\nge\":\"a\"}\r\n0\r\n\r\n")]
#[tokio::test]
async fn a_body_field_is_matched(
    #[case] framing: &str,
    #[case] body: &str,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let wanted =
        Matcher { body: [("/Image".to_owned(), json!("a"))].into(), ..route("/containers/create") };
    let gate = bench.wire.hold("create", wanted, Point::Request);
    let (mut daemon, mut engine) = bench.connect().await;
    let other = b"POST /containers/create HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
    daemon.send(other).await;
    engine.expect(other).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    let request = format!("POST /containers/create HTTP/1.1\r\n{framing}\r\n{body}");
    let (first, second) = request.split_at(request.len() - 4);
    daemon.send(first.as_bytes()).await;
    daemon.send(second.as_bytes()).await;
    gate.reached(LIMIT).await.unwrap();
    engine.expect_nothing();
    gate.release();
    engine.expect(request.as_bytes()).await;
    bench.close().await;
}

// Without the wire's own word the daemon would wait for the engine's, and the wire for the daemon.
#[rstest]
#[tokio::test]
async fn a_body_is_matched_where_the_daemon_waits_to_be_told_to_go_on(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let wanted = Matcher { body: [("/Image".to_owned(), json!("a"))].into(), ..Matcher::default() };
    let gate = bench.wire.hold("create", wanted, Point::Request);
    let (mut daemon, mut engine) = bench.connect().await;
    let head =
        b"POST /containers/create HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 13\r\n\r\n";
    daemon.send(head).await;
    daemon.expect(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    daemon.send(b"{\"Image\":\"a\"}").await;
    gate.reached(LIMIT).await.unwrap();
    gate.release();
    engine.expect(head).await;
    engine.expect(b"{\"Image\":\"a\"}").await;
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn a_body_too_long_to_be_looked_into_fits_no_body_matcher(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let wanted = Matcher { body: [("/a".to_owned(), json!(1))].into(), ..Matcher::default() };
    let _gate = bench.wire.hold("long", wanted, Point::Request);
    let (mut daemon, mut engine) = bench.connect().await;
    let body = format!("{{\"a\":1,\"b\":\"{}\"}}", "x".repeat(1024 * 1024));
    let head = format!("POST /images/load HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
    let request = (head + &body).into_bytes();
    tokio::join!(daemon.send(&request), engine.expect(&request));
    bench.close().await;
}

#[rstest]
#[case::method(Matcher { method: Some("POST".to_owned()), ..Matcher::default() }, "/info")]
#[case::route(route("/version"), "/info")]
#[case::parameter(Matcher { params: [("id".to_owned(), "b".to_owned())].into(), ..route("/containers/{id}/json") }, "/containers/a/json")]
#[case::query(Matcher { query: [("all".to_owned(), "1".to_owned())].into(), ..route("/containers/json") }, "/containers/json?all=0")]
#[case::body(Matcher { body: [("/a".to_owned(), json!(1))].into(), ..Matcher::default() }, "/info")]
#[tokio::test]
async fn what_differs_in_one_thing_passes(
    #[case] matcher: Matcher,
    #[case] target: &str,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let _gate = bench.wire.hold("other", matcher, Point::Request);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get(target)).await;
    engine.expect(&get(target)).await;
    bench.close().await;
}

#[rstest]
#[case::parameter(Matcher { params: [("id".to_owned(), "reg/app:1".to_owned())].into(), ..Matcher::default() }, "/v1.51/images/reg%2Fapp:1/json")]
#[case::query(Matcher { query: [("all".to_owned(), "1".to_owned())].into(), ..Matcher::default() }, "/v1.51/containers/json?all=1&size=0")]
#[tokio::test]
async fn what_fits_in_all_things_is_held(
    #[case] matcher: Matcher,
    #[case] target: &str,
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let gate = bench.wire.hold("this", matcher, Point::Request);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get(target)).await;
    gate.reached(LIMIT).await.unwrap();
    engine.expect_nothing();
    bench.close().await;
    drop(gate);
}

// The engine restarts while nothing of the request has been sent: it goes to the new engine.
#[rstest]
#[tokio::test]
async fn a_held_request_goes_to_the_engine_that_is_there_at_its_release(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let mut bench = Bench::over(carrier).await;
    let gate = bench.wire.hold("create", route("/containers/create"), Point::Request);
    let (mut daemon, engine) = bench.connect().await;
    daemon.send(CREATE).await;
    gate.reached(LIMIT).await.unwrap();
    drop(engine);
    bench.restart_engine().await;
    gate.release();
    let mut engine = bench.accept().await;
    engine.expect(CREATE).await;
    engine.send(OK).await;
    daemon.expect(OK).await;
    bench.close().await;
}

#[rstest]
#[tokio::test]
async fn closing_the_wire_gives_up_what_is_held(
    #[values(Carrier::Unix, Carrier::Tls)] carrier: Carrier,
) {
    let bench = Bench::over(carrier).await;
    let gate = bench.wire.hold("held", Matcher::default(), Point::Request);
    let (mut daemon, mut engine) = bench.connect().await;
    daemon.send(&get("/info")).await;
    gate.reached(LIMIT).await.unwrap();
    bench.close().await;
    engine.expect_end().await;
    daemon.expect_end().await;
    gate.release();
}
