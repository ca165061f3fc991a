//! Guests: what is refused, and what a build that fails leaves. No test uses the network or starts a
//! machine: scripts stand in for the programs that fetch packages.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use assert_cmd::Command;
use serde_json::Value;

use crate::sandbox::{Sandbox, outcome};

const ARCHIVE: [&str; 2] = ["--archive", "http://archive.invalid/debian"];

/// A sandbox with scripts that are found before the machine's own programs.
struct Machine {
    sandbox: Sandbox,
    path: String,
}

impl Machine {
    /// With `rest` behind the scripts on PATH.
    fn new(scripts: &[(&str, &str)], rest: &str) -> Self {
        let sandbox = Sandbox::new();
        let bin = sandbox.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for (name, text) in scripts {
            let path = bin.join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}{rest}", bin.display());
        Self { sandbox, path }
    }

    fn vm(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.racetrap(&[&["vm"], arguments].concat());
        command.env("PATH", &self.path);
        command
    }

    /// What is in the cache of guests, without the lock files.
    fn there(&self) -> Vec<String> {
        let directory = self.sandbox.path().join(".cache/racetrap/vm");
        let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".lock")).collect()
    }
}

/// The words of a message, without its line breaks.
fn words(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

// The first step fails, after it has written something. The error has what the program said, and a
// later build or run may not find a part of a guest.
#[test]
fn a_build_that_fails_says_why_and_leaves_nothing() {
    let fails = "mkdir -p \"$WORK/root/etc\"; echo 'E: no route to the archive' >&2; exit 100";
    let mut scripts = vec![("mmdebstrap", fails)];
    scripts.extend(["mke2fs", "qemu-img", "ssh-keygen", "dpkg-deb"].map(|name| (name, "exit 0")));
    let machine = Machine::new(&scripts, ":/usr/bin:/bin");
    let (code, stdout, stderr) =
        outcome(&mut machine.vm(&[&["build", "20.10"], &ARCHIVE[..]].concat()));
    assert_eq!((code, stdout.as_str()), (4, ""), "{stderr}");
    assert!(stderr.contains("20.10: fetching and unpacking packages ..."), "{stderr}");
    assert!(words(&stderr).contains("packages failed: E: no route to the archive"), "{stderr}");
    assert_eq!(machine.there(), Vec::<String>::new());
}

#[test]
fn a_machine_without_the_programs_is_told_which_one_is_missing() {
    let machine = Machine::new(&[], "");
    let (code, _, stderr) = outcome(&mut machine.vm(&[&["build", "20.10"], &ARCHIVE[..]].concat()));
    assert_eq!(code, 4, "{stderr}");
    assert!(words(&stderr).contains("there is no mmdebstrap here; `scripts/install`"), "{stderr}");
    assert_eq!(machine.there(), Vec::<String>::new());
}

// A guest of an earlier recipe is listed, is not what a run would use, and is removed.
#[test]
fn a_guest_of_another_recipe_is_listed_and_removed_and_not_used() {
    let machine = Machine::new(&[], ":/usr/bin:/bin:/usr/sbin");
    let old = machine.sandbox.path().join(".cache/racetrap/vm/20.10-000000000000");
    fs::create_dir_all(&old).unwrap();
    let manifest = r#"{"packages": "docker.io 20.10.1-1\nlinux 6.1\n", "build_seconds": 1}"#;
    fs::write(old.join("image.json"), manifest).unwrap();
    let (_, stdout, _) = outcome(&mut machine.vm(&["list", "--format", "json"]));
    let list: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(list["version"], 1);
    let guest = |index: usize, key: &str| list["guests"][index][key].clone();
    assert_eq!(guest(0, "built"), true);
    assert_eq!(guest(0, "current"), false);
    assert_eq!(guest(0, "contents"), "docker.io 20.10.1-1, linux 6.1");
    assert_eq!((guest(1, "version"), guest(1, "built")), ("26.1".into(), false.into()));
    let (_, stdout, _) = outcome(&mut machine.vm(&["list"]));
    assert!(stdout.contains("made by another recipe"), "{stdout}");

    let mut run = machine.sandbox.racetrap(&["run", "295-I3", "--engine", "vm"]);
    let (code, _, stderr) = outcome(&mut run);
    assert_eq!(code, 4, "{stderr}");
    assert!(words(&stderr).contains("build it by `racetrap vm build 20.10`"), "{stderr}");

    let (code, stdout, stderr) = outcome(&mut machine.vm(&["remove", "20.10"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("20.10  not built"), "{stdout}");
    assert_eq!(machine.there(), Vec::<String>::new());
    let (code, _, stderr) = outcome(&mut machine.vm(&["remove", "20.10"]));
    assert_eq!(code, 4, "{stderr}");
}

#[test]
fn a_version_that_no_guest_has_is_refused_with_those_that_there_are() {
    let machine = Machine::new(&[], "");
    let (code, _, stderr) = outcome(&mut machine.vm(&["build", "28.5"]));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("version `28.5`; there are: 20.10, 26.1"), "{stderr}");
}
