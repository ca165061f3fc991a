//! What a matrix leaves, what `report` says of it later, and how evidence is removed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde_json::Value;

use crate::sandbox::{Sandbox, outcome, program};

/// A matrix of one finding, in which everything is right.
fn right_matrix() -> Sandbox {
    let sandbox = Sandbox::new();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["matrix", "295-I6"]));
    assert_eq!(code, 0, "{stdout}{stderr}");
    sandbox
}

/// The cell under the finding's own defect had to fail, so nothing is wrong; and the grid of the matrix,
/// which also has the cells that left no evidence, must stay.
#[test]
fn a_report_after_a_right_matrix_says_that_all_is_right_and_leaves_its_grid() {
    let sandbox = right_matrix();
    let index = sandbox.path().join(".racetrap/evidence/index.html");
    let grid = fs::read_to_string(&index).unwrap();
    assert!(grid.contains("caught by convergence") && grid.contains("no alarm"), "{grid}");
    let arguments = ["report", ".racetrap/evidence", "--junit", "junit.xml"];
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("CAUGHT [") && !stdout.contains("FAIL"), "{stdout}");
    assert!(stdout.contains("1 run: 0 passed, 0 failed, 0 unknown, 1 caught"), "{stdout}");
    assert_eq!(fs::read_to_string(&index).unwrap(), grid);
    let report = fs::read_to_string(index.with_file_name("report.html")).unwrap();
    assert!(report.contains("caught by convergence"), "{report}");
    let junit = fs::read_to_string(sandbox.path().join("junit.xml")).unwrap();
    assert!(
        junit.contains("failures=\"0\" errors=\"0\"") || !junit.contains("<failure"),
        "{junit}"
    );
}

/// One of two journals is damaged. It must be counted wherever the runs are.
#[test]
fn a_journal_that_cannot_be_read_is_counted_in_every_report() {
    let sandbox = right_matrix();
    let damaged = sandbox.path().join(".racetrap/evidence/damaged");
    fs::create_dir(&damaged).unwrap();
    fs::write(damaged.join("journal.jsonl"), "no record\n").unwrap();
    let arguments = ["report", ".racetrap", "--junit", "junit.xml"];
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 3, "{stdout}{stderr}");
    assert!(stdout.contains("1 caught, 1 journal that cannot be read"), "{stdout}");
    let junit = fs::read_to_string(sandbox.path().join("junit.xml")).unwrap();
    assert!(junit.contains("tests=\"2\"") && junit.contains("errors=\"1\""), "{junit}");
    assert!(junit.contains("line 1 is not a record of a journal"), "{junit}");
    let index = fs::read_to_string(sandbox.path().join(".racetrap/index.html")).unwrap();
    assert!(index.contains("damaged") && index.contains("cannot be read"), "{index}");
}

/// Neither the index nor the report can be written, and a promise was broken: that decides.
#[test]
fn a_report_that_cannot_be_written_does_not_hide_a_broken_promise() {
    let sandbox = Sandbox::new();
    let evidence = sandbox.path().join(".racetrap/evidence");
    fs::create_dir_all(&evidence).unwrap();
    fs::write(evidence.join("index.html"), "mine").unwrap();
    let arguments = ["run", "295-I6", "--defect", "295-I6"];
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stderr.contains("index.html could not be written"), "{stderr}");
}

/// `sudo` sets both variables. Evidence of the run, its archive and the index must belong to the caller.
#[test]
fn evidence_of_a_run_by_sudo_belongs_to_the_caller() {
    let sandbox = Sandbox::new();
    let arguments = ["run", "295-I6", "--daemon", "/bin/false", "--junit", "junit.xml"];
    let mut command = sandbox.racetrap(&arguments);
    let (code, _, stderr) = outcome(command.env("SUDO_UID", "12345").env("SUDO_GID", "12346"));
    assert_eq!(code, 3, "{stderr}");
    let place = sandbox.path().join(".racetrap");
    let mut paths = vec![place.clone(), place.join("evidence"), place.join("evidence/index.html")];
    let run = sandbox.runs().pop().unwrap();
    paths.push(sandbox.path().join("junit.xml"));
    paths.extend([run.join("journal.jsonl"), run.join("manifest.json"), run]);
    for path in paths {
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (12_345, 12_346), "{}", path.display());
    }
}

