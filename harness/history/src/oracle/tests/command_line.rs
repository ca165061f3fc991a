//! Commands that print and end as they promise, and some that do not.

use rstest::rstest;
use serde_json::json;

use super::build::*;
use crate::oracle::command_line;
use crate::record::{CommandRun, Exit, ProcessState, What};

/// A command that ended with this code and printed this.
fn ran(text: &str, code: i32, stdout: &str, stderr: &str) -> What {
    let run = command(text, Exit::Code(code), "");
    What::Command(CommandRun { stdout: stdout.to_owned(), stderr: stderr.to_owned(), ..run })
}

fn judged(whats: Vec<What>) -> String {
    complaints(command_line, whats).join("; ")
}

/// A message at this level.
fn logrus(level: &str, text: &str) -> String {
    format!("time=\"t\" level={level} msg=\"{text}\"\n")
}

#[rstest]
#[case::data("version", 0, "v1\n", "", "")]
#[case::help("help set", 0, "Usage:\n", "", "")]
#[case::group("svc", 0, "Usage:\n", "", "")]
#[case::message_on_stdout(
    "set running=true",
    0,
    "done\n",
    "",
    "printed on its standard output: done"
)]
#[case::no_message("set running=true", 0, "", "done\n", "wrote a line that is no message: done")]
#[case::klog("svc start", 0, "", "E1130 10:00:00.0 1 a.go:1] \"no\"\n", "")]
#[case::klog_of_a_watch(
    "svc start",
    0,
    "",
    "I1201 10:00:00.0 1 a.go:1] \"Warning: watch ended with error\"\n",
    ""
)]
#[case::code("svc status", 2, "", "", "exited 2")]
#[case::other_program("ctl get pods", 2, "x", "y", "")]
fn a_command_prints_data_and_messages(
    #[case] text: &str,
    #[case] code: i32,
    #[case] stdout: &str,
    #[case] stderr: &str,
    #[case] expected: &str,
) {
    let found = judged(vec![ran(text, code, stdout, stderr)]);
    assert!(
        if expected.is_empty() { found.is_empty() } else { found.contains(expected) },
        "{found}"
    );
}

#[test]
fn quiet_messages_are_shown_on_demand_only() {
    let text = logrus("info", "App updated");
    let found = judged(vec![ran("set --wait=false running=true", 0, "", &text)]);
    assert!(found.contains("showed a message of level info unasked"), "{found}");
    let asked = ran("set --wait=false --log-level=info running=true", 0, "", &text);
    assert_eq!(judged(vec![asked]), "");
    assert_eq!(judged(vec![ran("set --log-level=loud running=true", 1, "", "")]), "");
    assert_eq!(judged(vec![ran("svc status --instance=9", 1, "", "")]), "");
    let found = judged(vec![ran("set --log-level=loud running=true", 0, "", "")]);
    assert!(found.contains("was given a level that there is not"), "{found}");
}

#[rstest]
#[case("running", 1)]
#[case("=true", 1)]
#[case("running=yes", 1)]
#[case("kubernetes=x", 1)]
#[case("containerEngine.name=docker", 1)]
#[case("kubernetes.version=soon", 3)]
#[case("kubernetes.version=9.9", 3)]
#[case("kubernetes.version=1", 3)]
fn a_bad_property_is_refused_with_the_promised_code(#[case] property: &str, #[case] code: i32) {
    let with = |code| judged(vec![ran(&format!("set {property}"), code, "", "")]);
    assert_eq!(with(code), "");
    assert!(with(0).contains(&format!("not with code {code}")), "{}", with(0));
    assert!(with(4 - code).contains(&format!("not with code {code}")));
}

// Channels are taken. Which versions are bundled depends on the daemon.
#[rstest]
#[case("v1.33", false)]
#[case("1.35", false)]
#[case("latest", false)]
#[case("1.33.5", true)]
#[case("v1.36", true)]
fn a_channel_is_taken_and_a_version_may_be_refused(#[case] version: &str, #[case] may: bool) {
    let set = format!("set kubernetes.version={version}");
    assert_eq!(judged(vec![ran(&set, 3, "", "")]).is_empty(), may);
    assert_eq!(judged(vec![ran(&set, 0, "", "")]), "");
}

