//! Commands that are printed can be pasted: they begin as the user called racetrap.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::sandbox::{Sandbox, outcome, program};

/// The given program is no daemon, so the run is unknown at once, and its report has the command that
/// repeats it.
#[track_caller]
fn again(command: &mut assert_cmd::Command) -> String {
    command.args(["run", "295-I6", "--daemon", "/bin/false", "--format", "json"]);
    let (code, stdout, stderr) = outcome(command);
    assert_eq!(code, 3, "{stderr}");
    let object: Value = serde_json::from_str(&stdout).expect("the output is JSON");
    object["runs"][0]["again"].as_str().expect("a run has its command").to_owned()
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

/// The script calls cargo in the checkout, and then racetrap in the directory that it was called from. Cargo
/// is a stand-in here that notes how it was called: a build would replace the program under the other
/// tests.
#[test]
fn the_script_builds_and_calls_racetrap_from_any_directory() {
    let sandbox = Sandbox::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/racetrap");
    let script = std::fs::canonicalize(script).unwrap();
    let target = sandbox.path().join("target");
    std::fs::create_dir_all(target.join("debug")).unwrap();
    std::os::unix::fs::symlink(program(), target.join("debug/racetrap")).unwrap();
    let cargo = sandbox.path().join("cargo");
    let noted = sandbox.path().join("noted");
    let note = format!("#!/bin/sh\necho \"$PWD $RACETRAP_COMMIT $*\" >{}\n", noted.display());
    std::fs::write(&cargo, note).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", sandbox.path().display(), std::env::var("PATH").unwrap());
    let mut command = assert_cmd::Command::new(&script);
    command.current_dir(sandbox.path()).args(["repro", "295-*"]).env_remove("RACETRAP_CALLED");
    command.env("PATH", path).env("CARGO_TARGET_DIR", &target).env("HOME", sandbox.path());
    let (code, _, stderr) = outcome(&mut command);
    assert_eq!(code, 2, "{stderr}");
    let words = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("scripts/racetrap run` for several"), "{stderr}");
    let noted = std::fs::read_to_string(noted).unwrap();
    let (directory, rest) = noted.split_once(' ').unwrap();
    assert_eq!(std::path::Path::new(directory).join("scripts/racetrap"), script);
    let (commit, arguments) = rest.split_once(' ').unwrap();
    assert!(commit.len() >= 12, "git knows the commit of this checkout: {noted}");
    assert_eq!(arguments.trim(), "build --quiet --locked --workspace --bins");
}

/// A user without root and without sudo: nothing may be installed or built before that is said.
#[test]
fn the_scripts_ask_for_root_before_they_install_or_build() {
    let place = Sandbox::new();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path(), open.clone()).unwrap();
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts");
    let copies = place.path().join("scripts");
    std::fs::create_dir(&copies).unwrap();
    for name in ["run", "racetrap", "as-root"] {
        std::fs::copy(std::path::Path::new(scripts).join(name), copies.join(name)).unwrap();
        std::fs::set_permissions(copies.join(name), open.clone()).unwrap();
    }
    // Only what the scripts need until then: no sudo, no cargo, no scripts/install.
    let programs = place.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    for name in ["bash", "env", "id", "dirname", "realpath"] {
        std::os::unix::fs::symlink(format!("/usr/bin/{name}"), programs.join(name)).unwrap();
    }
    for arguments in [["scripts/run"].as_slice(), &["scripts/racetrap", "run", "295-I3"]] {
        // By its path, because it is not among the programs.
        let mut command = assert_cmd::Command::new("/usr/bin/setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).args(arguments);
        command.current_dir(place.path()).env_clear().env("PATH", &programs);
        let (code, stdout, stderr) = outcome(&mut command);
        assert_eq!((code, stdout.as_str()), (4, ""), "{stderr}");
        let called = format!("call {} again", arguments[0]);
        assert!(stderr.contains("a run needs root") && stderr.contains(&called), "{stderr}");
    }
}
