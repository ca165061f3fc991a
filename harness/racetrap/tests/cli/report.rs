//! `racetrap report`: judges the evidence of earlier runs again.

use std::path::{Path, PathBuf};

use roxmltree::Document;
use serde_json::Value;

use crate::sandbox::{Sandbox, outcome};

/// The files that are made from a journal.
const MADE: [&str; 4] = ["verdict.json", "timeline.txt", "timeline.html", "trace.json"];

/// Runs a finding under its own defect, and returns the evidence of the failure.
#[track_caller]
fn failed(sandbox: &Sandbox) -> PathBuf {
    let arguments = ["run", "295-I6", "--defect", "295-I6"];
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 1, "{stdout}{stderr}");
    sandbox.runs().pop().expect("a run")
}

fn read(directory: &Path, name: &str) -> String {
    std::fs::read_to_string(directory.join(name)).expect("it was written")
}

/// Deletes what follows from the journal. The command must write the same files again, with the same
/// text and exit code.
#[test]
fn everything_that_a_run_told_is_made_again_from_its_journal() {
    let sandbox = Sandbox::new();
    let evidence = failed(&sandbox);
    let before = MADE.map(|name| read(&evidence, name));
    for name in MADE {
        std::fs::remove_file(evidence.join(name)).unwrap();
    }
    let arguments = ["report", ".racetrap", "--junit", "junit.xml"];
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert_eq!(MADE.map(|name| read(&evidence, name)), before);
    assert!(stdout.contains("again racetrap repro 295-I6 --defect 295-I6"), "{stdout}");
    assert!(stdout.contains("expected The image has exactly one mirror"), "{stdout}");
    assert!(stdout.contains("1 run: 0 passed, 1 failed, 0 unknown"), "{stdout}");
    let xml = read(sandbox.path(), "junit.xml");
    let document = Document::parse(&xml).unwrap();
    assert!(document.descendants().any(|node| node.has_tag_name("failure")), "{xml}");
}

/// One journal is cut in the middle of a line, as after a kill; another is damaged. The damaged one
/// must neither hide the first nor be ignored.
#[test]
fn a_torn_journal_is_unknown_and_a_damaged_one_is_told_with_its_line() {
    let sandbox = Sandbox::new();
    let evidence = failed(&sandbox);
    let journal = read(&evidence, "journal.jsonl");
    let cut = journal.floor_char_boundary(journal.len() / 2);
    std::fs::write(evidence.join("journal.jsonl"), &journal[..cut]).unwrap();
    let damaged = sandbox.path().join(".racetrap/evidence/damaged");
    std::fs::create_dir(&damaged).unwrap();
    let mut lines: Vec<_> = journal.lines().collect();
    lines[2] = "no record";
    std::fs::write(damaged.join("journal.jsonl"), lines.join("\n") + "\n").unwrap();
    let arguments = ["report", ".racetrap", "--format", "json"];
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 3, "{stdout}{stderr}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let run = &object["runs"][0];
    assert_eq!((&run["finding"], &run["verdict"]), (&"295-I6".into(), &"unknown".into()));
    assert!(run["unknowns"].to_string().contains("the journal has no end"), "{run}");
    let verdict: Value = serde_json::from_str(&read(&evidence, "verdict.json")).unwrap();
    assert_eq!(verdict["verdict"], "unknown");
    assert!(
        stderr.contains("damaged/journal.jsonl: line 3 is not a record of a journal"),
        "{stderr}"
    );
    assert_eq!(object["unread"].as_array().map(Vec::len), Some(1));
}

/// Directories without a usable journal.
#[test]
fn a_directory_without_a_journal_that_can_be_used_is_refused_with_exit_code_2() {
    let sandbox = Sandbox::new();
    let directory = |name: &str, journal: Option<&str>| {
        let path = sandbox.path().join(name);
        std::fs::create_dir(&path).unwrap();
        if let Some(journal) = journal {
            std::fs::write(path.join("journal.jsonl"), journal).unwrap();
        }
    };
    directory("empty", None);
    directory("blank", Some(""));
    directory("damaged", Some("no record\n"));
    directory("newer", Some("{\"seq\":0,\"at_us\":0,\"what\":\"run\",\"format\":99}\n"));
    for (name, why) in [
        ("absent", "absent could not be read"),
        ("empty", "there is no journal.jsonl in empty or below it"),
        ("blank", "the journal does not say what was run"),
        ("damaged", "line 1 is not a record of a journal"),
        ("newer", "the journal has format 99"),
    ] {
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["report", name]));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.replace("\n  \u{2502} ", " ").contains(why), "{why}: {stderr}");
    }
}
