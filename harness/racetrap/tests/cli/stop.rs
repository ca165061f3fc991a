//! Requests to stop while several runs are planned.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::sandbox::{Sandbox, outcome};

/// How long the first run may take until it holds a message.
const LIMIT: Duration = Duration::from_secs(60);

/// Starts the command, and waits until its first run holds a message at a gate. The run stays
/// there, so that the request to stop comes during the run.
fn begin(sandbox: &Sandbox, arguments: &[&str]) -> Child {
    begin_by(sandbox, sandbox.process(arguments))
}

#[track_caller]
fn begin_by(sandbox: &Sandbox, mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    #[expect(clippy::disallowed_methods, reason = "the test signals the process itself")]
    let child = command.spawn().expect("the command can be run");
    wait_until_held(sandbox);
    child
}

#[track_caller]
fn wait_until_held(sandbox: &Sandbox) {
    let began = Instant::now();
    loop {
        let journal = journal(sandbox);
        if journal.contains("\"wire\":\"held\"") {
            return;
        }
        assert!(began.elapsed() < LIMIT, "nothing was held within {LIMIT:?}: {journal}");
        std::thread::yield_now();
    }
}

/// The journal of the only run that has begun, as far as it is written.
fn journal(sandbox: &Sandbox) -> String {
    let run = sandbox.runs().into_iter().next();
    let journal = run.map(|run| std::fs::read_to_string(run.join("journal.jsonl")));
    journal.and_then(Result::ok).unwrap_or_default()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it runs");
}

#[expect(clippy::disallowed_methods, reason = "the test signals the process itself")]
fn ended(child: Child) -> Output {
    child.wait_with_output().expect("it ends")
}

/// With one world at a time, the other runs have not begun when the request comes: they must have
/// no evidence and say that they did not begin.
#[test]
fn a_request_to_stop_ends_the_run_and_keeps_all_others_back_with_exit_code_3() {
    let sandbox = Sandbox::new();
    let targets = ["run", "295-I3", "295-I1", "295-I4", "--jobs", "1", "--format", "json"];
    let child = begin(&sandbox, &targets);
    signal(&child, Signal::INT);
    let output = ended(child);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("a second request ends racetrap at once"), "{stderr}");
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let runs = object["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    assert!(runs.iter().all(|run| run["verdict"] == "unknown"), "{object}");
    let first = runs[0]["unknowns"].to_string();
    assert!(first.contains("told to stop by SIGINT") && !first.contains("not begun"), "{first}");
    for (run, id) in runs[1..].iter().zip(["295-I1", "295-I4"]) {
        assert_eq!(run["unknowns"][0], "not begun: the harness was told to stop by SIGINT");
        assert_eq!(run["evidence"], Value::Null);
        assert_eq!(run["again"], format!("racetrap repro {id}"));
    }
    assert_eq!(sandbox.runs().len(), 1);
}

/// The terminal or the connection ends: evidence must be written as after SIGTERM. Under nohup(1), the run
/// goes on until another request comes.
#[rstest]
#[case::at_the_end_of_a_terminal(false)]
#[case::under_nohup(true)]
fn a_hang_up_is_a_request_to_stop_unless_it_is_ignored(#[case] is_ignored: bool) {
    let sandbox = Sandbox::new();
    let own = sandbox.process(&["run", "295-I3", "--jobs", "1", "--format", "json"]);
    // The tests may run under nohup themselves, so the other case sets the signal, too.
    let launcher: &[&str] = if is_ignored { &["nohup"] } else { &["env", "--default-signal=HUP"] };
    let mut command = Command::new(launcher[0]);
    command.args(&launcher[1..]).arg(own.get_program()).args(own.get_args()).env_clear();
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(sandbox.path());
    let child = begin_by(&sandbox, command);
    signal(&child, Signal::HUP);
    if is_ignored {
        signal(&child, Signal::INT);
    }
    let output = ended(child);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    let by = if is_ignored { "told to stop by SIGINT" } else { "told to stop by SIGHUP" };
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let why = object["runs"][0]["unknowns"].to_string();
    assert!(why.contains(by), "{why}: {stderr}");
    assert!(journal(&sandbox).contains("\"what\":\"ended\""));
}

