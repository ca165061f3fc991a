use serde_json::Value;

use crate::sandbox::{Sandbox, outcome, program};

/// PATH contains no program, so `doctor` must name each one that is needed, and its package.
#[test]
fn doctor_on_a_machine_without_programs_names_their_packages_with_exit_code_4() {
    let sandbox = Sandbox::new();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap_on_a_bare_machine(&["doctor"]));
    assert_eq!((code, stderr.as_str()), (4, ""), "{stdout}");
    for (name, package) in [("dockerd", "docker.io"), ("unshare", "util-linux")] {
        let mut lines = stdout.lines().skip_while(|line| !line.contains(name));
        assert!(lines.next().is_some_and(|line| line.starts_with("missing")), "{stdout}");
        let remedy = lines.nth(1).unwrap();
        assert!(remedy.contains(&format!("install the package {package}")), "{stdout}");
    }
    assert!(stdout.lines().any(|line| line.starts_with("optional  kubectl")), "{stdout}");
}

/// `ready` and the exit code must agree.
#[test]
fn doctor_as_json_says_the_same_as_its_exit_code() {
    let sandbox = Sandbox::new();
    for mut command in [
        sandbox.racetrap(&["doctor", "--format", "json"]),
        sandbox.racetrap_on_a_bare_machine(&["doctor", "--format", "json"]),
    ] {
        let (code, stdout, stderr) = outcome(&mut command);
        assert_eq!(stderr, "");
        let object: Value = serde_json::from_str(&stdout).unwrap();
        let checks = object["checks"].as_array().unwrap();
        let missing = checks.iter().filter(|check| check["state"] == "missing").count();
        assert_eq!(object["version"], 1);
        assert_eq!(object["ready"], missing == 0);
        assert_eq!(code, if missing == 0 { 0 } else { 4 });
        for check in checks.iter().filter(|check| check["state"] != "ok") {
            assert!(check["remedy"].as_str().is_some_and(|text| !text.is_empty()), "{check}");
        }
    }
}

/// The daemon exists but the engine does not. The command must say so and create nothing.
#[test]
fn a_run_without_dockerd_names_its_package_with_exit_code_4() {
    let sandbox = Sandbox::new();
    for command in ["run", "repro", "matrix"] {
        let arguments = [command, "295-I3", "--daemon", program()];
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap_on_a_bare_machine(&arguments));
        assert_eq!((code, stdout.as_str()), (4, ""), "{command}: {stderr}");
        assert!(stderr.contains("dockerd"), "{stderr}");
        assert!(stderr.contains("install the package docker.io"), "{stderr}");
        assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 0, "{command}");
    }
}

/// A directory whose name is longer than the path of a socket may be. `doctor` and a run must both
/// say so before they create anything there.
#[test]
fn a_directory_too_long_for_sockets_is_told_with_exit_code_4() {
    let sandbox = Sandbox::new();
    let long = sandbox.path().join("d".repeat(120));
    std::fs::create_dir(&long).unwrap();
    for arguments in [["doctor", "--daemon", program()].as_slice(), &["run", "--daemon", program()]]
    {
        let mut command = sandbox.racetrap(arguments);
        let (code, stdout, stderr) = outcome(command.env("TMPDIR", &long));
        assert_eq!(code, 4, "{stdout}{stderr}");
        assert!((stdout + &stderr).contains("set TMPDIR to a path that is"), "{arguments:?}");
    }
    assert_eq!(std::fs::read_dir(&long).unwrap().count(), 0);
}

/// The soft limit is raised to the hard one; a hard limit that is too low is named with a remedy.
#[test]
fn doctor_says_how_many_files_may_be_open_after_the_soft_limit_was_raised() {
    for (limits, state, told) in
        [("64:4096", "ok", "at most 4096"), ("64:128", "optional", "at most 128 open files")]
    {
        let sandbox = Sandbox::new();
        let mut command = assert_cmd::Command::new("prlimit");
        command
            .arg(format!("--nofile={limits}"))
            .args([program(), "doctor", "--format", "json"])
            .env("HOME", sandbox.path());
        let (_, stdout, stderr) = outcome(&mut command);
        let object: Value = serde_json::from_str(&stdout).expect(&stderr);
        let checks = object["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == "open files").unwrap();
        assert_eq!(check["state"], state, "{check}");
        let text = format!("{}{}", check["found"], check["remedy"]);
        assert!(text.contains(told), "{check}");
    }
}
