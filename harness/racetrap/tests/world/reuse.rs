//! Worlds that are used again: as good as new, or not used again; and closed however racetrap ends.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use racetrap_history::{Record, Verdict, What, canon, journal, judge};
use rstest::rstest;

use crate::place::{Place, wait_until};

/// Somebody else's finalizer stays on a mirror when the run is over.
const LEAVES_SOMETHING: &str = "
finding: 295-I5
steps:
  - create_volume: {name: data}
  - app: {running: true}
  - settle
  - keep: {volume: data}
  - settle
";

/// Goes on until the run is stopped from outside, or half a minute is over.
const WAITS: &str = "
finding: 295-I3
steps:
  - app: {running: true}
  - settle
  - await: {condition: {type: NeverThere, status: 'True'}}
  - settle
";

fn file(place: &Place, text: &str) -> String {
    let path = place.path().join("scenario.yaml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Directories of evidence, in the order in which their runs began.
fn evidence(place: &Place) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(place.path().join("evidence")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    // A bundle's archive lies beside it.
    let mut directories: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    // That of a run that has just passed may go while it is looked at.
    let began = |directory: &PathBuf| directory.join("scenario.yaml").metadata()?.modified();
    directories.sort_by_key(|directory| began(directory).ok());
    directories
}

fn history(evidence: &Path) -> Vec<Record> {
    let file = std::fs::File::open(evidence.join("journal.jsonl")).unwrap();
    journal::read(BufReader::new(file)).unwrap().records
}

/// How many runs were in the world before this one.
fn reused(history: &[Record]) -> u32 {
    let What::Run(head) = &history[0].what else { panic!("{:?} is no head", history[0]) };
    head.reused
}

/// What is told to people on standard error, and the exit code.
fn run(place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
    let output = place.run(arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said + &told)
}

// The same runs, in the same order, once each in a world of its own and once in as few as a pool of
// one job has, which is two: the engine of one may have to forget while the other is used. A reset
// that left anything would show in what is mirrored, or in what an oracle says. The journals are
// read from disk, so that each is proved to begin at its own first record and to have its end.
#[test]
fn runs_in_one_world_end_as_they_do_in_worlds_of_their_own() {
    let runs = ["run", "295-I5", "295-I4", "--rounds", "2", "--jobs", "1", "--keep"];
    let ends = |arguments: &[&str], worlds_at_most: usize| {
        let place = Place::new();
        let (exit, said) = run(&place, arguments);
        assert_eq!(exit, Some(0), "{said}");
        let histories: Vec<_> = evidence(&place).iter().map(|path| history(path)).collect();
        let fresh = histories.iter().filter(|history| reused(history) == 0).count();
        assert!(fresh <= worlds_at_most, "{fresh} worlds were made: {said}");
        for path in evidence(&place) {
            assert!(path.join("engine.log").is_file());
            assert!(path.join("daemon-rdd.stderr.log").is_file());
        }
        assert_eq!(place.leftovers(), Vec::<String>::new());
        let end = |history: Vec<Record>| {
            assert_eq!(history.last().unwrap().what, What::Ended);
            (judge(&history), canon::mirrored_state(&history))
        };
        histories.into_iter().map(end).collect::<Vec<_>>()
    };
    let fresh = ends(&[runs.as_slice(), &["--fresh"]].concat(), 4);
    let again = ends(&runs, 2);
    assert_eq!(again, fresh);
    assert!(fresh.iter().all(|(judgement, _)| judgement.verdict == Verdict::Pass));
}

// The first run passes, and leaves a mirror that cannot go. If the world were given on all the same,
// the second run would say that it is not the first one in its world.
#[test]
fn a_world_in_which_something_is_left_is_not_given_on() {
    let place = Place::new();
    let leaves = file(&place, LEAVES_SOMETHING);
    let (exit, said) = run(&place, &["run", &leaves, "295-I5", "--jobs", "1", "--keep"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("its world was not like a new one"), "{said}");
    let [first, second] = evidence(&place).try_into().unwrap();
    assert_eq!(judge(&history(&first)).verdict, Verdict::Pass);
    let second = history(&second);
    assert_eq!(reused(&second), 0);
    let noted = |record: &Record| matches!(&record.what, What::Note { text } if text.contains("was not used again"));
    assert!(second.iter().any(noted), "the next history tells why");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

/// Directories of worlds that stand.
fn worlds(place: &Place) -> Vec<PathBuf> {
    let below = |path: &Path| {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let bases = below(place.path()).into_iter();
    let bases = bases.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("rt-"));
    bases.flat_map(|base| below(&base)).collect()
}

/// Begins a run that passes and one that waits; returns when the second waits, and the first one's
/// world is idle, or is the one in which the second waits.
fn run_up_to_a_wait(place: &Place, jobs: &str) -> std::process::Child {
    let waits = file(place, WAITS);
    let mut child = place.racetrap(&["run", "295-I5", &waits, "--jobs", jobs]).spawn().unwrap();
    wait_until("one run to be over, and the other to wait", || {
        assert_eq!(child.try_wait().unwrap(), None, "it goes on");
        let directories = evidence(place);
        let journal = place.journal();
        let waits = directories.len() == 1 && journal.contains("text\":\"await: ");
        let idle = worlds(place).iter().any(|world| world.join("idle.jsonl").exists());
        if waits && idle { Ok(()) } else { Err(format!("{directories:?} {journal}")) }
    });
    child
}

fn signal(child: &std::process::Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).unwrap();
}

// With one job the second run may be in the first one's world; with two, that is idle.
// SIGKILL leaves the harness no chance to close either; the watchers do, and each must know which
// evidence is that of the run that went on: that of the first is gone.
#[rstest]
#[case::with_one_job("1")]
#[case::beside_an_idle_world("2")]
fn nothing_is_left_after_sigkill(#[case] jobs: &str) {
    let place = Place::new();
    let mut child = run_up_to_a_wait(&place, jobs);
    signal(&child, rustix::process::Signal::KILL);
    child.wait().unwrap();
    wait_until("the watchers' sweeps", || {
        let left = place.leftovers();
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    });
    let [evidence] = evidence(&place).try_into().unwrap();
    let swept = std::fs::read_to_string(evidence.join("swept.txt")).unwrap();
    assert!(swept.contains("dockerd"), "{swept}");
    assert!(evidence.join("engine.log").is_file());
    assert!(evidence.join("daemon-rdd.stderr.log").is_file());
}

// A request to stop ends the run, and the command closes the world that was idle, too.
#[test]
fn a_signal_closes_idle_worlds() {
    let place = Place::new();
    let child = run_up_to_a_wait(&place, "2");
    signal(&child, rustix::process::Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(place.leftovers(), Vec::<String>::new());
}
