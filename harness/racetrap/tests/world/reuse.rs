//! Worlds that are used again: they are like new ones, or are not used again; and they are closed,
//! however racetrap ends.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use racetrap_history::{Judgement, Record, Verdict, What, canon, journal, judge};
use rstest::rstest;

use crate::place::{Place, wait_until};

/// Puts a finalizer on a mirror, which is still there when the run is over.
const LEAVES_SOMETHING: &str = "
finding: 295-I5
steps:
  - create_volume: {name: data}
  - app: {running: true}
  - settle
  - keep: {volume: data}
  - settle
";

/// Waits for what nobody does, until the run is stopped from outside or the step's 30 s are over. The
/// wait does not depend on the daemon, so no proof ends it.
const WAITS: &str = "
finding: 295-I3
steps:
  - app: {running: true}
  - settle
  - await: wants_stop
  - settle
";

/// In the journal when the run of [`WAITS`] waits.
const WAITING: &str = "\"what\":\"step_began\",\"index\":2";

fn file(place: &Place, text: &str) -> String {
    let path = place.path().join("scenario.yaml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// All evidence directories, in the order in which their runs began.
fn evidence(place: &Place) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(place.path().join("evidence")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    // The bundle's archive is a file beside it.
    let mut directories: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    // A run that has just passed may remove its directory meanwhile.
    let began = |directory: &PathBuf| directory.join("scenario.yaml").metadata()?.modified();
    directories.sort_by_key(|directory| began(directory).ok());
    directories
}

fn history(evidence: &Path) -> Vec<Record> {
    let file = std::fs::File::open(evidence.join("journal.jsonl")).unwrap();
    journal::read(BufReader::new(file)).unwrap().records
}

/// How many runs there were in the world before this one.
fn reused(history: &[Record]) -> u32 {
    let What::Run(head) = &history[0].what else { panic!("{:?} is no head", history[0]) };
    head.reused
}

/// The exit code, and standard output with standard error.
fn run(place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
    let output = place.run(arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said + &err)
}

// The same runs in the same order, once each in a new world, and once in at most two, which is what
// a pool for one job has. If a reset left anything, the mirrored state or a judgement would differ.
// The journals are read from disk, which proves that each begins with its own first record and has
// its end.
#[test]
fn runs_in_a_used_world_end_as_they_do_in_new_worlds() {
    let runs = ["run", "295-I5", "295-I4", "--rounds", "2", "--jobs", "1", "--keep"];
    let ends = |arguments: &[&str], worlds_at_most: usize| {
        let place = Place::new();
        let (exit, said) = run(&place, arguments);
        assert_eq!(exit, Some(0), "{said}");
        let histories: Vec<_> = evidence(&place).iter().map(|path| history(path)).collect();
        let fresh = histories.iter().filter(|history| reused(history) == 0).count();
        assert!(fresh <= worlds_at_most, "{fresh} worlds were started: {said}");
        for path in evidence(&place) {
            assert!(path.join("engine.log").is_file());
            assert!(path.join("daemon-rdd.stderr.log").is_file());
        }
        assert_eq!(place.leftovers(), Vec::<String>::new());
        let end = |history: Vec<Record>| {
            assert_eq!(history.last().unwrap().what, What::Ended);
            // How often the daemon tried to connect is a matter of time.
            let judgement = Judgement { excused: Vec::new(), ..judge(&history) };
            (judgement, canon::mirrored_state(&history))
        };
        histories.into_iter().map(end).collect::<Vec<_>>()
    };
    let fresh = ends(&[runs.as_slice(), &["--fresh"]].concat(), 4);
    let again = ends(&runs, 2);
    assert_eq!(again, fresh);
    assert!(fresh.iter().all(|(judgement, _)| judgement.verdict == Verdict::Pass));
}

// The first run passes, and leaves a mirror that cannot be removed. If its world were used again,
// the header of the second run would say so.
#[test]
fn a_world_in_which_something_is_left_is_not_used_again() {
    let place = Place::new();
    let leaves = file(&place, LEAVES_SOMETHING);
    let (exit, said) = run(&place, &["run", &leaves, "295-I5", "--jobs", "1", "--keep"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("a world could not be reset"), "{said}");
    let [first, second] = evidence(&place).try_into().unwrap();
    assert_eq!(judge(&history(&first)).verdict, Verdict::Pass);
    let second = history(&second);
    assert_eq!(reused(&second), 0);
    let noted = |record: &Record| matches!(&record.what, What::Note { text } if text.contains("was not used again"));
    assert!(second.iter().any(noted), "the next history says why");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

/// The directories of all worlds.
fn worlds(place: &Place) -> Vec<PathBuf> {
    let below = |path: &Path| {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let bases = below(place.path()).into_iter();
    let bases = bases.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("rt-"));
    bases.flat_map(|base| below(&base)).collect()
}

/// Starts a run that passes and a run that waits. Returns when the second waits, and the world of
/// the first is idle, or is the one in which the second waits.
fn run_up_to_a_wait(place: &Place, jobs: &str) -> std::process::Child {
    let waits = file(place, WAITS);
    let mut child = place.racetrap(&["run", "295-I5", &waits, "--jobs", jobs]).spawn().unwrap();
    wait_until("one run to be over, and the other to wait", || {
        assert_eq!(child.try_wait().unwrap(), None, "it goes on");
        let directories = evidence(place);
        let journal = place.journal();
        let waits = directories.len() == 1 && journal.contains(WAITING);
        let idle = worlds(place).iter().any(|world| world.join("idle.jsonl").exists());
        if waits && idle { Ok(()) } else { Err(format!("{directories:?} {journal}")) }
    });
    child
}

fn signal(child: &std::process::Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).unwrap();
}

// With one job, the second run may be in the first run's world; with two jobs, that world is idle.
// After SIGKILL, only the watchers can close the worlds. The watcher of the idle world must write
// to no evidence: that of the first run is removed.
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