// Another code than 3 says that the daemon could not be asked; that is for the schedule to judge.
#[test]
fn a_good_property_is_not_refused() {
    let found = judged(vec![ran("set running=F", 3, "", "")]);
    assert!(found.contains("was refused"), "{found}");
    assert_eq!(judged(vec![ran("set running=F", 4, "", "")]), "");
}

fn daemon(state: ProcessState) -> What {
    What::Process { name: "daemon".to_owned(), pid: 77, started: 1, state }
}

#[rstest]
#[case::runs(true, "true", "77", "")]
#[case::other_pid(true, "true", "778", "does not say `PID is: 77`")]
#[case::denied(true, "false", "77", "does not say `has been started: true`")]
#[case::is_down(false, "false", "0", "")]
#[case::claimed(false, "true", "77", "does not say `has been started: false`")]
fn status_says_what_is_so(
    #[case] runs: bool,
    #[case] started: &str,
    #[case] pid: &str,
    #[case] expected: &str,
) {
    let lines = [
        logrus("info", "it has been created: true"),
        logrus("info", &format!("it has been started: {started}")),
        logrus("info", &format!("its PID is: {pid}")),
    ];
    let state = if runs { ProcessState::Started } else { ProcessState::Stopped };
    let found = judged(vec![daemon(state), ran("svc status", 0, "", &lines.concat())]);
    assert!(
        if expected.is_empty() { found.is_empty() } else { found.contains(expected) },
        "{found}"
    );
}

/// The daemon of the world runs, and the other instance does not exist.
#[test]
fn the_status_of_another_instance_is_not_that_of_the_daemon() {
    let line = logrus("info", "it has been created: false");
    let other = |command| judged(vec![daemon(ProcessState::Started), ran(command, 0, "", &line)]);
    assert_eq!(other("--instance=97 svc status"), "");
    assert!(other("svc status").contains("does not say `has been started: true`"));
}

/// The table of `svc paths` for the instance 4, with one word replaced.
fn table(from: &str, to: &str) -> String {
    let dir = "/h/.local/share/rancher-desktop-4";
    let lines = [
        format!("args_file {dir}/args.json"),
        format!("config {dir}/config.yaml"),
        format!("dir {dir}"),
        "docker_socket /h/.rd4/docker.sock".to_owned(),
        format!("k3s_config {dir}/k3s.yaml"),
        "lima_home /h/.rd4/lima".to_owned(),
        "log_dir /h/.local/state/rancher-desktop-4".to_owned(),
        format!("pid_file {dir}/rdd.pid"),
        "short_dir /h/.rd4".to_owned(),
        format!("tls_dir {dir}/tls"),
    ];
    lines.join("\n").replace(from, to)
}

#[rstest]
#[case("svc paths", "4", "4", "")]
#[case("svc paths", "docker.sock", "d.sock", "says docker_socket is `/h/.rd4/d.sock`")]
#[case("svc paths", "tls_dir", "tls", "says tls_dir is ``")]
#[case("svc paths", "/h/.rd4", "/h/.rd5", "says short_dir is `/h/.rd5`, not `/h/.rd4`")]
#[case("--instance=5 svc paths", "4", "4", "says the directory of the instance 4")]
fn paths_are_those_of_the_instance(
    #[case] text: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &str,
) {
    let found = judged(vec![ran(text, 0, &table(from, to), "")]);
    assert!(
        if expected.is_empty() { found.is_empty() } else { found.contains(expected) },
        "{found}"
    );
}

#[rstest]
#[case("svc paths dir", 0, "/h/x\n", true)]
#[case("svc paths dir", 0, "dir /h/x\nlog_dir /h/y\n", false)]
#[case("svc paths nowhere", 1, "", true)]
#[case("svc paths nowhere", 0, "/h/x\n", false)]
fn one_path_is_printed_alone(
    #[case] text: &str,
    #[case] code: i32,
    #[case] stdout: &str,
    #[case] fits: bool,
) {
    let found = judged(vec![ran(text, code, stdout, "")]);
    assert_eq!(found.is_empty(), fits, "{found}");
}

