//! What clients of the log passthrough got, and what they cost.

use serde_json::json;

use super::build::*;
use crate::judge::{has_violation, judge};
use crate::record::{
    Footprint, LogClient, LogCrowdSeen, LogEvent, LogLevel, LogSent, LogTruth, ProcessState,
    SentStream, Stage, StatusCount, What, WireWhat,
};
use crate::scenario::{Codes, LeaveHow, OracleName, Point};

const ID: &str = "0123456789abcdef";
const LOGS: &str = "/containers/{id}/logs";

fn of(client: &str, event: LogEvent) -> What {
    What::LogClient(LogClient { client: client.to_owned(), event })
}

fn asks(promised: i32, reads: bool) -> What {
    let target = format!("/passthrough/engine/logs/{ID}");
    let (container, promised) = (Some(ID.to_owned()), Codes::One(promised));
    of("c", LogEvent::Asked { target, container, promised, reads })
}

fn answered(status: u16) -> What {
    of("c", LogEvent::Answered { status, text: "said\n".to_owned() })
}

/// A client that has its WebSocket, and the engine's stream for it.
fn open() -> Vec<What> {
    vec![footprint(20, 1), asks(101, true), request(7, "GET", &target(), LOGS), answered(101)]
}

/// How the daemon asks the engine for all of the log.
fn target() -> String {
    format!("/v1.41/containers/{ID}/logs?follow=1&stderr=1&stdout=1")
}

fn got(bytes: u64) -> What {
    let text = "out".to_owned();
    of("c", LogEvent::Received { messages: 1, texts: 0, bytes, lines: 1, text })
}

/// The client has so many bytes, and the engine has sent so many in exchange 7; they begin alike.
fn sent(received: u64, bytes: u64) -> What {
    sent_in(received, vec![(7, bytes, "same")])
}

/// The same with any exchanges, each with its bytes and their beginning.
fn sent_in(received: u64, streams: Vec<(u64, u64, &str)>) -> What {
    let stream = |(exchange, bytes, prefix): (u64, u64, &str)| SentStream {
        exchange,
        bytes,
        prefix_sha256: prefix.to_owned(),
    };
    What::LogSent(LogSent {
        client: "c".to_owned(),
        received,
        received_sha256: "same".to_owned(),
        streams: streams.into_iter().map(stream).collect(),
    })
}

/// The engine has so many bytes for a client that reads nothing.
fn engine_has(bytes: u64) -> What {
    What::LogTruth(LogTruth {
        client: "c".to_owned(),
        received: 0,
        received_sha256: "same".to_owned(),
        bytes,
        frames: 1,
        prefix_sha256: "same".to_owned(),
    })
}

fn ended(code: Option<u16>) -> What {
    of("c", LogEvent::Ended { code, reason: "why".to_owned(), not_utf8: false })
}

fn left(how: LeaveHow) -> What {
    of("c", LogEvent::Left { how })
}

fn footprint(descriptors: u64, mebibytes: u64) -> What {
    let (resident_kib, peak_kib) = (mebibytes << 10, mebibytes << 10);
    What::Footprint(Footprint { descriptors, resident_kib, peak_kib })
}

fn finished() -> What {
    on_wire(7, WireWhat::Finished { bytes: 1 })
}

/// A sound run around a client that was let in: what it has received and the engine has sent for it at
/// the level of its only checkpoint, and after the probe.
fn run(story: Vec<What>, level: (u64, u64), probed: (u64, u64)) -> Vec<What> {
    let [level, probed] = [level, probed].map(|(received, bytes)| sent(received, bytes));
    run_with(story, level, probed)
}

/// The same with these records.
fn run_with(story: Vec<What>, level: What, probed: What) -> Vec<What> {
    let mut whats = healthy_run([open(), story].concat());
    let checkpoint = |stage| move |what: &What| matches!(what, What::Checkpoint { stage: found, .. } if *found == stage);
    for (stage, sent) in [(Stage::Level, level), (Stage::Probed, probed)] {
        let at = whats.iter().position(checkpoint(stage)).expect("a sound run is judged");
        whats.insert(at, sent);
    }
    whats
}

