//! Whatever ends the harness, nothing is left of its world, and the evidence can be read.

use std::io::BufReader;

use racetrap_history::{Verdict, What, journal, judge};

use crate::place::{Place, wait_until};

/// Starts a run, and waits until its gate holds a message.
fn run_up_to_a_held_message(place: &Place) -> std::process::Child {
    let child = place.racetrap(&["run", "295-I3"]).spawn().unwrap();
    wait_until("a message to be held", || {
        let journal = place.journal();
        if journal.contains("\"wire\":\"held\"") { Ok(()) } else { Err(journal) }
    });
    child
}

fn signal(child: &std::process::Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).unwrap();
}

// After SIGKILL, only the watcher can end the world. The journal ends where the harness was killed;
// it can be read nevertheless, and the verdict is Unknown.
#[test]
fn nothing_is_left_after_sigkill_and_the_evidence_can_be_read() {
    let place = Place::new();
    let mut child = run_up_to_a_held_message(&place);
    assert!(!place.leftovers().is_empty(), "a running world has processes and files");
    signal(&child, rustix::process::Signal::KILL);
    child.wait().unwrap();
    wait_until("the watcher's sweep", || {
        let left = place.leftovers();
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    });
    let evidence = place.evidence().unwrap();
    wait_until("the watcher's list", || {
        let said = std::fs::read_to_string(evidence.join("swept.txt")).unwrap_or_default();
        if said.contains("dockerd") { Ok(()) } else { Err(said) }
    });
    let file = std::fs::File::open(evidence.join("journal.jsonl")).unwrap();
    let journal = journal::read(BufReader::new(file)).unwrap();
    assert!(matches!(journal.records[0].what, What::Run(_)));
    assert_eq!(judge(&journal.records).verdict, Verdict::Unknown);
    assert!(evidence.join("engine.log").is_file());
    assert!(evidence.join("daemon-rdd.stderr.log").is_file());
    assert!(evidence.join("scenario.yaml").is_file());
}

// A CI that cancels a job sends SIGTERM; Ctrl-C sends SIGINT. Both must close the world in order,
// and the run is neither a pass nor a failure.
#[test]
fn a_signal_closes_the_world_and_makes_the_run_unknown() {
    for sent in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let place = Place::new();
        let child = run_up_to_a_held_message(&place);
        signal(&child, sent);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("the harness was told to stop by SIG"), "{said}");
        assert_eq!(place.leftovers(), Vec::<String>::new());
        assert!(place.journal().contains("\"what\":\"ended\""));
    }
}

// HOME is a directory that does not exist: a run that wrote to it would create it, and a run that
// needed it would fail.
#[test]
fn a_run_that_passes_leaves_neither_evidence_nor_files_in_the_users_home() {
    let place = Place::new();
    let output = place.run(&["run", "295-I5"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!place.path().join("home-of-the-user").exists());
    assert_eq!(place.evidence(), None);
    assert_eq!(place.leftovers(), Vec::<String>::new());
}
