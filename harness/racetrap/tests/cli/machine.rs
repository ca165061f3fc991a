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
        let words = (stdout + &stderr).replace("\u{2502}", " ");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("set TMPDIR to a path that is"), "{arguments:?}: {words}");
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

/// What `doctor` says of a check.
#[track_caller]
fn checked(command: &mut assert_cmd::Command, name: &str) -> (String, String) {
    let (_, stdout, stderr) = outcome(command.args(["doctor", "--format", "json"]));
    let object: Value = serde_json::from_str(&stdout).expect(&stderr);
    let checks = object["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).expect(name);
    (check["state"].as_str().unwrap().to_owned(), format!("{}{}", check["found"], check["remedy"]))
}

/// A link is resolved, an empty name is none, and letters that dockerd or mount(8) would take as something
/// else are refused, before anything is created.
#[test]
fn the_directory_for_temporary_files_is_resolved_or_refused_before_anything_runs() {
    let sandbox = Sandbox::new();
    let place = std::fs::canonicalize(sandbox.path()).unwrap();
    let (real, link) = (place.join("real"), place.join("link"));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let with = |directory: &std::path::Path| {
        let mut command = sandbox.racetrap(&[]);
        command.env("TMPDIR", directory);
        checked(&mut command, "directory")
    };
    assert_eq!(with(&link), ("ok".to_owned(), format!("\"{}\"\"\"", real.display())));
    assert_eq!(with(std::path::Path::new("")).1, "\"/tmp\"\"\"");
    for name in ["50%", "a,b"] {
        let bad = place.join(name);
        std::fs::create_dir(&bad).unwrap();
        let (state, told) = with(&bad);
        assert!(state == "missing" && told.contains("set TMPDIR to a path without `"), "{told}");
        let mut run = sandbox.racetrap(&["run", "295-I6", "--daemon", program()]);
        let (code, _, stderr) = outcome(run.env("TMPDIR", &bad));
        assert_eq!(code, 4, "{stderr}");
        assert_eq!(std::fs::read_dir(&bad).unwrap().count(), 0);
    }
}

/// A world below a link: its daemon must use the same paths as the harness.
#[test]
fn a_run_passes_below_a_link() {
    let sandbox = Sandbox::new();
    let link = sandbox.path().join("tmp");
    std::os::unix::fs::symlink("/tmp", &link).unwrap();
    let mut run = sandbox.racetrap(&["run", "295-I6"]);
    let (code, stdout, stderr) = outcome(run.env("TMPDIR", &link));
    assert_eq!(code, 0, "{stdout}{stderr}");
}

/// `/proc` shows the processes outside, so that the harness could neither watch nor end its own.
#[test]
fn a_run_in_a_pid_namespace_with_the_proc_of_another_is_refused_at_once() {
    let sandbox = Sandbox::new();
    let inside = |arguments: &[&str]| {
        let mut command = assert_cmd::Command::new("unshare");
        command.args(["--pid", "--fork", program()]).args(arguments);
        command.current_dir(sandbox.path()).env("HOME", sandbox.path());
        command
    };
    let (state, told) = checked(&mut inside(&[]), "process IDs");
    assert!(state == "missing" && told.contains("another PID namespace"), "{told}");
    let (code, _, stderr) = outcome(&mut inside(&["run", "295-I6", "--daemon", program()]));
    assert_eq!(code, 4, "{stderr}");
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 0);
}

/// In a chroot, a process that enters a namespace is outside again: an engine would use the host's files.
/// The root has all directories of the machine's own, so that all programs are there. It is a mount point:
/// in any other root, no mount namespace can be made at all.
#[test]
fn a_run_in_a_chroot_is_refused_before_it_touches_what_is_outside() {
    let sandbox = Sandbox::new();
    let root = sandbox.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let script = "mount --bind $0 $0 && for it in /*; do if [ -L $it ]; then cp -P $it $0; elif [ -d $it ]; then \
                  mkdir $0$it && mount --rbind $it $0$it; fi || exit; done; exec chroot $0 \"$@\"";
    let mut command = assert_cmd::Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(&root).arg(program());
    let (state, told) = checked(&mut command, "namespaces");
    assert!(state == "missing" && told.contains("in a chroot"), "{told}");
}

/// Everything is there except root. The message must say what is possible without it, and how to get it.
#[test]
fn a_user_without_root_is_told_what_works_without_it() {
    let mut command = assert_cmd::Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", program()]);
    command.args(["run", "295-I6", "--daemon", "/bin/true"]).current_dir("/");
    let (code, _, stderr) = outcome(command.env("RACETRAP_CALLED", "scripts/racetrap"));
    let words = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, 4, "{stderr}");
    assert!(words.contains("scripts/racetrap ...`"), "{stderr}");
    assert!(words.contains("without root, `list`, `promises`"), "{stderr}");
    assert!(words.contains("rootless engines are not supported"), "{stderr}");
}