#[track_caller]
fn assert_log_broken(whats: Vec<What>, text: &str) {
    assert_violates(whats, OracleName::LogFidelity, text);
}

// What arrives late but before the daemon has had its turn is no violation, and what never does is.
#[test]
fn what_the_engine_had_sent_has_arrived_by_the_checkpoint() {
    assert_passes(run(vec![got(6)], (6, 6), (6, 6)));
    assert_passes(run(vec![got(6)], (0, 6), (6, 6)));
    // The container prints on, and the client cannot have that yet.
    assert_passes(run(vec![got(6)], (6, 6), (6, 12)));
    assert_log_broken(
        run(vec![got(6)], (6, 12), (6, 12)),
        "it has 6 bytes, and the engine had sent 12 before the daemon had its turn",
    );
}

// The engine's stream was held up on the wire, or the client does not read: neither is the daemon's.
#[test]
fn a_stream_that_others_hold_up_is_not_late() {
    let held = on_wire(7, WireWhat::Held { gate: "g".to_owned(), point: Point::Response });
    assert_passes(run(vec![got(6), held], (6, 12), (6, 12)));
    let mut silent = run(vec![], (0, 12), (0, 12));
    silent
        .iter_mut()
        .filter(|what| **what == asks(101, true))
        .for_each(|what| *what = asks(101, false));
    assert_passes(silent);
}

// A client that was told to read must come to have all, like one that did so from the beginning.
#[test]
fn who_begins_to_read_is_judged_like_others() {
    let mut whats = run(vec![of("c", LogEvent::Reads), got(6)], (6, 12), (6, 12));
    whats
        .iter_mut()
        .filter(|what| **what == asks(101, true))
        .for_each(|what| *what = asks(101, false));
    assert_log_broken(whats, "it has 6 bytes, and the engine had sent 12");
}

#[test]
fn bytes_are_the_engines_in_their_order() {
    let other = || sent_in(6, vec![(7, 6, "other")]);
    assert_log_broken(
        run_with(vec![got(6)], other(), other()),
        "the 6 bytes that it has received are not the beginning of the 6 that the engine has sent",
    );
    // More than there is cannot be the beginning of it.
    assert_log_broken(run(vec![got(7)], (7, 6), (7, 6)), "not the beginning of the 6 that");
}

// Another client asked for the same, and nobody can tell whose stream is whose. One must be right in
// every respect: here one has other bytes, and of the other some are missing.
#[test]
fn a_client_is_right_if_one_of_its_streams_is() {
    let streams = |seventh: &'static str| sent_in(6, vec![(7, 6, seventh), (8, 12, "same")]);
    assert_passes(run_with(vec![got(6)], streams("same"), streams("same")));
    assert_log_broken(
        run_with(vec![got(6)], streams("other"), streams("other")),
        "it has 6 bytes, and the engine had sent 12",
    );
}

// The daemon has asked for another part of the log, or for none at all.
#[test]
fn a_client_that_was_let_in_has_a_stream() {
    let none = || sent_in(0, vec![]);
    assert_log_broken(
        run_with(vec![], none(), none()),
        "it was let in, and the daemon did not ask the engine for what it asked for",
    );
}

#[test]
fn bytes_that_nobody_compared_show_nothing() {
    let whats = healthy_run([open(), vec![got(6)]].concat());
    assert_unknown(whats, "client c has received 6 bytes, which were not compared");
}

// An engine that ends a log at a restart of its container has more to tell later. That is another
// stream's.
#[test]
fn a_log_that_goes_on_later_is_not_missing() {
    let again = request(9, "GET", &target(), LOGS);
    let again_finished = on_wire(9, WireWhat::Finished { bytes: 12 });
    let story = vec![got(6), finished(), ended(Some(1000)), again, again_finished];
    assert_passes(run(story, (6, 6), (6, 6)));
}

