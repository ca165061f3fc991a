//! Lines of the daemon's log, and the causes that the harness knows.

use rstest::rstest;
use serde_json::json;

use super::build::*;
use crate::judge::judge;
use crate::oracle::message::normalised;
use crate::record::{
    Change, DockerContent, DockerFile, Exit, FileChange, LogLevel, ProcessState, Review,
    ReviewOutcome, What, WireWhat,
};
use crate::scenario::OracleName;
use crate::verdict::Verdict;

const FAILED: &str = r#"E1121 15:11:30.827382     303 w.go:9] "Failed to handle event" err="boom""#;
const EOF: &str =
    r#"E1121 15:11:30.827382     303 w.go:9] "Event stream error" err="unexpected EOF""#;
const KEPT: &str = r#"E1121 15:11:30.8 303 w.go:9] "Failed" err="timed out waiting for 1 mirror resources to be deleted""#;
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

// The API server of Kubernetes 1.35 writes the first letter large.
#[rstest]
#[case(r#"E1201 11:50:12.7 302 timeout.go:140] "Post-timeout activity" method="DELETE" path="/apis/a" result=null"#)]
#[case("E1201 11:50:12.7 302 timeout.go:140] post-timeout activity - time-elapsed: 1ms, DELETE")]
#[case(r#"E1201 11:53:57.0 463 wrap.go:53] "Timeout or abort while handling" method="GET" URI="/passthrough/a""#)]
fn quiet_logs_excuses_the_end_of_a_request_for_which_nobody_waits(#[case] line: &str) {
    assert_passes(healthy_run(step(0, vec![], error(line))));
}

fn denied() -> What {
    What::Review(Review {
        operation: "UPDATE".to_owned(),
        resource: "volumes".to_owned(),
        name: "vol-data".to_owned(),
        manager: None,
        outcome: ReviewOutcome::Denied,
    })
}

fn inspected(status: u16) -> Vec<What> {
    let target = "/v1.47/volumes/data";
    let answer = on_wire(1, WireWhat::Response { status });
    vec![request(1, "GET", target, "/volumes/{name}"), answer]
}

fn faulted(rule: &str) -> What {
    on_wire(1, WireWhat::Faulted { rule: rule.to_owned(), fault: "f".to_owned() })
}

/// The records of a fault that this step armed, and that has changed a message.
fn rule(step: serde_json::Value, rule: &str) -> Vec<What> {
    vec![run_with_steps(&json!([step])), step_began(0), faulted(rule)]
}

const ANSWERED: &str = "Error response from daemon: server misbehaves";
const REFUSED: &str = "dial unix /w/docker.sock: connect: connection refused";
const CANCELLED: &str = "context canceled";
const LATE: &str = "failed to ping Docker: HEAD /_ping was not answered within 5s";
const INVALID: &str = "invalid character ']' after object key:value pair";
const DENIED: &str = "admission webhook \"a\" denied the request";
const NO_MIRROR: &str = "Volume \"v\" is invalid: status.createdAt: Required value";
const CROSS_DEVICE: &str = "rename /w/.docker/x /w/config.json: invalid cross-device link";

