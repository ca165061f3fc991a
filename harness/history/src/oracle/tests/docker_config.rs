//! The docker command's configuration: each rule of contract 5, broken and kept.

use rstest::rstest;
use serde_json::json;

use super::build::{
    app_is, assert_broken, assert_fine, began, checkpoint, command, history, log, process, ready,
    sound, steps, stopped,
};
use crate::judge::judge;
use crate::record::{
    CONFIG_FILE, DockerContent, DockerFile, DockerUser, Exit, FileChange, LogLevel, ProcessState,
    UserCommand, UserCommandEnd, What, WireMessage, WireWhat,
};
use crate::scenario::{OracleName, Phase};
use crate::verdict::Verdict;

const OURS: &str = "rancher-desktop-7";
const ORACLE: OracleName = OracleName::DockerConfigIntegrity;
const ENDPOINT: &str = "unix:///w/u.sock";

fn user(overruled: bool) -> What {
    What::DockerUser(DockerUser { context: OURS.to_owned(), overruled, about: true })
}

fn file(path: &str, how: FileChange, holds: DockerContent) -> What {
    What::DockerFile(DockerFile { path: path.to_owned(), how, by_user: false, holds })
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

fn context(name: &str, host: Option<&str>) -> What {
    let holds = DockerContent::Context { host: host.map(str::to_owned) };
    file(&format!("contexts/{name}"), FileChange::Changed, holds)
}

fn ours_is_there() -> What {
    context(OURS, Some("unix:///w/h/.rd7/docker.sock"))
}

fn ours_is_gone() -> What {
    file(&format!("contexts/{OURS}"), FileChange::Removed, DockerContent::Nothing)
}

fn endpoint(default: bool) -> What {
    What::Endpoint { address: Some(ENDPOINT.to_owned()), default }
}

fn ping(event: WireWhat) -> What {
    What::UserWire(WireMessage { connection: 0, exchange: 0, event })
}

fn asked() -> What {
    ping(WireWhat::Request {
        method: "HEAD".to_owned(),
        target: "/_ping".to_owned(),
        route: Some("/_ping".to_owned()),
        phase: Phase::Bootstrap,
    })
}

/// A run whose daemon is connected and whose user has this configuration; `then` follows.
fn connected(current: &str, then: Vec<What>) -> Vec<What> {
    let mut whats = vec![user(false), found(config(current, &[("auths/r", "1")])), ours_is_there()];
    whats.extend(then);
    sound(whats)
}

fn taken_over() -> What {
    replaced(config(OURS, &[("auths/r", "1")]))
}

// Each row is one change of the file by somebody who is no user's command.
#[rstest]
#[case(replaced(config("mine", &[])), "lost what is the user's: auths/r")]
#[case(replaced(config("mine", &[("auths/r", "2")])), "lost what is the user's: auths/r")]
#[case(replaced(config("mine", &[("auths/r", "1"), ("new", "1")])), "nobody asked for: new")]
#[case(replaced(config("mine", &[("auths/r", "1")])), "nothing in it is different")]
#[case(replaced(DockerContent::Nothing), "config.json is gone")]
#[case(replaced(config("other", &[("auths/r", "1")])), "nobody's choice")]
#[case(replaced(config("", &[("auths/r", "1")])), "nobody's choice")]
#[case(
    replaced(DockerContent::Malformed { why: "line 1, column 0".to_owned(), bytes: 0 }),
    "no configuration any more: 0 bytes"
)]
#[case(
    file(CONFIG_FILE, FileChange::Written, config(OURS, &[("auths/r", "1")])),
    "written to in its place"
)]
#[case(
    file(CONFIG_FILE, FileChange::Unlinked, config(OURS, &[("auths/r", "1")])),
    "was a link, and is a file of its own"
)]
fn what_the_daemon_may_not_do_to_the_file_is_found(#[case] change: What, #[case] text: &str) {
    assert_broken(connected("mine", vec![change]), ORACLE, text);
}

