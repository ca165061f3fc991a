//! `racetrap judge`: judges an old history by the current oracles.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::place::Place;

fn judge(place: &Place, bundle: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        place.bare(&[&["judge", bundle.to_str().unwrap()], more].concat()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

// The recorded verdict in the directory is changed, as if older oracles had given it. `judge` must
// report a difference for the directory and none for the archive, which still has the run's own
// verdict. It must write nothing.
#[test]
fn a_bundle_is_judged_again_and_differences_from_its_verdict_are_reported() {
    let place = Place::new();
    let run = place.run(&["run", "295-I3", "--defect", "295-I3"]);
    assert_eq!(run.status.code(), Some(1));
    let directory = place.evidence().unwrap();
    let archive = directory.with_extension("tar.zst");
    let other = json!({ "verdict": "pass", "violations": [], "unknowns": ["the moon was full"] });
    std::fs::write(directory.join("verdict.json"), other.to_string()).unwrap();
    std::fs::remove_file(directory.join("timeline.txt")).unwrap();

    let (code, said, _) = judge(&place, &archive, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("FAIL") && said.contains("seen convergence: "), "{said}");
    assert!(said.contains("recorded the same verdict, for the same reasons"), "{said}");
    assert!(said.contains("racetrap repro 295-I3 --defect 295-I3"), "{said}");

    let (code, said, _) = judge(&place, &directory, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("differs the verdict was pass, and is fail"), "{said}");
    assert!(said.contains("differs not any more: the moon was full"), "{said}");
    assert!(said.contains("differs new: convergence: "), "{said}");

    let (code, said, _) = judge(&place, &directory, &["--format", "json"]);
    assert_eq!(code, Some(1), "{said}");
    let object: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&object["version"], &object["run"]["verdict"]), (&json!(2), &json!("fail")));
    assert_eq!(object["recorded"], other);
    assert_eq!(object["differences"][0], "the verdict was pass, and is fail");

    std::fs::remove_file(directory.join("verdict.json")).unwrap();
    let (code, said, _) = judge(&place, &directory, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nothing to compare with: there is no verdict.json"), "{said}");
    assert!(!directory.join("timeline.txt").exists(), "nothing is written beside the journal");
}

// Every invalid bundle must be rejected as bad input, and a journal must not send commands to the
// terminal.
#[test]
fn a_bundle_that_cannot_be_judged_is_bad_input() {
    let place = Place::new();
    let journal = |name: &str, text: &str| {
        let directory = place.path().join(name);
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("journal.jsonl"), text).unwrap();
        directory
    };
    let linked = journal("linked", "");
    std::os::unix::fs::symlink("/etc/passwd", linked.join("verdict.json")).unwrap();
    let text = place.path().join("text");
    std::fs::write(&text, "no archive").unwrap();
    let captured = place.path().join("captured");
    std::fs::create_dir(&captured).unwrap();
    let manifest = json!({ "version": 1, "trigger": "killed", "reason": "", "began": "",
        "seconds": 0.0, "deadline": 0.0, "entries": [] });
    std::fs::write(captured.join("manifest.json"), manifest.to_string()).unwrap();
    for (bundle, why) in [
        (place.path().join("absent"), "cannot be read"),
        (text, "no archive"),
        (linked, "neither a file nor a directory"),
        (captured, "there is no journal.jsonl"),
        (journal("empty", ""), "does not say what was run"),
        (journal("damaged", "no record\n"), "line 1 is not a record"),
    ] {
        let (code, said, error) = judge(&place, &bundle, &[]);
        assert_eq!((code, said.as_str()), (Some(2), ""), "{error}");
        assert!(error.replace("\n  \u{2502} ", " ").contains(why), "{why}: {error}");
    }
    let head = json!({ "seq": 0, "at_us": 0, "what": "run", "format": 1, "harness": "1",
        "finding": "295-I3", "scenario": { "finding": "295-I3", "steps": [] }, "daemon": "d",
        "defects": [], "vm": "api", "started": "", "reused": 0, "again": "\u{1b}]0;owned\u{7}" });
    let note = json!({ "seq": 1, "at_us": 1, "what": "note", "text": "\u{1b}[2J" });
    let (code, said, error) = judge(&place, &journal("hostile", &format!("{head}\n{note}\n")), &[]);
    assert_eq!(code, Some(3), "{error}");
    assert!(said.contains("owned") && !said.contains(['\u{1b}', '\u{7}']), "{said:?}");
}
