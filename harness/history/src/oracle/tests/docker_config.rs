//! The docker command's configuration: each rule of contract 5, broken in one history and kept in another.

use rstest::rstest;
use serde_json::json;

use super::build::{
    app_is, assert_passes, assert_violates, checkpoint, command, complaints, healthy_run, history,
    log_line, process, ready_app, run_with_steps, step_began, stopped_app,
};
use crate::judge::judge;
use crate::oracle::docker_config_integrity;
use crate::record::{
    CONFIG_FILE, DockerContent, DockerFile, DockerUser, Exit, FileChange, LogLevel, ProcessState,
    UserCommand, UserCommandEnd, What, WireMessage, WireWhat,
};
use crate::scenario::{OracleName, Phase};
use crate::verdict::Verdict;

const OWN_CONTEXT: &str = "rancher-desktop-7";
const ORACLE: OracleName = OracleName::DockerConfigIntegrity;
const ENDPOINT: &str = "unix:///w/u.sock";

fn user(overruled: bool) -> What {
    What::DockerUser(DockerUser { context: OWN_CONTEXT.to_owned(), overruled, about: true })
}

fn file(path: &str, how: FileChange, holds: DockerContent) -> What {
    let path = path.to_owned();
    What::DockerFile(DockerFile { path, how, by_user: false, holds, attributes: None })
}

fn config(current: &str, members: &[(&str, &str)]) -> DockerContent {
    let members = members.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let current = Some(current.to_owned()).filter(|current| !current.is_empty());
    DockerContent::Config { current, members: members.collect() }
}

fn found(content: DockerContent) -> What {
    file(CONFIG_FILE, FileChange::Found, content)
}

fn replaced(content: DockerContent) -> What {
    file(CONFIG_FILE, FileChange::Replaced, content)
}

fn context_leads_to(name: &str, host: Option<&str>) -> What {
    let holds = DockerContent::Context { host: host.map(str::to_owned) };
    let What::DockerFile(file) = file(&format!("contexts/{name}"), FileChange::Changed, holds)
    else {
        unreachable!("it is one")
    };
    // The daemon may write no context but its own.
    What::DockerFile(DockerFile { by_user: name != OWN_CONTEXT, ..file })
}

fn own_context_exists() -> What {
    context_leads_to(OWN_CONTEXT, Some("unix:///w/h/.rd7/docker.sock"))
}

fn own_context_removed() -> What {
    file(&format!("contexts/{OWN_CONTEXT}"), FileChange::Removed, DockerContent::Nothing)
}

fn endpoint(default: bool) -> What {
    What::Endpoint { address: Some(ENDPOINT.to_owned()), default }
}

fn ping(event: WireWhat) -> What {
    What::UserWire(WireMessage { connection: 0, exchange: 0, event })
}

fn pinged() -> What {
    ping(WireWhat::Request {
        method: "HEAD".to_owned(),
        target: "/_ping".to_owned(),
        route: Some("/_ping".to_owned()),
        phase: Phase::Bootstrap,
    })
}

/// A run whose daemon is connected and whose user has this configuration; `then` follows.
fn connected(current: &str, then: Vec<What>) -> Vec<What> {
    let mut whats =
        vec![user(false), found(config(current, &[("auths/r", "1")])), own_context_exists()];
    whats.extend(then);
    healthy_run(whats)
}

fn own_context_chosen() -> What {
    replaced(config(OWN_CONTEXT, &[("auths/r", "1")]))
}

