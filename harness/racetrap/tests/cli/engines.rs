//! Engines of other versions: what is refused, and what an install leaves. No test uses the
//! network: scripts stand in for apt's programs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;

use crate::sandbox::{Sandbox, outcome, program};

/// The part of apt that an install needs: one package, which contains one program.
const APT: [(&str, &str); 4] = [
    ("apt-config", "exit 0"),
    ("apt-cache", "echo ' docker.io | 29.0.1-1 | a'; echo ' docker.io | 26.1.5-9 | a'"),
    (
        "apt-get",
        "case $1 in
         indextargets) echo 'Debian Debian main http://archive.invalid/debian/' ;;
         install) echo package > ${APT_CONFIG%/apt.conf}/archives/docker.io.deb ;;
         esac",
    ),
    ("dpkg-deb", "/bin/mkdir -p $3/usr/sbin && echo program > $3/usr/sbin/dockerd"),
];

/// A sandbox whose PATH contains only those scripts.
struct Machine {
    sandbox: Sandbox,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { sandbox: Sandbox::new() };
        fs::create_dir(machine.sandbox.path().join("bin")).unwrap();
        for (name, text) in APT {
            machine.script(name, text);
        }
        machine
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.sandbox.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn engine(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.racetrap(&[&["engine"], arguments].concat());
        command.env("PATH", self.sandbox.path().join("bin"));
        command
    }

    fn engines(&self) -> PathBuf {
        self.sandbox.path().join(".cache/racetrap/engines")
    }

    /// The files in the engines' directory, without the lock files.
    fn there(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.engines()) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".lock")).collect()
    }
}

