//! Lines of the daemon's log, and the causes that the harness knows.

use serde_json::json;

use super::build::*;
use crate::oracle::message::normalised;
use crate::record::{Exit, LogLevel, ProcessState, Review, ReviewOutcome, What, WireWhat};
use crate::scenario::OracleName;

const FAILED: &str = r#"E1121 15:11:30.827382     303 w.go:9] "Failed to handle event" err="boom""#;
const NOT_FOUND: &str = r#"time="x" level=error msg="no finalizer removed" err="web not found""#;

fn error(text: &str) -> What {
    log_line(LogLevel::Error, text)
}

/// A step in which this happens, and at whose end the harness reads the line.
fn step(index: usize, happens: Vec<What>, line: What) -> Vec<What> {
    let mut whats = vec![step_began(index)];
    whats.extend(happens);
    whats.extend([line, What::StepDone { index }]);
    whats
}

#[test]
fn quiet_logs_sees_a_panic() {
    let panic = log_line(LogLevel::Panic, "panic: runtime error: invalid memory address");
    assert_violates(
        healthy_run(vec![panic]),
        OracleName::QuietLogs,
        "the log contains a panic: panic: runtime",
    );
    // The word alone, in a line of another level, is not a panic.
    assert_passes(healthy_run(vec![log_line(
        LogLevel::Info,
        "I1121 a.go:1] no panic: all is well",
    )]));
}

#[test]
fn quiet_logs_sees_a_secret() {
    let line = "I1121 a.go:1] sent Bearer 0f8fad5b-d9cb-469f-a165-70867728950e";
    assert_violates(
        healthy_run(vec![log_line(LogLevel::Info, line)]),
        OracleName::QuietLogs,
        "the log contains a secret: I1121 a.go:1] sent Bearer …",
    );
    assert_passes(healthy_run(vec![log_line(
        LogLevel::Info,
        "I1121 a.go:1] Bearer token is missing",
    )]));
}

#[test]
fn quiet_logs_sees_an_error_without_a_cause() {
    assert_violates(
        healthy_run(step(0, vec![], error(FAILED))),
        OracleName::QuietLogs,
        "the log contains an error without a known cause: E1121",
    );
    let warning = log_line(LogLevel::Warning, FAILED);
    assert_passes(healthy_run(step(0, vec![], warning)));
}

#[test]
fn quiet_logs_accepts_an_error_with_a_known_cause() {
    let denied = What::Review(Review {
        operation: "UPDATE".to_owned(),
        resource: "volumes".to_owned(),
        name: "vol-data".to_owned(),
        manager: None,
        outcome: ReviewOutcome::Denied,
    });
    let failed = Vec::from(engine_answered(1, "/volumes/{name}", 500));
    let lost = WireWhat::UpstreamLost { reason: "reset".to_owned() };
    let reasons = [
        failed,
        Vec::from(engine_answered(1, "/images/json", 404)),
        vec![on_wire(1, lost)],
        vec![on_wire(1, WireWhat::Cut)],
        vec![on_wire(1, WireWhat::Refused)],
        vec![on_wire(1, WireWhat::Faulted { rule: "r".to_owned(), fault: "f".to_owned() })],
        vec![denied],
        vec![run_with_steps(&json!([{ "lift": "broken" }])), step_began(0)],
        vec![process("engine", ProcessState::Stopped)],
        vec![process("daemon", ProcessState::Started)],
        vec![What::Command(command("svc stop", Exit::Code(0), ""))],
    ];
    for reason in reasons {
        assert_passes(healthy_run(step(0, reason, error(FAILED))));
    }
}

// A deletion was requested, so a missing object explains no error. The engine's refusal explains only
// errors about something else (finding 295-S8).
#[test]
fn quiet_logs_sees_an_error_about_an_object_that_is_gone() {
    let not_found = || Vec::from(engine_answered(1, "/volumes/{name}", 404));
    let refused = || Vec::from(engine_answered(1, "/volumes/{name}", 409));
    assert_violates(
        healthy_run(step(0, not_found(), error(NOT_FOUND))),
        OracleName::QuietLogs,
        "no finalizer removed",
    );
    assert_violates(
        healthy_run(step(0, refused(), error(NOT_FOUND))),
        OracleName::QuietLogs,
        "no finalizer removed",
    );
    assert_passes(healthy_run(step(0, refused(), error(FAILED))));
}

