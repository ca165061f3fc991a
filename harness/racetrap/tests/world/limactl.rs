//! Engines `lima:…` on a machine whose `limactl` does not do what it should: scripts stand in for it.

use std::os::unix::fs::PermissionsExt as _;

use crate::place::Place;

/// A run of a catalogue's entry in a world whose PATH begins with a program called `limactl`.
fn run_with(place: &Place, limactl: &str) -> (Option<i32>, String) {
    let bin = place.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let program = bin.join("limactl");
    std::fs::write(&program, format!("#!/bin/sh\n{limactl}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut path = bin.into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut command = place.racetrap(&["run", "295-I3", "--engine", "lima"]);
    let output = command.env("PATH", path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said.into_owned())
}

// A script stands in for the program. It says who it is and where it would work, and gives up.
#[test]
fn limactl_works_in_the_world_as_another_user_and_its_failure_is_told() {
    let place = Place::new();
    let script = "[ $1 != --version ] || exit 0\necho I am $(id -u) in $LIMA_HOME of $HOME\necho \"$@\"\n\
                  echo no driver here >&2; exit 3";
    let (code, said) = run_with(&place, script);
    assert_eq!(code, Some(4), "{said}");
    let journal = place.journal();
    let world = place.path().join("rt-0");
    for told in [
        "it ended: exit code 3",
        "no driver here",
        "start --tty=false --foreground --name=vm",
        "/e/l/template.yaml",
        "I am 65534 in",
    ] {
        assert!(journal.contains(told), "{told} is not in {journal}");
    }
    let paths = ["/e/l of ", "/h"].iter().all(|path| journal.contains(path));
    assert!(paths && journal.contains(world.to_str().unwrap()), "{journal}");
    assert!(journal.contains("\"name\":\"engine-hostagent\""), "{journal}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

// It is there, and does not run: the run must be refused before it makes a world.
#[test]
fn a_limactl_that_does_not_run_is_refused_before_anything_is_made() {
    let place = Place::new();
    let (code, said) = run_with(&place, "echo no such machine >&2; exit 1");
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("it lacks limactl") && said.contains("no such machine"), "{said}");
    assert!(place.evidence().is_none(), "{said}");
}