// The engine has ended the log by the level; only one of the clients is told. One whose stream was
// disturbed may still wait.
#[test]
fn a_client_learns_that_its_log_has_ended() {
    assert_passes(run(vec![got(6), finished(), ended(Some(1000))], (6, 6), (6, 6)));
    assert_log_broken(
        run(vec![got(6), finished()], (6, 6), (6, 6)),
        "the engine had ended its log before the daemon had its turn, and it was not told",
    );
    let held = on_wire(7, WireWhat::Held { gate: "g".to_owned(), point: Point::Response });
    assert_passes(run(vec![got(6), held, finished()], (6, 6), (6, 6)));
}

// The bytes were counted before the last of them came, and the end was seen after that.
#[test]
fn a_comparison_that_came_too_early_is_left_to_the_next() {
    let story = vec![sent(6, 6), got(6), got(6), finished(), ended(Some(1000)), sent(6, 12)];
    assert_passes(run(story, (12, 12), (12, 12)));
}

// The container prints on after the last checkpoint.
#[test]
fn bytes_after_the_last_checkpoint_are_not_judged() {
    let mut whats = run(vec![got(6)], (6, 6), (6, 6));
    whats.insert(whats.len() - 1, got(6));
    assert_passes(whats);
}

// A whole stream has all bytes, and the engine has ended it too; the fault is in one of the two each.
#[test]
fn a_stream_that_ends_as_whole_is() {
    assert_passes(run(vec![got(6), finished(), ended(Some(1000))], (6, 6), (6, 6)));
    assert_log_broken(
        run(vec![got(6), finished(), ended(Some(1000))], (6, 12), (6, 12)),
        "its stream ended as whole after 6 bytes, and the engine has sent 12",
    );
    let cut = on_wire(7, WireWhat::Cut);
    assert_log_broken(
        run(vec![got(6), cut.clone(), ended(Some(1000))], (6, 6), (6, 6)),
        "its stream ended as whole, and the engine had not ended it",
    );
    assert_passes(run(vec![got(6), cut, ended(Some(1011))], (6, 12), (6, 12)));
}

// Whoever went first, or had to be dropped, is told nothing; and a daemon that ends may say nothing.
#[test]
fn a_stream_ends_by_a_close_frame() {
    let gone = on_wire(7, WireWhat::Closed);
    assert_log_broken(
        run(vec![gone.clone(), ended(None)], (0, 0), (0, 0)),
        "client c: its stream ended with no code: why",
    );
    let oversize = left(LeaveHow::Oversize);
    assert_passes(run(vec![oversize, gone.clone(), ended(None)], (0, 0), (0, 0)));
    let stopped = [
        run_with_steps(&json!([{ "daemon": "stop" }])),
        step_began(0),
        ended(None),
        process("daemon", ProcessState::Stopped),
        process("daemon", ProcessState::Started),
        gone,
    ];
    assert_passes(run(stopped.to_vec(), (0, 0), (0, 0)));
}

#[test]
fn a_request_is_answered_as_promised() {
    let refused = |promised| vec![footprint(20, 1), asks(promised, true), answered(404)];
    assert_passes(healthy_run(refused(404)));
    assert_log_broken(
        healthy_run(refused(503)),
        "client c: /passthrough/engine/logs/0123456789abcdef was answered with 404 (said), not 503",
    );
    let reason = "EOF".to_owned();
    assert_log_broken(
        healthy_run(vec![asks(503, true), of("c", LogEvent::Unanswered { reason })]),
        "was not answered: EOF",
    );
}

#[test]
fn a_crowd_is_answered_as_promised() {
    let crowd = |status, unanswered| {
        healthy_run(vec![What::LogCrowd(LogCrowdSeen {
            target: "/t".to_owned(),
            promised: Codes::One(101),
            answers: [(101, 9), (status, 1)]
                .map(|(status, clients)| StatusCount { status, clients })
                .to_vec(),
            unanswered,
            reason: "EOF".to_owned(),
        })])
    };
    assert_passes(crowd(101, 0));
    assert_log_broken(crowd(500, 0), "1 clients: /t was answered with 500, not 101");
    assert_log_broken(crowd(101, 2), "2 clients: /t was not answered: EOF");
}