fn evidence(place: &Path, name: &str, bytes: usize) {
    let directory = place.join(name);
    fs::create_dir_all(&directory).expect("a writable directory");
    fs::write(directory.join("journal.jsonl"), vec![b'x'; bytes]).expect("a writable directory");
    fs::write(directory.join("verdict.json"), "{}").expect("a writable directory");
    fs::write(place.join(format!("{name}.tar.zst")), "archive").expect("a writable directory");
}

/// Files of others in the same directory, and evidence that is neither too old nor too much, must stay.
#[test]
fn clean_removes_evidence_by_age_and_size_and_nothing_else() {
    let sandbox = Sandbox::new();
    let place = sandbox.path().join(".racetrap/evidence");
    for name in ["295-I1-1", "295-I2-1", "295-I3-1"] {
        evidence(&place, name, 10_000);
    }
    fs::write(place.join("notes.txt"), "mine").unwrap();
    fs::create_dir(place.join("others")).unwrap();
    let (code, stdout, _) = outcome(&mut sandbox.racetrap(&["clean", "--older-than", "1h"]));
    assert_eq!((code, stdout.as_str()), (0, "removed: 0 runs, 0 B; kept: 3 runs, 29.3 KiB\n"));
    let arguments = ["clean", "--down-to", "25kB", "--dry-run", "--format", "json"];
    let (code, stdout, _) = outcome(&mut sandbox.racetrap(&arguments));
    let object: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, object["removed"].as_array().unwrap().len()), (0, 1), "{stdout}");
    assert_eq!(sandbox.runs().len(), 4, "nothing is removed yet");
    let (code, stdout, _) = outcome(&mut sandbox.racetrap(&["clean", "--older-than", "0s"]));
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.ends_with("removed: 3 runs, 29.3 KiB; kept: 0 runs, 0 B\n"), "{stdout}");
    let left: Vec<_> = fs::read_dir(&place).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    let (code, _, stderr) = outcome(&mut sandbox.racetrap(&["clean"]));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("--older-than") && stderr.contains("--down-to"), "{stderr}");
}

/// The last lines of a command say how much evidence there is.
#[test]
fn a_command_says_how_much_evidence_there_is() {
    let sandbox = Sandbox::new();
    let arguments = ["run", "295-I6", "--daemon", program(), "--evidence", "my place"];
    let (_, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    let line = stdout.lines().find(|line| line.contains("Evidence ")).expect(&stderr);
    assert!(line.contains("1 run, ") && line.contains("KiB"), "{line}");
    assert!(
        line.contains("racetrap clean '") && line.contains("/my place' --older-than"),
        "{line}"
    );
}

/// A disk that has room for a journal, and not for all that is made of it: what failed has failed, and the
/// evidence that there is must be named.
#[test]
fn a_failure_on_a_disk_that_fills_late_is_a_failure_with_a_path() {
    let sandbox = Sandbox::new();
    let place = sandbox.path().join("small");
    fs::create_dir(&place).unwrap();
    let script = "mount -t tmpfs -o size=$1 none \"$2\" && shift 2 && exec \"$@\"";
    let mut command = assert_cmd::Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh", "300k"]).arg(&place).arg(program());
    command.args(["run", "295-I6", "--defect", "295-I6", "--evidence", "small"]);
    command.args(["--format", "json"]).current_dir(sandbox.path()).env("HOME", sandbox.path());
    let (code, stdout, stderr) = outcome(&mut command);
    assert_eq!(code, 1, "{stdout}{stderr}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let run = &object["runs"][0];
    assert_eq!(run["verdict"], "fail", "{run}");
    assert!(run["evidence"].as_str().unwrap().contains("/small/295-I6-"), "{run}");
    assert!(run["unknowns"].to_string().contains("is not complete"), "{run}");
}