// The daemon may log an error late, but not after the world has become quiet.
#[test]
fn quiet_logs_accepts_a_cause_until_the_world_is_quiet() {
    let quiet = |index| step(index, vec![], log_line(LogLevel::Info, "I1121 a.go:1] fine"));
    let failed = || {
        let failed = Vec::from(engine_answered(1, "/volumes/{name}", 500));
        step(0, failed, log_line(LogLevel::Info, "I1121 a.go:1] fine"))
    };
    assert_passes(healthy_run([failed(), quiet(1), step(2, vec![], error(FAILED))].concat()));
    let settled = step(1, checkpoint(1).to_vec(), log_line(LogLevel::Info, "I1121 a.go:1] fine"));
    assert_violates(
        healthy_run([failed(), settled, step(2, vec![], error(FAILED))].concat()),
        OracleName::QuietLogs,
        "without a known cause",
    );
}

// A lost engine explains errors until the daemon has subscribed to its events again.
#[test]
fn quiet_logs_accepts_a_lost_engine_as_the_cause_until_the_daemon_has_subscribed_again() {
    let fine = || log_line(LogLevel::Info, "I1121 a.go:1] fine");
    let lost = || [0, 1, 2].map(|n| step(n, vec![on_wire(1, WireWhat::Refused)], fine())).concat();
    let later = |happens: Vec<What>| {
        let steps = [step(3, happens, fine()), step(4, checkpoint(1).to_vec(), fine())];
        [steps.concat(), step(5, vec![], error(FAILED))].concat()
    };
    assert_passes(healthy_run([lost(), later(vec![])].concat()));
    let back = Vec::from(engine_answered(2, "/events", 200));
    assert_violates(
        healthy_run([lost(), later(back)].concat()),
        OracleName::QuietLogs,
        "without a known cause",
    );
}

#[test]
fn quiet_logs_sees_a_warning_that_is_repeated_without_backoff() {
    let warned = |times: u32| {
        let line = |n| log_line(LogLevel::Warning, &format!("W1121 a.go:1] try {n} failed"));
        (0..times).map(line).collect::<Vec<_>>()
    };
    assert_violates(
        healthy_run(warned(60)),
        OracleName::QuietLogs,
        "the daemon logged 60 times between two checkpoints, with 2 events: try # failed",
    );
    assert_passes(healthy_run(warned(20)));
    let events: Vec<_> = (0..60).map(|_| engine_event("volume", "mount", "data")).collect();
    assert_passes(healthy_run([events, warned(60)].concat()));
    let start = vec![process("daemon", ProcessState::Started)];
    assert_passes(healthy_run([start, warned(60)].concat()));
}

// The forms of log lines in the contract (1.1), each with text that must stay and text that must be masked.
#[test]
fn messages_are_compared_without_times_numbers_and_names() {
    let pairs = [
        (
            r#"E1121 15:11:30.8 303 a.go:2] "Skipping image" err="no x-1: \"web\"" id="sha256:1f""#,
            r#"Skipping image err=no x-#: … id=…"#,
        ),
        (
            r#"time="2026-11-21T15:06:00Z" level=info msg="swept 7 of \"web\"" id=abc1"#,
            "msg=swept # of … id=#",
        ),
        (r#"{"level":"error","msg":"failed","error":"code 500","time":"t"}"#, "failed: code #"),
        ("W1121 a.go:1] plain words 0xff", "plain words #"),
    ];
    for (line, wanted) in pairs {
        assert_eq!(normalised(line), wanted);
    }
}

// A stop waits in vain for a mirror that somebody else keeps, and this takes longer than one step.
#[test]
fn quiet_logs_accepts_a_kept_mirror_as_the_cause() {
    let mirror = json!({ "volume": "data" });
    let keeps = run_with_steps(&json!([{ "keep": mirror }, "settle", { "let_go": mirror }]));
    let keep = vec![keeps, step_began(0)];
    let let_go = vec![step_began(2)];
    let late = || step(1, vec![], error(FAILED));
    assert_passes(healthy_run([keep.clone(), late(), late()].concat()));
    let quiet = |index| step(index, vec![], log_line(LogLevel::Info, "I1121 a.go:1] fine"));
    let settled = step(3, checkpoint(1).to_vec(), log_line(LogLevel::Info, "I1121 a.go:1] fine"));
    let gone = [keep, let_go, settled, quiet(4), step(5, vec![], error(FAILED))];
    assert_violates(healthy_run(gone.concat()), OracleName::QuietLogs, "without a known cause");
}

// The same line in a run of its own finding, and in a run of another one.
#[test]
fn quiet_logs_judges_a_known_error_only_in_runs_of_its_finding() {
    let line = || error("E1 \"unable to update Container status\" err=\"x not found\"");
    let text = "the log contains an error without a known cause: E1 \"unable to update Container \
                status\" err=\"x not found\"";
    let history = |finding| healthy_run(vec![run_header(finding, &json!([])), line()]);
    assert_violates(history("rdd-L1"), OracleName::QuietLogs, text);
    assert_passes(history("295-I3"));
}