// Two changes may come to nothing, as when a daemon is stopped while it connects; three may not.
#[test]
fn changes_that_were_not_read_are_not_taken_for_one() {
    let passed = || replaced(DockerContent::Passed);
    let same = || replaced(config("mine", &[("auths/r", "1")]));
    assert_fine(connected("mine", vec![passed(), same()]));
    assert_broken(connected("mine", vec![passed(), passed(), same()]), ORACLE, "different");
    assert_broken(connected("mine", vec![passed(), same(), same()]), ORACLE, "different");
    let lost = replaced(config("mine", &[]));
    assert_broken(connected("mine", vec![passed(), lost]), ORACLE, "the user's: auths/r");
}

// A context that may have been taken over meanwhile is judged as one that was.
#[test]
fn a_context_that_is_given_back_before_it_was_read_was_taken_over() {
    let passed = || replaced(DockerContent::Passed);
    let given_back = || replaced(config("", &[("auths/r", "1")]));
    let gone = What::Endpoint { address: None, default: false };
    let dead = vec![gone, context("mine", Some("unix:///gone.sock")), passed(), given_back()];
    assert_fine(connected("mine", dead));
    let alive = vec![context("mine", Some("ssh://host")), passed(), given_back()];
    assert_broken(connected("mine", alive), ORACLE, "cannot be asked");
}

// The same changes by the harness for the user, and a change by a command of the user's, are fine; so is
// the only change that the daemon may make.
#[test]
fn what_a_user_does_to_the_file_is_the_users_business() {
    let What::DockerFile(by_somebody) = replaced(config("other", &[])) else { unreachable!() };
    let by_user = What::DockerFile(DockerFile { by_user: true, ..by_somebody });
    assert_fine(connected("mine", vec![by_user]));
    let login_is = |end| {
        let arguments = ["login", "s"].map(str::to_owned).to_vec();
        What::UserCommand(UserCommand { number: 1, arguments, end })
    };
    let end = UserCommandEnd { exit: Exit::Code(0), said: String::new() };
    let login = replaced(config("mine", &[("auths/r", "1"), ("auths/s", "1")]));
    assert_fine(connected("mine", vec![login_is(None), login, login_is(Some(end.clone()))]));
    let lost = replaced(config("mine", &[("auths/s", "1")]));
    let whats = connected("mine", vec![login_is(None), lost, login_is(Some(end))]);
    assert_broken(whats, ORACLE, "a login of the user's is lost from config.json: auths/r");
    assert_fine(connected("", vec![taken_over()]));
}

// What nobody can use may still be all that the user has; a docker command of the user's may replace it.
#[test]
fn a_file_that_is_none_is_not_replaced() {
    let cut_off = || DockerContent::Malformed { why: "line 1, column 9".to_owned(), bytes: 9 };
    let line = "Failed to read current Docker context error=\"cannot read /w/config.json\"";
    let told = log(LogLevel::Error, line);
    let begins = vec![user(false), found(cut_off()), ours_is_there(), app_is(ready(1)), told];
    let whats = |then: Vec<What>| sound([begins.clone(), then].concat());
    assert_fine(whats(vec![]));
    let replaced = replaced(config(OURS, &[("auths", "")]));
    let text = "could not be used (9 bytes, line 1, column 9), and was replaced by another";
    assert_broken(whats(vec![replaced.clone()]), ORACLE, text);
    let login_is = |end| {
        let arguments = ["login", "s"].map(str::to_owned).to_vec();
        What::UserCommand(UserCommand { number: 1, arguments, end })
    };
    let end = UserCommandEnd { exit: Exit::Code(0), said: String::new() };
    assert_fine(whats(vec![login_is(None), replaced, login_is(Some(end))]));
}