#[test]
fn the_kubeconfig_has_two_contexts_and_a_server_of_this_machine() {
    let text = "server: https://127.0.0.1:6443\nname: user\ncurrent-context: root\n";
    assert_eq!(judged(vec![ran("svc config", 0, text, "")]), "");
    let found = judged(vec![ran("svc config", 0, &text.replace("127.0.0.1", "0.0.0.0"), "")]);
    assert!(found.contains("printed no `server: https://127.0.0.1:`"), "{found}");
}

/// A command that waits, then the list of an App at generation 2 that has settled there.
fn waited(lines: &[&str]) -> String {
    let stderr: String = lines.iter().map(|line| logrus("info", line)).collect();
    let old = app_is(at_version(1, app(1, true, &[("Settled", "False", "EngineStale", 1)])));
    let now = at_version(2, ready_app(2));
    let command = ran("start --log-level=info", 0, "", &stderr);
    judged(vec![old, app_is(now.clone()), command, listed("apps", 2, vec![now])])
}

const SETTLED: &str = "Settled=True: m (Settled)";

#[rstest]
#[case::right(&["Waiting for App to settle", "Running=True: m (Started)", SETTLED], "")]
#[case::old(&["Settled=False: m (EngineStale)", SETTLED], "no condition of the App at generation 2")]
#[case::invented(&["Settled=False: m (Odd)", SETTLED], "no condition of the App at generation 2")]
#[case::again(&[SETTLED, SETTLED], "reported again")]
#[case::silent(&["Running=True: m (Started)"], "did not report that the App has settled")]
fn the_lines_of_a_wait_are_conditions_of_its_generation(
    #[case] lines: &[&str],
    #[case] expected: &str,
) {
    let found = waited(lines);
    assert!(
        if expected.is_empty() { found.is_empty() } else { found.contains(expected) },
        "{found}"
    );
}

#[rstest]
#[case("set running=1", 2, true, "")]
#[case("stop", 2, true, "`stop` returned 0, but running of the App is true")]
#[case(
    "set containerEngine.name=containerd",
    2,
    true,
    "but containerEngine.name of the App is moby"
)]
#[case("set --dry-run running=false", 1, true, "")]
#[case("set --dry-run running=false", 2, true, "the App's generation rose from 1")]
fn the_app_has_what_a_command_has_set(
    #[case] text: &str,
    #[case] generation: i64,
    #[case] running: bool,
    #[case] expected: &str,
) {
    let before = app_is(at_version(1, app(1, running, &[])));
    let mut after =
        at_version(2, app(generation, running, &[("Settled", "True", "Settled", generation)]));
    after["metadata"]["uid"] = json!("a1");
    let found = judged(vec![before, ran(text, 0, "", ""), listed("apps", 2, vec![after])]);
    assert!(
        if expected.is_empty() { found.is_empty() } else { found.contains(expected) },
        "{found}"
    );
}

// The watch shows the App that the dry run itself creates before the command has ended. Its defaults are
// written later.
#[test]
fn a_dry_run_may_create_the_app_and_its_defaults() {
    let at = |generation| {
        let conditions = [("Settled", "True", "Settled", generation)];
        let mut app = at_version(2, app(generation, false, &conditions));
        app["metadata"]["uid"] = json!("a1");
        app
    };
    let created = || app_is(at_version(1, app(1, false, &[])));
    let end = || vec![ran("set --dry-run running=true", 0, "", ""), listed("apps", 2, vec![at(2)])];
    let found = judged([vec![step_began(0), created()], end()].concat());
    assert!(found.is_empty(), "{found}");
    let found = judged([vec![created(), step_began(0)], end()].concat());
    assert!(found.contains("generation rose from 1"), "{found}");
}