// Each row is one change of the file while no docker command of the user runs, so the daemon made it.
#[rstest]
#[case(replaced(config("mine", &[])), "lost values of the user: auths/r")]
#[case(replaced(config("mine", &[("auths/r", "2")])), "lost values of the user: auths/r")]
#[case(replaced(config("mine", &[("auths/r", "1"), ("new", "1")])), "nobody asked for: new")]
#[case(replaced(config("mine", &[("auths/r", "1")])), "nothing in it changed")]
#[case(replaced(DockerContent::Nothing), "config.json is gone")]
#[case(replaced(config("other", &[("auths/r", "1")])), "the user did not choose that")]
#[case(replaced(config("", &[("auths/r", "1")])), "the user did not choose that")]
#[case(
    replaced(DockerContent::Malformed { why: "line 1, column 0".to_owned(), bytes: 0 }),
    "not a valid configuration any more: 0 bytes"
)]
#[case(
    file(CONFIG_FILE, FileChange::Written, config(OWN_CONTEXT, &[("auths/r", "1")])),
    "written in place"
)]
#[case(
    file(CONFIG_FILE, FileChange::Unlinked, config(OWN_CONTEXT, &[("auths/r", "1")])),
    "was a link, and a regular file has replaced it"
)]
fn a_change_that_the_daemon_must_not_make_is_found(#[case] change: What, #[case] text: &str) {
    assert_violates(connected("mine", vec![change]), ORACLE, text);
}

// Two changes may cancel each other, for example if a daemon is stopped while it connects. So equal
// contents after exactly one unread change prove nothing; after none or two they prove a needless write.
#[test]
fn an_unread_change_is_counted_as_a_change() {
    let passed = || replaced(DockerContent::Passed);
    let same = || replaced(config("mine", &[("auths/r", "1")]));
    assert_passes(connected("mine", vec![passed(), same()]));
    assert_violates(
        connected("mine", vec![passed(), passed(), same()]),
        ORACLE,
        "nothing in it changed",
    );
    assert_violates(
        connected("mine", vec![passed(), same(), same()]),
        ORACLE,
        "nothing in it changed",
    );
    let lost = replaced(config("mine", &[]));
    assert_violates(connected("mine", vec![passed(), lost]), ORACLE, "values of the user: auths/r");
}

// An unread change may have made the daemon's context the current one, so the oracle judges the context as
// if it had. The two histories differ in whether the user's engine may be alive.
#[test]
fn a_context_that_was_replaced_in_an_unread_change_is_judged() {
    let passed = || replaced(DockerContent::Passed);
    let given_back = || replaced(config("", &[("auths/r", "1")]));
    let gone = What::Endpoint { address: None, default: false };
    let dead =
        vec![gone, context_leads_to("mine", Some("unix:///gone.sock")), passed(), given_back()];
    assert_passes(connected("mine", dead));
    let alive = vec![context_leads_to("mine", Some("ssh://host")), passed(), given_back()];
    assert_violates(connected("mine", alive), ORACLE, "cannot ping");
}

// The user may make the same changes, through the harness or by a docker command. The last history
// contains the only change that the daemon may make.
#[test]
fn a_change_by_the_user_is_no_violation() {
    let What::DockerFile(by_somebody) = replaced(config("other", &[])) else { unreachable!() };
    let by_user = What::DockerFile(DockerFile { by_user: true, ..by_somebody });
    assert_passes(connected("mine", vec![by_user]));
    let login_is = |end| {
        let arguments = ["login", "s"].map(str::to_owned).to_vec();
        What::UserCommand(UserCommand { number: 1, arguments, end })
    };
    let end = UserCommandEnd { exit: Exit::Code(0), said: String::new() };
    let login = replaced(config("mine", &[("auths/r", "1"), ("auths/s", "1")]));
    assert_passes(connected("mine", vec![login_is(None), login, login_is(Some(end.clone()))]));
    let lost = replaced(config("mine", &[("auths/s", "1")]));
    let whats = connected("mine", vec![login_is(None), lost, login_is(Some(end))]);
    assert_violates(whats, ORACLE, "config.json has lost a login of the user: auths/r");
    assert_passes(connected("", vec![own_context_chosen()]));
}