// The docker command takes an empty file for one without settings, and begins it with `auths`. Anything
// else in it would be nobody's.
#[test]
fn an_empty_configuration_may_be_written_like_a_new_one() {
    let begins = || vec![user(false), found(config("", &[])), ours_is_there(), app_is(ready(1))];
    let whats = |then: Vec<What>| sound([begins(), then].concat());
    assert_fine(whats(vec![replaced(config(OURS, &[("auths", "")]))]));
    assert_fine(whats(vec![replaced(config(OURS, &[]))]));
    let more = replaced(config(OURS, &[("auths", ""), ("new", "1")]));
    assert_broken(whats(vec![more]), ORACLE, "nobody asked for: new");
}

// Two daemons share one file, and each of their histories has every change of it. Only the first one's
// tells of what the user did, so the second one's must not be judged by it.
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
    assert!(!wrong("nobody's choice"), "{judged:#?}");
}

// A row is what is known of the context that is taken over, and why that is wrong; none, where it is
// right. Where the engine is asked, only its answer differs.
#[rstest]
#[case(vec![], None)]
#[case(vec![context("mine", Some("unix:///nowhere"))], None)]
#[case(vec![context("mine", Some("npipe:////./pipe/docker_engine"))], None)]
#[case(vec![context("mine", Some("ssh://far"))], Some("`ssh://far` cannot be asked"))]
#[case(vec![context("mine", None)], Some("no docker endpoint"))]
#[case(
    vec![file("contexts/mine", FileChange::Changed, DockerContent::Unreadable { why: "it".into() })],
    Some("nobody can say where it leads")
)]
#[case(vec![endpoint(false), context("mine", Some(ENDPOINT))], Some("was not asked"))]
#[case(
    vec![endpoint(false), context("mine", Some(ENDPOINT)), asked(),
         ping(WireWhat::Response { status: 200 })],
    Some("its engine answers")
)]
#[case(
    vec![endpoint(false), context("mine", Some(ENDPOINT)), asked(),
         ping(WireWhat::Response { status: 500 })],
    None
)]
#[case(
    vec![endpoint(false), context("mine", Some(ENDPOINT)), asked(),
         ping(WireWhat::Abandoned { gate: "g".into() })],
    Some("s for its answer")
)]
#[case(
    vec![endpoint(false), context("mine", Some(ENDPOINT)),
         What::Endpoint { address: None, default: false }],
    None
)]
fn a_context_is_taken_over_only_where_it_is_dead(
    #[case] known: Vec<What>,
    #[case] wrong: Option<&str>,
) {
    let whats = connected("mine", known.into_iter().chain([taken_over()]).collect());
    match wrong {
        Some(text) => assert_broken(whats, ORACLE, text),
        None => assert_fine(whats),
    }
}

// The engine has been asked, and has not answered: it is dead after 3 s and not before.
#[rstest]
#[case(2_000_000, Verdict::Fail)]
#[case(3_000_000, Verdict::Pass)]
fn an_engine_has_its_time_to_answer(#[case] after_us: u64, #[case] verdict: Verdict) {
    let known = vec![endpoint(false), context("mine", Some(ENDPOINT)), asked(), taken_over()];
    let mut history = history(connected("mine", known));
    let taken = history.iter().rposition(|record| matches!(record.what, What::DockerFile(_)));
    for record in &mut history[taken.expect("it is there")..] {
        record.at_us += after_us;
    }
    assert_eq!(judge(&history).verdict, verdict);
}

// `default` is a context like any other, whether it is named or not.
#[rstest]
#[case("")]
#[case("default")]
fn the_default_context_is_taken_over_only_where_it_is_dead(#[case] current: &str) {
    assert_fine(connected(current, vec![endpoint(false), taken_over()]));
    assert_broken(connected(current, vec![endpoint(true), taken_over()]), ORACLE, "not asked");
}

#[test]
fn an_environment_that_names_an_engine_is_heeded() {
    let whats = connected("", vec![user(true), taken_over()]);
    assert_broken(whats, ORACLE, "environment names an engine");
}

