//! Scenarios that are not for their daemon, worlds that cannot be made, and machines that allow too
//! little: none of these is a failure of the daemon, and each says what it is.

use serde_json::Value;

use crate::place::{Place, output_without_canaries};

/// The reference daemon behind a script. Its help names neither conditions nor contexts, so that it
/// must be watched to know whether it has them; `more` is run before every other command.
fn quiet_daemon(place: &Place, more: &str) -> String {
    let racetrap = std::path::Path::new(env!("CARGO_BIN_EXE_racetrap"));
    let reference = racetrap.with_file_name("rdd-reference");
    place.script(&format!(
        "case \"$*\" in *--help*) '{0}' \"$@\" | sed 's/Settled/ready/; s/context/thing/'; exit ;; \
         esac\n{more}\nexec '{0}' \"$@\"",
        reference.display()
    ))
}

/// Runs a command, and returns its exit code and its first run.
#[track_caller]
fn run(place: &Place, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = place.run(&[&["run", "--format", "json"], arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let object: Value = serde_json::from_slice(&output.stdout).expect(&said);
    assert_eq!(place.leftovers(), Vec::<String>::new());
    (output.status.code(), object["runs"][0].clone())
}

#[track_caller]
fn assert_not_applicable(place: &Place, arguments: &[&str], why: &str) {
    let (code, run) = run(place, arguments);
    assert_eq!((code, &run["verdict"]), (Some(0), &Value::from("not_applicable")), "{run}");
    let reason = run["not_applicable"].as_str().unwrap();
    assert!(reason.contains(why), "{reason}");
    assert_eq!(run["unknowns"].as_array().map(Vec::len), Some(0), "{run}");
    assert_eq!(run["evidence"], Value::Null);
    assert_eq!(place.evidence(), None, "nothing is kept");
}

#[test]
fn a_scenario_that_does_not_allow_the_vm_mode_is_not_applicable() {
    let place = Place::new();
    assert_not_applicable(&place, &["own-C1", "--vm", "program"], "needs VM mode `api`");
}

// The program of stand-alone controllers would be beside the script.
#[test]
fn a_scenario_whose_program_is_missing_is_not_applicable() {
    let place = Place::new();
    let daemon = quiet_daemon(&place, "");
    assert_not_applicable(&place, &["350-I2", "--daemon", &daemon], "containers-controller");
}

// The daemon writes its context where the docker command does not look for it.
#[test]
fn a_scenario_about_contexts_is_not_for_a_daemon_that_keeps_none() {
    let place = Place::new();
    let daemon = quiet_daemon(&place, "export DOCKER_CONFIG=\"$HOME/elsewhere\"");
    assert_not_applicable(&place, &["350-S1", "--daemon", &daemon], "this daemon keeps none");
}

// The missing sign in the help is no proof: the daemon shows the condition when it is watched.
#[test]
fn what_a_help_does_not_name_may_be_there() {
    let place = Place::new();
    let daemon = quiet_daemon(&place, "");
    let (code, run) = run(&place, &["own-C2", "--daemon", &daemon]);
    assert_eq!((code, &run["verdict"]), (Some(0), &Value::from("pass")), "{run}");
}

// The daemon's start fails when its engine runs already, and the harness ends that engine.
#[test]
fn a_daemon_that_does_not_start_is_the_first_and_only_reason() {
    let place = Place::new();
    let daemon = quiet_daemon(&place, "case \"$*\" in 'svc start') exit 9 ;; esac");
    let (code, run) = run(&place, &["295-I3", "--daemon", &daemon]);
    assert_eq!((code, &run["verdict"]), (Some(3), &Value::from("unknown")), "{run}");
    let evidence = place.evidence().unwrap();
    let verdict = std::fs::read(evidence.join("verdict.json")).unwrap();
    let verdict: Value = serde_json::from_slice(&verdict).unwrap();
    assert_eq!(verdict["unknowns"], run["unknowns"], "both say the same");
    let reasons = run["unknowns"].as_array().unwrap();
    let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
    let reason = reason.as_str().unwrap();
    assert!(
        reason.starts_with("the world could not be made: the daemon did not start"),
        "{reason}"
    );
    assert!(!place.journal().contains("died"), "the harness ended the engine");
}

// 128 files are too few for forty clients at once.
#[test]
fn a_failure_under_a_low_limit_of_open_files_is_unknown() {
    let place = Place::new();
    let racetrap = place.racetrap(&["run", "323-I1k"]);
    let mut command = std::process::Command::new("prlimit");
    command.arg("--nofile=128").arg(racetrap.get_program()).args(racetrap.get_args());
    for (name, value) in racetrap.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(place.path()).stdout(std::process::Stdio::piped());
    let output = output_without_canaries(command.spawn().unwrap());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("at most 128 open files here"), "{said}");
}