// An invalid file may still be all that the user has, so only a docker command of the user may replace it.
#[test]
fn an_invalid_file_is_not_replaced_by_the_daemon() {
    let cut_off = || DockerContent::Malformed { why: "line 1, column 9".to_owned(), bytes: 9 };
    let line = "Failed to read current Docker context error=\"cannot read /w/config.json\"";
    let logged = log_line(LogLevel::Error, line);
    let begins =
        vec![user(false), found(cut_off()), own_context_exists(), app_is(ready_app(1)), logged];
    let whats = |then: Vec<What>| healthy_run([begins.clone(), then].concat());
    assert_passes(whats(vec![]));
    let replaced = replaced(config(OWN_CONTEXT, &[("auths", "")]));
    let text = "replaced config.json, which could not be used (9 bytes, line 1, column 9)";
    assert_violates(whats(vec![replaced.clone()]), ORACLE, text);
    let login_is = |end| {
        let arguments = ["login", "s"].map(str::to_owned).to_vec();
        What::UserCommand(UserCommand { number: 1, arguments, end })
    };
    let end = UserCommandEnd { exit: Exit::Code(0), said: String::new() };
    assert_passes(whats(vec![login_is(None), replaced, login_is(Some(end))]));
}

// The docker command reads an empty file as one without settings, and writes `auths` into it first. Nobody asked
// for any other key.
#[test]
fn an_empty_configuration_may_be_written_like_a_new_one() {
    let begins =
        || vec![user(false), found(config("", &[])), own_context_exists(), app_is(ready_app(1))];
    let whats = |then: Vec<What>| healthy_run([begins(), then].concat());
    assert_passes(whats(vec![replaced(config(OWN_CONTEXT, &[("auths", "")]))]));
    assert_passes(whats(vec![replaced(config(OWN_CONTEXT, &[]))]));
    let more = replaced(config(OWN_CONTEXT, &[("auths", ""), ("new", "1")]));
    assert_violates(whats(vec![more]), ORACLE, "nobody asked for: new");
}

// Two daemons share the file, and both histories contain every change. Only the first history contains the
// user's commands, so the second one must not be used to judge who made a change.
#[test]
fn a_file_of_two_daemons_is_judged_once() {
    let other = replaced(config("other", &[("auths/r", "1")]));
    let mut history = history(connected("mine", vec![other]));
    assert_eq!(judge(&history).oracles(), [ORACLE]);
    let first = history.clone();
    history.iter_mut().for_each(|record| record.neighbour = true);
    let both: Vec<_> = first
        .into_iter()
        .filter(|record| !matches!(record.what, What::DockerFile(_)))
        .chain(history)
        .collect();
    let judged = judge(&both);
    let wrong = |text: &str| judged.violations.iter().any(|broken| broken.text.contains(text));
    assert!(!wrong("the user did not choose that"), "{judged:#?}");
}

// Each row has the records about the user's context, and the violation if the daemon replaces it; `None`
// if the daemon may. The rows with a ping differ only in the engine's answer.
#[rstest]
#[case(vec![], None)]
#[case(vec![context_leads_to("mine", Some("unix:///nowhere"))], None)]
#[case(vec![context_leads_to("mine", Some("npipe:////./pipe/docker_engine"))], None)]
#[case(vec![context_leads_to("mine", Some("ssh://far"))], Some("the daemon cannot ping `ssh://far`"))]
#[case(vec![context_leads_to("mine", None)], Some("no docker endpoint"))]
#[case(
    vec![file("contexts/mine", FileChange::Found, DockerContent::Unreadable { why: "it".into() })],
    Some("cannot read its address")
)]
#[case(vec![endpoint(false), context_leads_to("mine", Some(ENDPOINT))], Some("did not ping it"))]
#[case(
    vec![endpoint(false), context_leads_to("mine", Some(ENDPOINT)), pinged(),
         ping(WireWhat::Response { status: 200 })],
    Some("its engine answers")
)]
#[case(
    vec![endpoint(false), context_leads_to("mine", Some(ENDPOINT)), pinged(),
         ping(WireWhat::Response { status: 500 })],
    None
)]
#[case(
    vec![endpoint(false), context_leads_to("mine", Some(ENDPOINT)), pinged(),
         ping(WireWhat::Abandoned { gate: "g".into() })],
    Some("s for its engine's answer")
)]
#[case(
    vec![endpoint(false), context_leads_to("mine", Some(ENDPOINT)),
         What::Endpoint { address: None, default: false }],
    None
)]
fn a_context_is_replaced_only_if_its_engine_is_dead(
    #[case] known: Vec<What>,
    #[case] wrong: Option<&str>,
) {
    let whats = connected("mine", known.into_iter().chain([own_context_chosen()]).collect());
    match wrong {
        Some(text) => assert_violates(whats, ORACLE, text),
        None => assert_passes(whats),
    }
}