/// The same for cells: three of the four have no evidence and say why.
#[test]
fn a_request_to_stop_keeps_pending_cells_back() {
    let sandbox = Sandbox::new();
    let child = begin(&sandbox, &["matrix", "295-I3", "--jobs", "1", "--format", "json"]);
    signal(&child, Signal::TERM);
    let output = ended(child);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let cells = object["cells"].as_array().unwrap();
    let reasons: Vec<_> = cells.iter().map(|cell| cell["reasons"].to_string()).collect();
    let kept = "not begun: the harness was told to stop by SIGTERM";
    assert_eq!(
        reasons.iter().map(|reason| reason.contains(kept)).collect::<Vec<_>>(),
        [false, true, true, true],
        "{reasons:?}"
    );
}

/// The command as CI runs it: behind a shell that waits for it.
fn by_relay(command: &Command) -> Command {
    let mut relay = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.ci/relay"));
    relay.arg(command.get_program()).args(command.get_args()).env_clear();
    relay.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = command.get_current_dir() {
        relay.current_dir(directory);
    }
    relay
}

/// Only the shell gets the signal. It must return the command's exit code, after the command has
/// closed its world and written its report.
#[test]
fn a_step_of_a_workflow_that_is_cancelled_ends_as_its_command_does() {
    let sandbox = Sandbox::new();
    let child =
        begin_by(&sandbox, by_relay(&sandbox.process(&["run", "295-I3", "--format", "json"])));
    signal(&child, Signal::INT);
    let output = ended(child);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let why = object["runs"][0]["unknowns"].to_string();
    assert!(why.contains("told to stop by SIGINT"), "{why}");
    assert!(journal(&sandbox).contains("\"what\":\"ended\""));
}

/// Signals as CI sends them to cancel a job: SIGINT, and SIGTERM before the world is closed. The
/// process ends without a report. The watcher must remove the world, and complete the evidence with
/// a verdict and a timeline.
#[rstest]
#[case::by_itself(false)]
#[case::as_a_step_of_a_workflow(true)]
fn a_second_request_ends_the_command_at_once_with_exit_code_130_and_the_watcher_finishes(
    #[case] relayed: bool,
) {
    let sandbox = Sandbox::new();
    let command = sandbox.process(&["run", "295-I3"]);
    let command = if relayed { by_relay(&command) } else { command };
    let mut child = begin_by(&sandbox, command);
    signal(&child, Signal::INT);
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let heard = |line: &String| line.contains("a second request ends racetrap at once");
    assert!(stderr.lines().map_while(Result::ok).any(|line| heard(&line)));
    signal(&child, Signal::TERM);
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(stdout, "");
    let swept = sandbox.runs().last().unwrap().join("swept.txt");
    let began = Instant::now();
    loop {
        let said = std::fs::read_to_string(&swept).unwrap_or_default();
        if said.contains("dockerd") {
            break;
        }
        assert!(began.elapsed() < LIMIT, "no world was swept within {LIMIT:?}: {said}");
        std::thread::yield_now();
    }
    let read = |name: &str| std::fs::read_to_string(swept.with_file_name(name)).unwrap();
    let verdict: Value = serde_json::from_str(&read("verdict.json")).unwrap();
    assert_eq!(verdict["verdict"], "unknown", "{verdict}");
    assert!(verdict["unknowns"].to_string().contains("the journal has no end"), "{verdict}");
    assert!(read("timeline.txt").contains("HELD at gate"));
}

/// The first run fails under its defect. With one world at a time, the second has not begun then: it must say so and have
/// no evidence, and the failure must decide the exit code.
#[test]
fn fail_fast_keeps_back_all_runs_after_the_first_failure() {
    let sandbox = Sandbox::new();
    let arguments = ["run", "295-I4", "295-I6", "--defect", "295-I4", "--jobs", "1", "--fail-fast"];
    let mut command = sandbox.racetrap(&arguments);
    let (code, stdout, stderr) = outcome(command.args(["--format", "json"]));
    assert_eq!(code, 1, "{stdout}{stderr}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let runs = &object["runs"];
    assert_eq!(runs[0]["verdict"], "fail", "{runs}");
    assert_eq!(runs[1]["verdict"], "unknown", "{runs}");
    let why = runs[1]["unknowns"][0].as_str().unwrap();
    assert!(why.contains("not begun") && why.contains("--fail-fast"), "{why}");
    assert!(runs[1]["evidence"].is_null(), "{runs}");
}