#[test]
fn the_context_is_there_while_the_engine_is_connected() {
    let whats = sound(vec![user(false), found(config("", &[]))]);
    assert_broken(whats, ORACLE, "connected, and there is no context rancher-desktop-7");
}

/// A run whose daemon was told to stop, and has; `then` comes before the last checkpoint.
fn after_stop(then: Vec<What>) -> Vec<What> {
    let mut whats = vec![user(false), found(config("", &[])), ours_is_there(), app_is(ready(1))];
    whats.push(app_is(stopped(2)));
    whats.extend(then);
    whats.extend(checkpoint(1));
    whats.push(What::Ended);
    whats
}

#[test]
fn nothing_of_the_daemons_is_left_after_a_stop() {
    assert_fine(after_stop(vec![ours_is_gone()]));
    assert_broken(after_stop(vec![]), ORACLE, "the context rancher-desktop-7 is there");
    let late = after_stop(vec![ours_is_gone(), replaced(config(OURS, &[]))]);
    assert_broken(late, ORACLE, "rancher-desktop-7 is the current context");
    let torn = |how| file(".config.json.x", how, DockerContent::Other);
    let left = after_stop(vec![ours_is_gone(), torn(FileChange::Made)]);
    assert_broken(left, ORACLE, ".config.json.x was left");
    let came_and_went = vec![ours_is_gone(), torn(FileChange::Made), torn(FileChange::Removed)];
    assert_fine(after_stop(came_and_went));
}

// The end of a service by its command is a stop, whatever the App wants. That of a killed one is none, nor
// is one that came before the command.
#[test]
fn nothing_of_the_daemons_is_left_by_a_service_that_ends() {
    let ends = |kill: bool, before_us: u64| {
        let mut whats = connected("", vec![taken_over()]);
        whats.pop();
        whats.push(steps(&json!([{ "daemon": "kill" }])));
        whats.extend(kill.then(|| began(0)));
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
    assert!(broken.violations[0].text.contains("the engine is stopped, and"), "{broken:#?}");
    assert_eq!(ends(true, 0).verdict, Verdict::Pass);
    assert_eq!(ends(false, 1_000_000).verdict, Verdict::Pass);
}

// The service is stopped by a step, and started again by the next one: only the context differs.
#[rstest]
#[case(true)]
#[case(false)]
fn nothing_of_the_daemons_is_left_to_the_next_one(#[case] gone: bool) {
    let mut whats = vec![user(false), found(config("", &[])), ours_is_there(), app_is(ready(1))];
    whats.push(process("daemon", ProcessState::Stopped));
    whats.extend(gone.then(ours_is_gone));
    whats.push(What::Command(command("svc stop", Exit::Code(0), "")));
    whats.push(What::StepDone { index: 0 });
    whats.push(ours_is_there());
    whats.push(process("daemon", ProcessState::Started));
    if gone {
        assert_fine(sound(whats));
    } else {
        assert_broken(sound(whats), ORACLE, "stopped, and the context rancher-desktop-7 is there");
    }
}

#[test]
fn a_directory_that_is_not_named_stays_as_it_is() {
    let touched = file("other/contexts", FileChange::Made, DockerContent::Other);
    assert_broken(connected("", vec![touched]), ORACLE, "other/contexts was touched");
}

// The configuration is none as the engine is connected; only the level of the line differs.
#[rstest]
#[case(LogLevel::Error, true)]
#[case(LogLevel::Info, false)]
fn a_configuration_that_is_none_is_told(#[case] level: LogLevel, #[case] fine: bool) {
    let broken = DockerContent::Unreadable { why: "is a directory".to_owned() };
    let line = "Failed to read current Docker context error=\"cannot read /w/config.json\"";
    let whats =
        vec![user(false), found(broken), ours_is_there(), app_is(ready(1)), log(level, line)];
    if fine {
        assert_fine(sound(whats));
    } else {
        assert_broken(sound(whats), ORACLE, "no error in the log says so");
    }
}