// The engine has not answered a ping. It counts as dead after 3 s and not before.
#[rstest]
#[case(2_000_000, Verdict::Fail)]
#[case(3_000_000, Verdict::Pass)]
fn an_engine_has_its_time_to_answer(#[case] after_us: u64, #[case] verdict: Verdict) {
    let known = vec![
        endpoint(false),
        context_leads_to("mine", Some(ENDPOINT)),
        pinged(),
        own_context_chosen(),
    ];
    let mut history = history(connected("mine", known));
    let taken = history.iter().rposition(|record| matches!(record.what, What::DockerFile(_)));
    for record in &mut history[taken.expect("it is there")..] {
        record.at_us += after_us;
    }
    assert_eq!(judge(&history).verdict, verdict);
}

// An empty current context means `default`, so both rows must have the same result.
#[rstest]
#[case("")]
#[case("default")]
fn the_default_context_is_replaced_only_if_its_engine_is_dead(#[case] current: &str) {
    assert_passes(connected(current, vec![endpoint(false), own_context_chosen()]));
    assert_violates(
        connected(current, vec![endpoint(true), own_context_chosen()]),
        ORACLE,
        "did not ping it",
    );
}

#[test]
fn an_environment_that_names_an_engine_protects_the_current_context() {
    let whats = connected("", vec![user(true), own_context_chosen()]);
    assert_violates(whats, ORACLE, "environment names an engine");
}

#[test]
fn the_daemons_context_exists_while_the_engine_is_connected() {
    let whats = healthy_run(vec![user(false), found(config("", &[]))]);
    assert_violates(whats, ORACLE, "connected, but there is no context rancher-desktop-7");
}

// The daemon writes its context again when it connects the next time, not earlier.
#[rstest]
#[case::by_the_harness(true, false)]
#[case::by_the_docker_command(false, true)]
fn a_user_may_remove_the_daemons_context(#[case] by_user: bool, #[case] by_command: bool) {
    let What::DockerFile(removed) = own_context_removed() else { unreachable!("it is one") };
    let removal = What::DockerFile(DockerFile { by_user, ..removed });
    let arguments: Vec<_> =
        ["context", "rm", "-f", OWN_CONTEXT].into_iter().map(str::to_owned).collect();
    let command =
        |end| What::UserCommand(UserCommand { number: 1, arguments: arguments.clone(), end });
    let end = UserCommandEnd { exit: Exit::Code(0), said: String::new() };
    let mut whats = vec![user(false), found(config("", &[])), own_context_exists()];
    whats.push(app_is(ready_app(1)));
    if by_command {
        whats.extend([command(None), removal, command(Some(end))]);
    } else {
        whats.push(removal);
    }
    let stopped = [app_is(stopped_app(2)), app_is(ready_app(3))];
    assert_passes(healthy_run(whats.clone()));
    assert_violates(
        healthy_run([whats, Vec::from(stopped)].concat()),
        ORACLE,
        "connected, but there is no context rancher-desktop-7",
    );
}