// The client has gone in both; only in one has the engine's stream gone as well.
#[test]
fn a_client_that_has_gone_leaves_no_stream_behind() {
    let gone = on_wire(7, WireWhat::Closed);
    assert_passes(run(vec![left(LeaveHow::Drop), gone], (0, 0), (0, 0)));
    assert_log_broken(
        run(vec![left(LeaveHow::Drop)], (0, 0), (0, 0)),
        "1 streams of logs are open on the engine, and 0 clients are there",
    );
}

// The numbers are on both sides of the bound: 20 before, 32 that come and go, 4 for the client. A
// daemon that was started anew is another process.
#[test]
fn descriptors_come_back() {
    assert_passes(run(vec![footprint(56, 1)], (0, 0), (0, 0)));
    assert_log_broken(
        run(vec![footprint(57, 1)], (0, 0), (0, 0)),
        "the daemon has 57 descriptors with 1 clients, and had 20 before any came",
    );
    let again = process("daemon", ProcessState::Started);
    assert_passes(run(vec![again, footprint(57, 1)], (0, 0), (0, 0)));
}

// The bound is a third of what was not read; less than 64 MiB of logs show nothing.
#[test]
fn memory_does_not_grow_with_what_is_not_read() {
    let grown = |mebibytes: u64, unread_mebibytes: u64| {
        let story = vec![
            footprint(20, 1),
            asks(101, false),
            engine_has(unread_mebibytes << 20),
            footprint(20, 1 + mebibytes),
            left(LeaveHow::Drop),
        ];
        healthy_run(story)
    };
    assert_passes(grown(66, 200));
    assert_log_broken(
        grown(67, 200),
        "the daemon grew by 67 MiB while clients left 200 MiB of logs unread",
    );
    assert_passes(grown(63, 63));
}

/// A run of one finding, in which the engine refused a log with this status.
fn refused(finding: &str, status: u16, said: &str) -> Vec<What> {
    let target = format!("/v1.41/containers/{ID}/logs?follow=1");
    let mut whats = healthy_run(vec![
        request(7, "GET", &target, LOGS),
        on_wire(7, WireWhat::Response { status }),
        on_wire(7, WireWhat::Finished { bytes: 1 }),
        log_line(if status >= 500 { LogLevel::Error } else { LogLevel::Info }, said),
    ]);
    whats.insert(0, run_header(finding, &json!([])));
    whats
}

// The line names the container in short; one that names another does not tell of this one.
#[test]
fn a_failure_is_told_where_that_is_shown() {
    assert_passes(refused(
        "323-I2",
        500,
        "Failed to get container logs container=0123456789ab: Error response from daemon",
    ));
    assert_passes(refused(
        "323-C1",
        500,
        "Failed to get container logs: Error response from daemon",
    ));
    assert_passes(refused("323-I2", 404, "Failed to get container logs: 404"));
    assert_log_broken(
        refused("323-I2", 500, "Failed to get container logs: Error response from daemon"),
        "the log of 0123456789abcdef failed, and nothing that is shown says so",
    );
}

#[test]
fn endpoints_are_announced_in_one_order() {
    let announced = |endpoints: [&str; 2]| What::Announced {
        passthroughs: [("demo".to_owned(), endpoints.map(str::to_owned).to_vec())].into(),
    };
    let (one, other) = (["hello", "websocket"], ["websocket", "hello"]);
    assert_passes(healthy_run(vec![announced(one), announced(one)]));
    // Another list is another matter.
    assert_passes(healthy_run(vec![announced(one), announced(["hello", "more"])]));
    assert_log_broken(
        healthy_run(vec![announced(one), announced(other)]),
        "demo announces websocket, hello now, and announced hello, websocket before",
    );
}

// A failed log may be reported in the daemon's own log a moment later, so no run may end because of what
// this oracle has found so far.
#[test]
fn a_violation_that_may_be_taken_back_ends_no_run() {
    let broken = history(run(vec![got(6)], (6, 12), (6, 12)));
    assert_eq!(judge(&broken).oracles(), [OracleName::LogFidelity]);
    assert!(!has_violation(&broken, None));
    assert!(!has_violation(&broken, Some(OracleName::LogFidelity)));
}