/// The words of a message, without its line breaks.
fn words(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// The suite has two versions, and only the matching one may be installed. Leftovers of an
/// interrupted install would be visible as a directory or a file beside the engine.
#[test]
fn an_engine_is_installed_once_listed_and_removed() {
    let machine = Machine::new();
    let half_done = machine.engines().join("26.1.begun/root/usr");
    fs::create_dir_all(&half_done).unwrap();
    fs::write(half_done.join("of-another-install"), "").unwrap();

    let (code, stdout, stderr) = outcome(&mut machine.engine(&["install", "26.1"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("26.1.5-9"), "{stdout}");
    assert!(stderr.contains("fetched") && stderr.contains("unpacked"), "{stderr}");
    assert_eq!(machine.there(), ["26.1"]);
    let root = machine.engines().join("26.1/root");
    assert!(root.join("usr/sbin/dockerd").is_file());
    assert!(!root.join("usr/of-another-install").exists());

    machine.script("apt-get", "echo 'nothing must be fetched again' >&2; exit 1");
    let (code, _, stderr) = outcome(&mut machine.engine(&["install", "26.1"]));
    assert_eq!(code, 0, "{stderr}");

    let (_, stdout, _) = outcome(&mut machine.engine(&["list", "--format", "json"]));
    let list: Value = serde_json::from_str(&stdout).unwrap();
    let engine = |name: &str| {
        let mut engines = list["engines"].as_array().unwrap().iter();
        engines.find(|engine| engine["version"] == name).unwrap()
    };
    assert_eq!(list["version"], 1);
    assert_eq!(engine("26.1")["installed"], true);
    assert_eq!(engine("26.1")["bytes"], "program\n".len());
    assert_eq!(engine("28.5")["installed"], false);
    assert_eq!(engine("28.5")["path"], Value::Null);

    let (code, stdout, stderr) = outcome(&mut machine.engine(&["remove", "26.1"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("26.1  not installed"), "{stdout}");
    assert_eq!(machine.there(), Vec::<String>::new());
}

/// Each row is a machine that lacks something. The message must say what to do, and nothing may
/// remain that a later run could take for an engine.
#[test]
fn what_cannot_be_installed_is_refused_with_the_reason_and_leaves_nothing() {
    let offline = "[ $1 = update ] && { echo 'E: Failed to fetch: no route' >&2; exit 100; }\n\
                   echo 'Debian Debian main http://archive.invalid/debian/'";
    for (program, script, messages) in [
        ("apt-get", offline, ["Failed to fetch: no route", "does `apt-get update` reach it?"]),
        ("apt-get", "exit 0", ["no archive of Debian's packages", "`--archive`"]),
        ("apt-cache", "echo ' docker.io | 29.0.1-1 | a'", ["other versions only", "29.0.1-1"]),
        ("dpkg-deb", "echo 'corrupt archive' >&2; exit 2", ["unpacking packages", "corrupt"]),
    ] {
        let machine = Machine::new();
        machine.script(program, script);
        let (code, stdout, stderr) = outcome(&mut machine.engine(&["install", "26.1"]));
        assert_eq!((code, stdout.as_str()), (4, ""), "{script}: {stderr}");
        for message in messages {
            assert!(words(&stderr).contains(message), "{message}: {stderr}");
        }
        assert_eq!(machine.there(), Vec::<String>::new(), "{script}");
    }
}

#[test]
fn a_machine_without_apt_is_told_what_engines_are_fetched_by() {
    let machine = Machine::new();
    fs::remove_file(machine.sandbox.path().join("bin/dpkg-deb")).unwrap();
    fs::remove_file(machine.sandbox.path().join("bin/apt-get")).unwrap();
    let (code, _, stderr) = outcome(&mut machine.engine(&["install", "28.5"]));
    assert_eq!(code, 4, "{stderr}");
    assert!(words(&stderr).contains("there is no apt-get here"), "{stderr}");
    assert_eq!(machine.there(), Vec::<String>::new());
}

#[test]
fn a_version_that_there_is_not_is_refused_with_those_that_there_are() {
    let machine = Machine::new();
    for action in ["install", "remove"] {
        let (code, stdout, stderr) = outcome(&mut machine.engine(&[action, "19.03"]));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(words(&stderr).contains("`19.03`; there are: 26.1, 28.5"), "{stderr}");
    }
    for engine in ["dockerd:19.03", "podman", "dockerd+btrfs", "lima:28.5"] {
        let arguments = ["run", "--engine", engine];
        let (code, _, stderr) = outcome(&mut machine.sandbox.racetrap(&arguments));
        assert_eq!(code, 2, "{stderr}");
        assert!(words(&stderr).contains("an engine is `dockerd`, "), "{stderr}");
    }
}

/// A running engine holds its lock shared; this test does the same.
#[test]
fn an_engine_in_use_is_not_removed() {
    let machine = Machine::new();
    assert_eq!(outcome(&mut machine.engine(&["install", "26.1"])).0, 0);
    let lock = File::options().write(true).open(machine.engines().join("26.1.lock")).unwrap();
    lock.lock_shared().unwrap();
    let (code, _, stderr) = outcome(&mut machine.engine(&["remove", "26.1"]));
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("in use"), "{stderr}");
    assert_eq!(machine.there(), ["26.1"]);
    lock.unlock().unwrap();
    assert_eq!(outcome(&mut machine.engine(&["remove", "26.1"])).0, 0);
}

/// The run must be refused before it creates anything.
#[test]
fn a_run_on_an_engine_that_is_not_installed_names_the_command_that_installs_it() {
    let sandbox = Sandbox::new();
    for command in ["run", "repro", "matrix"] {
        let arguments =
            [command, "295-I3", "--daemon", program(), "--engine", "dockerd:28.5+containerd"];
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
        assert_eq!((code, stdout.as_str()), (4, ""), "{command}: {stderr}");
        assert!(words(&stderr).contains("`racetrap engine install 28.5`"), "{stderr}");
        assert_eq!(fs::read_dir(sandbox.path()).unwrap().count(), 0, "{command}");
    }
}

/// Lima is in no package. Where there is none, `doctor` says so, and a run on it is refused before it creates
/// anything.
#[test]
fn a_machine_without_lima_is_told_so_by_doctor_and_by_each_run_on_it() {
    let sandbox = Sandbox::new();
    let (_, stdout, _) = outcome(&mut sandbox.racetrap_on_a_bare_machine(&["doctor"]));
    let mut lines = stdout.lines().skip_while(|line| !line.contains(" limactl "));
    assert!(lines.next().is_some_and(|line| line.starts_with("optional")), "{stdout}");
    assert!(lines.nth(1).is_some_and(|line| line.contains(WITHOUT_LIMA)), "{stdout}");
    for arguments in [["run", "--engine", "lima"], ["matrix", "--engine", "lima:26.1"]] {
        let arguments = [arguments.as_slice(), &["295-I3", "--daemon", program()]].concat();
        assert_lima_is_missing(&sandbox, &mut sandbox.racetrap_on_a_bare_machine(&arguments));
    }
}

/// Everything that the first lane needs is there, so only the second one can be refused. That must come
/// before the first one runs.
#[test]
fn lanes_with_a_lima_that_is_missing_are_refused_before_any_of_them_runs() {
    let sandbox = Sandbox::new();
    let bin = tempfile::tempdir().unwrap();
    for name in ["containerd", "runc", "unshare", "nsenter", "stat", "true"] {
        let path = std::env::var_os("PATH").unwrap();
        let mut found = std::env::split_paths(&path).map(|place| place.join(name));
        let program = found.find(|path| path.is_file()).unwrap();
        std::os::unix::fs::symlink(program, bin.path().join(name)).unwrap();
    }
    let mut command = sandbox.racetrap(&["lanes", "295-I3", "--with", "lima"]);
    assert_lima_is_missing(&sandbox, command.env("PATH", bin.path()));
}

const WITHOUT_LIMA: &str = "install Lima (https://lima-vm.io)";

#[track_caller]
fn assert_lima_is_missing(sandbox: &Sandbox, command: &mut Command) {
    let (code, stdout, stderr) = outcome(command);
    assert_eq!((code, stdout.as_str()), (4, ""), "{stderr}");
    let said = words(&stderr);
    assert!(said.contains("limactl is for engines `lima:…`"), "{stderr}");
    assert!(said.contains(WITHOUT_LIMA), "{stderr}");
    assert_eq!(fs::read_dir(sandbox.path()).unwrap().count(), 0);
}
