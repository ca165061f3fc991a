//! Commands that are printed can be pasted: they begin as the user called racetrap.

use serde_json::Value;

use crate::sandbox::{Sandbox, outcome, program};

/// The given program is no daemon, so the run is unknown at once, and its report has the command that
/// repeats it.
#[track_caller]
fn again(command: &mut assert_cmd::Command) -> String {
    command.args(["run", "295-I6", "--daemon", "/bin/false", "--format", "json"]);
    let (code, stdout, stderr) = outcome(command);
    assert_eq!(code, 3, "{stderr}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    object["runs"][0]["again"].as_str().unwrap().to_owned()
}

#[test]
fn a_printed_command_begins_with_the_path_by_which_racetrap_was_called() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.racetrap(&[]);
    let again = again(command.env_remove("RACETRAP_CALLED"));
    assert_eq!(again, format!("{} repro 295-I6 --daemon /bin/false", program()));
    let mut words = again.split(' ');
    let mut pasted = assert_cmd::Command::new(words.next().unwrap());
    pasted.args(words).current_dir(sandbox.path()).env("HOME", sandbox.path());
    assert_eq!(outcome(&mut pasted).0, 3, "the printed command does the same");
}

#[test]
fn a_script_that_calls_racetrap_is_named_in_its_place_and_quoted() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.racetrap(&[]);
    let again = again(command.env("RACETRAP_CALLED", "my place/scripts/racetrap"));
    assert_eq!(again, "'my place/scripts/racetrap' repro 295-I6 --daemon /bin/false");
}

/// A misspelt id, an engine that is missing and two findings for `repro`: each hint names a command.
#[test]
fn hints_name_the_command_as_it_was_called() {
    let sandbox = Sandbox::new();
    for arguments in [["run", "295-i3"].as_slice(), &["run", "absent.yaml"], &["repro", "295-*"]] {
        let mut command = sandbox.racetrap(arguments);
        let (code, _, stderr) = outcome(command.env("RACETRAP_CALLED", "here/rt"));
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("`here/rt "), "{stderr}");
        assert!(!stderr.contains("`racetrap"), "{stderr}");
    }
}

/// The script must hand over the arguments, the directory and the exit code, and name itself.
#[test]
fn the_script_builds_and_calls_racetrap_from_any_directory() {
    let sandbox = Sandbox::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/racetrap");
    let script = std::fs::canonicalize(script).unwrap();
    let mut command = assert_cmd::Command::new(&script);
    command.current_dir(sandbox.path()).args(["repro", "295-*"]).env_remove("RACETRAP_CALLED");
    let (code, _, stderr) = outcome(&mut command);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.replace("\n        ", " ").contains("scripts/racetrap run` for several"),
        "{stderr}"
    );
    let mut command = assert_cmd::Command::new(&script);
    let (code, stdout, stderr) = outcome(command.current_dir(sandbox.path()).arg("--version"));
    assert_eq!(code, 0, "{stderr}");
    let commit = stdout.split_once("(commit ").and_then(|(_, commit)| commit.split_once(')'));
    assert!(stdout.starts_with("racetrap ") && commit.is_some(), "{stdout}");
}
