//! Lines of the log, and what the harness knows of their reasons.

use serde_json::json;

use super::build::*;
use crate::oracle::message::normalised;
use crate::record::{Exit, LogLevel, ProcessState, Review, ReviewOutcome, What, WireWhat};
use crate::scenario::OracleName;

const FAILED: &str = r#"E1121 15:11:30.827382     303 w.go:9] "Failed to handle event" err="boom""#;
const NOT_FOUND: &str = r#"time="x" level=error msg="no finalizer removed" err="web not found""#;

fn error(text: &str) -> What {
    log(LogLevel::Error, text)
}

/// A step in which this happens, and at whose end the line is read.
fn step(index: usize, happens: Vec<What>, line: What) -> Vec<What> {
    let mut whats = vec![began(index)];
    whats.extend(happens);
    whats.extend([line, What::StepDone { index }]);
    whats
}

#[test]
fn quiet_logs_sees_a_panic() {
    let panic = log(LogLevel::Panic, "panic: runtime error: invalid memory address");
    assert_broken(sound(vec![panic]), OracleName::QuietLogs, "a panic in it: panic: runtime");
    // The word in a line of another level is none.
    assert_fine(sound(vec![log(LogLevel::Info, "I1121 a.go:1] no panic: all is well")]));
}

#[test]
fn quiet_logs_sees_a_secret() {
    let line = "I1121 a.go:1] sent Bearer 0f8fad5b-d9cb-469f-a165-70867728950e";
    assert_broken(
        sound(vec![log(LogLevel::Info, line)]),
        OracleName::QuietLogs,
        "the log has a secret in it: I1121 a.go:1] sent Bearer …",
    );
    assert_fine(sound(vec![log(LogLevel::Info, "I1121 a.go:1] Bearer token is missing")]));
}

#[test]
fn quiet_logs_sees_an_error_without_a_reason() {
    assert_broken(
        sound(step(0, vec![], error(FAILED))),
        OracleName::QuietLogs,
        "the log has an error in it, and there was none: E1121",
    );
    let warning = log(LogLevel::Warning, FAILED);
    assert_fine(sound(step(0, vec![], warning)));
}

#[test]
fn quiet_logs_accepts_an_error_with_a_reason() {
    let denied = What::Review(Review {
        operation: "UPDATE".to_owned(),
        resource: "volumes".to_owned(),
        name: "vol-data".to_owned(),
        manager: None,
        outcome: ReviewOutcome::Denied,
    });
    let failed = Vec::from(asked(1, "/volumes/{name}", 500));
    let lost = WireWhat::UpstreamLost { reason: "reset".to_owned() };
    let reasons = [
        failed,
        Vec::from(asked(1, "/images/json", 404)),
        vec![wire(1, lost)],
        vec![wire(1, WireWhat::Cut)],
        vec![wire(1, WireWhat::Refused)],
        vec![wire(1, WireWhat::Faulted { rule: "r".to_owned(), fault: "f".to_owned() })],
        vec![denied],
        vec![steps(&json!([{ "lift": "broken" }])), began(0)],
        vec![process("engine", ProcessState::Stopped)],
        vec![process("daemon", ProcessState::Started)],
        vec![What::Command(command("svc stop", Exit::Code(0), ""))],
    ];
    for reason in reasons {
        assert_fine(sound(step(0, reason, error(FAILED))));
    }
}

// That an object is gone is what was wanted; the engine's refusal of another thing explains only
// errors that tell of something else (finding 295-S8).
#[test]
fn quiet_logs_takes_what_is_not_found_for_no_error() {
    let not_found = || Vec::from(asked(1, "/volumes/{name}", 404));
    let refused = || Vec::from(asked(1, "/volumes/{name}", 409));
    assert_broken(
        sound(step(0, not_found(), error(NOT_FOUND))),
        OracleName::QuietLogs,
        "no finalizer removed",
    );
    assert_broken(
        sound(step(0, refused(), error(NOT_FOUND))),
        OracleName::QuietLogs,
        "no finalizer removed",
    );
    assert_fine(sound(step(0, refused(), error(FAILED))));
}

