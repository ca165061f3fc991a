use serde_json::Value;

use crate::sandbox::{Sandbox, outcome};

/// The files themselves are the expectation, so that an entry that is not embedded or not listed is
/// noticed.
fn findings_in_files() -> Vec<String> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/catalogue");
    let entries = std::fs::read_dir(directory).expect("the catalogue is there");
    let mut ids: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("the catalogue can be read").path();
            path.file_stem().expect("an entry has a name").to_string_lossy().into_owned()
        })
        .collect();
    ids.sort();
    assert!(!ids.is_empty());
    ids
}

/// The first word of each line is an id. Findings that cannot be run follow, each with a second
/// line that says why.
#[test]
fn list_shows_one_line_for_each_finding() {
    let sandbox = Sandbox::new();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["list"]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let lines: Vec<_> = stdout.lines().collect();
    let (run, unshown) = lines.split_at(findings_in_files().len());
    let first = |line: &&str| line.split_whitespace().next().unwrap().to_owned();
    assert_eq!(run.iter().map(first).collect::<Vec<_>>(), findings_in_files());
    assert!(!unshown.is_empty() && unshown.len() % 2 == 0, "{stdout}");
    assert!(stdout.contains("not run, could be shown on Windows: "), "{stdout}");
    for pair in unshown.chunks(2) {
        assert!(first(&pair[0]).contains('-'), "{stdout}");
        assert!(pair[1].trim_start().starts_with("not run"), "{stdout}");
    }
}

/// Parses the output as a program would, and looks up every key that docs/formats.md promises.
#[test]
fn list_as_json_is_one_object_with_a_version_and_every_finding() {
    let sandbox = Sandbox::new();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["list", "--format", "json"]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let object: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(object["version"], 1);
    let findings = object["findings"].as_array().unwrap();
    let ids: Vec<_> = findings.iter().map(|finding| finding["id"].as_str().unwrap()).collect();
    assert_eq!(ids, findings_in_files());
    for finding in findings {
        for key in ["title", "source", "broken", "correct", "oracle", "defect", "unrelated"] {
            assert!(finding[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {finding}");
        }
        assert!(finding["platforms"].as_array().is_some_and(|platforms| !platforms.is_empty()));
        assert!(finding["promises"].as_array().is_some_and(|promises| !promises.is_empty()));
        assert!(finding["covers"].is_array());
    }
    let unshown = object["unshown"].as_array().unwrap();
    assert!(!unshown.is_empty());
    for finding in unshown {
        for key in ["finding", "title", "source", "broken", "correct", "unshown"] {
            assert!(finding[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {finding}");
        }
    }
}