// While the daemon is stopped, the context of its name is the user's.
#[test]
fn a_user_may_create_a_context_of_the_daemons_name() {
    let What::DockerFile(created) = own_context_exists() else { unreachable!("it is one") };
    let by_user = What::DockerFile(DockerFile { by_user: true, ..created });
    assert_passes(after_stop(vec![own_context_removed(), by_user]));
    assert_violates(
        after_stop(vec![own_context_removed(), own_context_exists()]),
        ORACLE,
        "the engine is stopped, but the context rancher-desktop-7 still exists",
    );
}

/// A run whose App was told to stop and has stopped; `then` is inserted before the last checkpoint.
fn after_stop(then: Vec<What>) -> Vec<What> {
    let mut whats =
        vec![user(false), found(config("", &[])), own_context_exists(), app_is(ready_app(1))];
    whats.push(app_is(stopped_app(2)));
    whats.extend(then);
    whats.extend(checkpoint(1));
    whats.push(What::Ended);
    whats
}

#[test]
fn the_daemon_leaves_nothing_after_a_stop() {
    assert_passes(after_stop(vec![own_context_removed()]));
    assert_violates(after_stop(vec![]), ORACLE, "the context rancher-desktop-7 still exists");
    let late = after_stop(vec![own_context_removed(), replaced(config(OWN_CONTEXT, &[]))]);
    assert_violates(late, ORACLE, "rancher-desktop-7 is still the current context");
    let torn = |how| file(".config.json.x", how, DockerContent::Other);
    let left = after_stop(vec![own_context_removed(), torn(FileChange::Made)]);
    assert_violates(left, ORACLE, ".config.json.x was left");
    let came_and_went =
        vec![own_context_removed(), torn(FileChange::Made), torn(FileChange::Removed)];
    assert_passes(after_stop(came_and_went));
}

// If `svc stop` ends the daemon, that is a stop, whatever the App wants. A killed daemon has not stopped,
// and neither has one that ended before the command began.
#[test]
fn a_daemon_that_its_command_stops_leaves_nothing() {
    let ends = |kill: bool, before_us: u64| {
        let mut whats = connected("", vec![own_context_chosen()]);
        whats.pop();
        whats.push(run_with_steps(&json!([{ "daemon": "kill" }])));
        whats.extend(kill.then(|| step_began(0)));
        let stop = What::Command(command("svc stop", Exit::Code(0), ""));
        whats.extend([process("daemon", ProcessState::Stopped), stop, What::Ended]);
        let mut history = history(whats);
        let ended = history.len() - 3;
        history[ended + 1].at_us += before_us;
        history[ended + 2].at_us += before_us;
        judge(&history)
    };
    let broken = ends(false, 0);
    assert_eq!(broken.oracles(), [ORACLE], "{broken:#?}");
    assert!(broken.violations[0].text.contains("the engine is stopped, but"), "{broken:#?}");
    assert_eq!(ends(true, 0).verdict, Verdict::Pass);
    assert_eq!(ends(false, 1_000_000).verdict, Verdict::Pass);
}

// One step stops the service, and the next one starts it again. The two histories differ only in whether
// the context was removed in between.
#[rstest]
#[case(true)]
#[case(false)]
fn a_daemon_leaves_nothing_to_the_next_one(#[case] gone: bool) {
    let mut whats =
        vec![user(false), found(config("", &[])), own_context_exists(), app_is(ready_app(1))];
    whats.push(process("daemon", ProcessState::Stopped));
    whats.extend(gone.then(own_context_removed));
    whats.push(What::Command(command("svc stop", Exit::Code(0), "")));
    whats.push(What::StepDone { index: 0 });
    whats.push(own_context_exists());
    whats.push(process("daemon", ProcessState::Started));
    if gone {
        assert_passes(healthy_run(whats));
    } else {
        assert_violates(
            healthy_run(whats),
            ORACLE,
            "stopped, but the context rancher-desktop-7 still exists",
        );
    }
}