// The daemon may complain late, but not after the world has become quiet.
#[test]
fn quiet_logs_takes_a_reason_until_the_world_is_quiet() {
    let quiet = |index| step(index, vec![], log(LogLevel::Info, "I1121 a.go:1] fine"));
    let failed = || {
        let failed = Vec::from(asked(1, "/volumes/{name}", 500));
        step(0, failed, log(LogLevel::Info, "I1121 a.go:1] fine"))
    };
    assert_fine(sound([failed(), quiet(1), step(2, vec![], error(FAILED))].concat()));
    let settled = step(1, checkpoint(1).to_vec(), log(LogLevel::Info, "I1121 a.go:1] fine"));
    assert_broken(
        sound([failed(), settled, step(2, vec![], error(FAILED))].concat()),
        OracleName::QuietLogs,
        "there was none",
    );
}

// An engine that is away is a reason until the daemon has subscribed to it anew.
#[test]
fn quiet_logs_takes_a_lost_engine_for_a_reason_until_it_is_back() {
    let fine = || log(LogLevel::Info, "I1121 a.go:1] fine");
    let lost = || [0, 1, 2].map(|n| step(n, vec![wire(1, WireWhat::Refused)], fine())).concat();
    let later = |happens: Vec<What>| {
        let steps = [step(3, happens, fine()), step(4, checkpoint(1).to_vec(), fine())];
        [steps.concat(), step(5, vec![], error(FAILED))].concat()
    };
    assert_fine(sound([lost(), later(vec![])].concat()));
    let back = Vec::from(asked(2, "/events", 200));
    assert_broken(sound([lost(), later(back)].concat()), OracleName::QuietLogs, "there was none");
}

#[test]
fn quiet_logs_sees_a_warning_that_is_repeated_without_backoff() {
    let warned = |times: u32| {
        let line = |n| log(LogLevel::Warning, &format!("W1121 a.go:1] try {n} failed"));
        (0..times).map(line).collect::<Vec<_>>()
    };
    assert_broken(
        sound(warned(60)),
        OracleName::QuietLogs,
        "the log says 60 times between two checkpoints, with 2 events: try # failed",
    );
    assert_fine(sound(warned(20)));
    let events: Vec<_> = (0..60).map(|_| engine("volume", "mount", "data")).collect();
    assert_fine(sound([events, warned(60)].concat()));
    let start = vec![process("daemon", ProcessState::Started)];
    assert_fine(sound([start, warned(60)].concat()));
}

// The three forms of the contract (1.1), each with what must stay and what must go.
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

// The stop waits in vain for what somebody else keeps, for longer than a step.
#[test]
fn quiet_logs_takes_a_mirror_that_is_kept_for_a_reason() {
    let mirror = json!({ "volume": "data" });
    let keeps = steps(&json!([{ "keep": mirror }, "settle", { "let_go": mirror }]));
    let keep = vec![keeps, began(0)];
    let let_go = vec![began(2)];
    let late = || step(1, vec![], error(FAILED));
    assert_fine(sound([keep.clone(), late(), late()].concat()));
    let quiet = |index| step(index, vec![], log(LogLevel::Info, "I1121 a.go:1] fine"));
    let settled = step(3, checkpoint(1).to_vec(), log(LogLevel::Info, "I1121 a.go:1] fine"));
    let gone = [keep, let_go, settled, quiet(4), step(5, vec![], error(FAILED))];
    assert_broken(sound(gone.concat()), OracleName::QuietLogs, "there was none");
}

// The same line, in the run of the finding that it is, and in another one.
#[test]
fn quiet_logs_judges_an_error_with_a_finding_of_its_own_only_there() {
    let line = || error("E1 \"unable to update Container status\" err=\"x not found\"");
    let text = "the log has an error in it, and there was none: E1 \"unable to update Container \
                status\" err=\"x not found\"";
    let history = |finding| sound(vec![run_of(finding, &json!([])), line()]);
    assert_broken(history("rdd-L1"), OracleName::QuietLogs, text);
    assert_fine(history("295-I3"));
}