// Each row is a disturbance, an error that follows from it, and one that does not. The error in the
// first column of texts must be excused by exactly that disturbance, so the same error without it is
// wrong, too.
#[rstest]
#[case::list_failed(Vec::from(engine_answered(1, "/images/json", 500)), ANSWERED, NO_MIRROR)]
#[case::list_refused(Vec::from(engine_answered(1, "/images/json", 404)), ANSWERED, INVALID)]
#[case::object_refused(inspected(500), ANSWERED, REFUSED)]
#[case::lost(vec![on_wire(1, WireWhat::UpstreamLost { reason: "reset".to_owned() })], REFUSED, ANSWERED)]
#[case::cut(vec![on_wire(1, WireWhat::Cut)], "unexpected EOF", NO_MIRROR)]
#[case::cut_and_a_file(vec![on_wire(1, WireWhat::Cut)], CANCELLED, CROSS_DEVICE)]
#[case::refused(vec![on_wire(1, WireWhat::Refused)], REFUSED, INVALID)]
#[case::some_rule(vec![faulted("r")], INVALID, NO_MIRROR)]
#[case::answer(rule(json!({"answer": {"status": 500, "on": {}}}), "answer 500, rule 1"), ANSWERED, REFUSED)]
#[case::lose(rule(json!({"fault": {"kind": "lose", "on": {}}}), "lose, rule 1"), "EOF", ANSWERED)]
#[case::rewrite(
    rule(json!({"fault": {"kind": {"rewrite": {"set": {"/a": 1}}}, "on": {}}}), "rewrite, rule 1"),
    INVALID,
    NO_MIRROR
)]
#[case::inject(vec![run_with_steps(&json!([{"inject": {"frame": "{"}}])), step_began(0)], INVALID, NO_MIRROR)]
#[case::denied(vec![denied()], DENIED, NO_MIRROR)]
#[case::lifted(vec![run_with_steps(&json!([{"lift": "broken"}])), step_began(0)], REFUSED, ANSWERED)]
#[case::engine_ended(vec![process("engine", ProcessState::Stopped)], REFUSED, CROSS_DEVICE)]
#[case::engine_that_hangs(vec![process("engine", ProcessState::Stopped)], LATE, ANSWERED)]
#[case::guest_that_stands_still(
    vec![run_with_steps(&json!([{"guest": "pause"}])), step_began(0)],
    LATE,
    CROSS_DEVICE
)]
#[case::daemon_started(
    vec![process("daemon", ProcessState::Started)],
    "Control plane not ready",
    CROSS_DEVICE
)]
#[case::daemon_starts_and_a_mirror(
    vec![process("daemon", ProcessState::Started)],
    "dial tcp 127.0.0.1:6443: connect: connection refused",
    NO_MIRROR
)]
#[case::daemon_stopped(vec![What::Command(command("svc stop", Exit::Code(0), ""))], CANCELLED, ANSWERED)]
#[case::app_stops(
    vec![run_with_steps(&json!([{"app": {"running": false}}])), step_began(0)],
    CANCELLED,
    NO_MIRROR
)]
#[case::wsl_hangs(
    vec![run_with_steps(&json!([{"wsl": {"next": "terminate", "op": "hangs"}}])), step_began(0)],
    "context deadline exceeded: waited 10s for wsl.exe --terminate lima-rd",
    LATE
)]
#[case::removed(vec![engine_event("volume", "destroy", "data")], "get data: no such volume", ANSWERED)]
fn quiet_logs_accepts_only_an_error_that_fits_its_cause(
    #[case] cause: Vec<What>,
    #[case] fits: &str,
    #[case] other: &str,
) {
    for form in [
        |text: &str| format!(r#"E1121 15:11:30.8 303 w.go:9] "Failed" err={text:?}"#),
        |text: &str| format!(r#"time="x" level=error msg="Failed" error={text:?}"#),
        |text: &str| json!({"level": "error", "msg": "Failed", "error": text}).to_string(),
    ] {
        let judged = |cause: Vec<What>, text: &str| {
            judge(&history(healthy_run(step(0, cause, error(&form(text))))))
        };
        let excused = judged(cause.clone(), fits);
        assert_eq!(excused.verdict, Verdict::Pass, "{excused:#?}");
        assert_eq!(excused.excused.iter().map(|one| one.lines).collect::<Vec<_>>(), [1]);
        for wrong in [judged(cause.clone(), other), judged(vec![], fits)] {
            assert_eq!(wrong.oracles(), [OracleName::QuietLogs], "{wrong:#?}");
            assert!(wrong.excused.is_empty(), "{wrong:#?}");
        }
    }
}

// The engine answered an error about one volume, which says nothing of another one. A line that names no
// volume may be about the first.
#[rstest]
#[case(r#"E1 a.go:1] "Failed" id="data" err="Error response from daemon: no""#, true)]
#[case(r#"E1 a.go:1] "Failed" err="Error response from daemon: no""#, true)]
#[case(r#"E1 a.go:1] "Failed" id="other" err="Error response from daemon: no""#, false)]
#[case(r#"E1 a.go:1] "Failed" name="vol-other" err="Error response from daemon: no""#, false)]
fn quiet_logs_compares_the_object_of_an_error(#[case] line: &str, #[case] fine: bool) {
    let other = || {
        vec![truth(&["data", "other"]), changed("volumes", Change::Added, volume("other", "u2"))]
    };
    let whats = [other(), step(0, inspected(500), error(line))].concat();
    if fine {
        assert_passes(healthy_run(whats));
    } else {
        assert_violates(healthy_run(whats), OracleName::QuietLogs, "without a known cause");
    }
}

// One attempt of the daemon may fail twice, and the cause of one failure does not excuse the other.
#[test]
fn quiet_logs_asks_for_a_cause_of_each_failure_in_a_line() {
    let line = |second: &str| {
        error(&format!(
            r#"E1 a.go:1] "Failed" err="failed to list: {ANSWERED}; failed to apply it: {second}""#
        ))
    };
    let failed = || Vec::from(engine_answered(1, "/images/json", 500));
    assert_passes(healthy_run(step(0, failed(), line(ANSWERED))));
    assert_violates(
        healthy_run(step(0, failed(), line("Required value"))),
        OracleName::QuietLogs,
        "without a known cause",
    );
}

// klog writes an error of several lines as such. Both failures are of one error, and the second one
// decides.
#[rstest]
#[case("remove data: volume is in use", true)]
#[case("not enough room", false)]
fn quiet_logs_reads_an_error_of_several_lines_whole(#[case] second: &str, #[case] fine: bool) {
    let info = |text: String| log_line(LogLevel::Info, &text);
    let answer = "Error response from daemon";
    let daemon = if fine { answer } else { "disk" };
    let lines = vec![
        error(r#"E1130 10:34:04.578168    4292 controller.go:495] "Reconciler error" err=<"#),
        info(format!("\tfailed to process finalizers: failed to delete image: {answer}: in use")),
        info(format!("\tfailed to delete volume: {daemon}: {second}")),
        info(" > logger=\"controller-runtime-embedded\" controller=\"engine\"".to_owned()),
    ];
    let whats = [vec![step_began(0)], inspected(409), lines, vec![What::StepDone { index: 0 }]];
    let judged = judge(&history(healthy_run(whats.concat())));
    assert_eq!(judged.verdict == Verdict::Pass, fine, "{judged:#?}");
}

// The user's configuration cannot be used, or its disk. The same error about another file, or of
// another kind, is the daemon's own.
#[rstest]
#[case::config(broken("config.json"), "parsing config file (/w/config.json): unexpected EOF", true)]
#[case::other_kind(broken("config.json"), CROSS_DEVICE, false)]
#[case::other_file(broken("contexts/mine"), "parsing config file (/w/config.json): EOF", false)]
#[case::context(broken("contexts/mine"), "docker context \"mine\": invalid character", true)]
#[case::obstructed(broken("config.json"), "rename /w/x /w/config.json: is a directory", true)]
#[case::not_obstructed(vec![], "rename /w/x /w/config.json: is a directory", false)]
#[case::full(disk("full"), "write /w/config.json1: no space left on device", true)]
#[case::not_full(disk("full"), "open /w/config.json1: read-only file system", false)]
#[case::read_only(disk("read_only"), "open /w/config.json1: read-only file system", true)]
#[case::fine(vec![], "write /w/config.json1: no space left on device", false)]
fn quiet_logs_accepts_an_error_about_a_file_that_cannot_be_used(
    #[case] cause: Vec<What>,
    #[case] text: &str,
    #[case] fine: bool,
) {
    let line = error(&format!(r#"E1 a.go:1] "Failed" err={text:?}"#));
    let judged = judge(&history(healthy_run(step(0, cause, line))));
    assert_eq!(judged.verdict == Verdict::Pass, fine, "{judged:#?}");
}

fn broken(path: &str) -> Vec<What> {
    let holds = DockerContent::Unreadable { why: "it".to_owned() };
    let (how, by_user) = (FileChange::Found, false);
    let path = path.to_owned();
    vec![What::DockerFile(DockerFile { path, how, by_user, holds, attributes: None })]
}

fn disk(op: &str) -> Vec<What> {
    vec![run_with_steps(&json!([{ "docker_disk": op }])), step_began(0)]
}

// What the daemon itself asked the engine to remove must be gone, so that is no error. What somebody
// else removed may be missing when the daemon asks for it.
#[test]
fn quiet_logs_does_not_accept_an_error_about_an_object_that_the_daemon_removed() {
    let line = || error(r#"E1 a.go:1] "Failed" err="get data: no such volume""#);
    let removal = || request(1, "DELETE", "/v1.47/volumes/data", "/volumes/{name}");
    let gone = || engine_event("volume", "destroy", "data");
    assert_passes(healthy_run(step(0, vec![gone()], line())));
    let judged = judge(&history(healthy_run(step(0, vec![removal(), gone()], line()))));
    assert!(judged.oracles().contains(&OracleName::QuietLogs), "{judged:#?}");
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
    let conflict = r#"E1 a.go:1] "Failed" err="Error response from daemon: conflict: in use""#;
    assert_passes(healthy_run(step(0, refused(), error(conflict))));
}

// The daemon may log an error late, but not after the world has become quiet.
#[test]
fn quiet_logs_accepts_a_cause_until_the_world_is_quiet() {
    let quiet = |index| step(index, vec![], log_line(LogLevel::Info, "I1121 a.go:1] fine"));
    let failed = || {
        let failed = Vec::from(engine_answered(1, "/volumes/{name}", 500));
        step(0, failed, log_line(LogLevel::Info, "I1121 a.go:1] fine"))
    };
    let late = || step(2, vec![], error(&format!(r#"E1 a.go:1] "Failed" err="{ANSWERED}""#)));
    assert_passes(healthy_run([failed(), quiet(1), late()].concat()));
    let settled = step(1, checkpoint(1).to_vec(), log_line(LogLevel::Info, "I1121 a.go:1] fine"));
    assert_violates(
        healthy_run([failed(), settled, late()].concat()),
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
        [steps.concat(), step(5, vec![], error(EOF))].concat()
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
    let late = || step(1, vec![], error(KEPT));
    assert_passes(healthy_run([keep.clone(), late(), late()].concat()));
    let quiet = |index| step(index, vec![], log_line(LogLevel::Info, "I1121 a.go:1] fine"));
    let settled = step(3, checkpoint(1).to_vec(), log_line(LogLevel::Info, "I1121 a.go:1] fine"));
    let gone = [keep, let_go, settled, quiet(4), step(5, vec![], error(KEPT))];
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