#[test]
fn a_directory_outside_docker_config_is_not_changed() {
    let touched = file("other/contexts", FileChange::Made, DockerContent::Other);
    assert_violates(connected("", vec![touched]), ORACLE, "the daemon changed other/contexts");
}

// The configuration cannot be read when the engine connects. Only the level of the log line differs.
#[rstest]
#[case(LogLevel::Error, true)]
#[case(LogLevel::Info, false)]
fn a_configuration_that_cannot_be_read_is_logged_as_an_error(
    #[case] level: LogLevel,
    #[case] fine: bool,
) {
    let broken = DockerContent::Unreadable { why: "is a directory".to_owned() };
    let line = "Failed to read current Docker context error=\"cannot read /w/config.json\"";
    let whats = vec![
        app_is(stopped_app(2)),
        user(false),
        found(broken),
        own_context_exists(),
        app_is(ready_app(3)),
        log_line(level, line),
    ];
    if fine {
        assert_passes(healthy_run(whats));
    } else {
        assert_violates(healthy_run(whats), ORACLE, "no error in the log says so");
    }
}

// The file breaks while the engine is connected. The daemon reads it when it connects the next time.
#[rstest]
#[case::still_connected(vec![], true)]
#[case::connected_again(vec![app_is(stopped_app(2)), app_is(ready_app(3))], false)]
fn a_configuration_that_nobody_reads_need_not_be_logged(
    #[case] then: Vec<What>,
    #[case] fine: bool,
) {
    let mut broken = found(DockerContent::Unreadable { why: "is a directory".to_owned() });
    if let What::DockerFile(file) = &mut broken {
        file.by_user = true;
    }
    let whats = vec![user(false), found(config("", &[])), own_context_exists(), broken];
    let complaints = complaints(docker_config_integrity, healthy_run([whats, then].concat()));
    let shown = complaints.iter().any(|text| text.contains("no error in the log says so"));
    assert_eq!(shown, !fine, "{complaints:?}");
}

// A stop cannot remove the context while the disk is read-only.
#[rstest]
#[case::read_only("read_only", true)]
#[case::normal("normal", false)]
fn a_context_on_a_failed_disk_is_left(#[case] disk: &str, #[case] fine: bool) {
    let mut whats = vec![user(false), found(config(OWN_CONTEXT, &[])), own_context_exists()];
    let steps = json!([{ "docker_disk": "read_only" }, { "docker_disk": disk }]);
    whats.extend([run_with_steps(&steps), step_began(0), step_began(1)]);
    whats.push(app_is(stopped_app(2)));
    let complaints = complaints(docker_config_integrity, healthy_run(whats));
    let shown = complaints.iter().any(|text| text.contains("the engine is stopped"));
    assert_eq!(shown, !fine, "{complaints:?}");
}

// The disk is read-only when the engine connects, so the daemon cannot write its context. The log has an
// error about that, one about something else, none at all; or the context is from before.
#[rstest]
#[case::logged(
    Some("Failed to create Docker context error=\"cannot create /w/contexts/meta/1\""),
    false,
    true
)]
#[case::other(Some("Failed to pause container 1"), false, false)]
#[case::silent(None, false, false)]
#[case::written_before(None, true, true)]
fn a_context_that_cannot_be_written_is_logged_as_an_error(
    #[case] line: Option<&str>,
    #[case] exists: bool,
    #[case] fine: bool,
) {
    let mut whats = vec![user(false), found(config("", &[]))];
    whats.extend(exists.then(own_context_exists));
    whats.extend([run_with_steps(&json!([{ "docker_disk": "read_only" }])), step_began(0)]);
    whats.push(app_is(ready_app(1)));
    whats.extend(line.map(|line| log_line(LogLevel::Error, line)));
    let complaints = complaints(docker_config_integrity, healthy_run(whats));
    let shown = complaints.iter().any(|text| text.contains("context could not be written"));
    assert_eq!(shown, !fine, "{complaints:?}");
}
