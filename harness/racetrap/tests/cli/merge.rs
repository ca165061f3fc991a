//! `racetrap merge`, the page of searches, and tokens of replay files.

use std::path::Path;

use serde_json::Value;

use crate::sandbox::{Sandbox, outcome, snapshot};

/// The state of searches of two daemons: two parts of one search of the newer one, and one of the older.
const SEARCHED: &str = include_str!("../searched.jsonl");

/// The sessions of [`SEARCHED`] with these names, as a file of their own.
fn write(path: &Path, sessions: &[&str]) {
    let is_of = |line: &&str| {
        sessions.iter().any(|name| line.starts_with(&format!("{{\"session\":\"{name}\"")))
    };
    let lines = SEARCHED.lines().filter(|line| line.starts_with("{\"file\"") || is_of(line));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    std::fs::create_dir_all(path.parent().expect("a file in a directory"))
        .expect("a writable directory");
    std::fs::write(path, text).expect("a writable directory");
}

fn merged(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let arguments = [&["merge", "--format", "json"], arguments].concat();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).expect("the output is JSON")
}

// Two shards and an older search, each in its directory. Their evidence is found from the merged state, and
// merging a part again changes nothing.
#[test]
fn states_of_several_machines_become_one_state_and_one_page() {
    let sandbox = Sandbox::new();
    for (name, own) in [("a", "one"), ("b", "two"), ("c", "old")] {
        write(&sandbox.path().join(name).join("search.jsonl"), &[own]);
    }
    let found = sandbox.path().join("a/found");
    std::fs::create_dir(&found).unwrap();
    std::fs::write(found.join("work-volume-life.00000002.yaml"), "").unwrap();
    let once = merged(&sandbox, &["a", "b/search.jsonl", "c", "-o", "all/merged.jsonl"]);
    let newest = &once["subjects"][0];
    assert_eq!((&newest["daemon"], &newest["plans"]), (&"v2.0".into(), &7.into()), "{newest}");
    assert_eq!((&newest["covered"], &newest["pairs"]), (&6.into(), &9.into()), "{newest}");
    let failures = newest["found"].as_array().unwrap();
    let facts: Vec<_> = failures.iter().map(|it| (&it["count"], &it["known"])).collect();
    assert_eq!(facts, [(&2.into(), &false.into()), (&1.into(), &true.into())]);
    let page = std::fs::read_to_string(sandbox.path().join("all/merged.html")).unwrap();
    let real = std::fs::canonicalize(&found).unwrap();
    assert!(page.contains(&format!("href=\"{}/work-", real.display())), "{page}");
    let again = merged(&sandbox, &["a", "all/merged.jsonl", "-o", "all/merged.jsonl"]);
    assert_eq!(once["subjects"], again["subjects"]);
    let (code, stdout, _) =
        outcome(&mut sandbox.racetrap(&["merge", "all/merged.jsonl", "-o", "all/merged.jsonl"]));
    assert_eq!(code, 0);
    let here = std::fs::canonicalize(sandbox.path()).unwrap();
    snapshot("merge", &stdout.replace(&*here.to_string_lossy(), "HOME"));
}

#[test]
fn what_is_no_state_is_refused_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let cases = [
        ("{\"runs\": []}\n", "bad.jsonl is not the state of a search"),
        ("{\"file\":\"state of racetrap search\",\"version\":9}\n", "has version 9"),
        ("{\"file\":\"state of racetrap search\",\"version\":2}\nx\ny\n", "line 2 of bad.jsonl"),
    ];
    for (text, problem) in cases {
        std::fs::write(sandbox.path().join("bad.jsonl"), text).unwrap();
        let arguments = ["merge", "bad.jsonl", "-o", "out.jsonl"];
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains(problem), "{problem}: {stderr}");
    }
    let (code, _, stderr) = outcome(&mut sandbox.racetrap(&["merge", "gone", "-o", "out.jsonl"]));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("gone could not be read"), "{stderr}");
    assert!(!sandbox.path().join("out.jsonl").exists());
}

// `report` writes the page again, and compares what was found with a list of today.
#[test]
fn the_page_of_searches_is_written_again_by_report() {
    let sandbox = Sandbox::new();
    write(&sandbox.path().join("evidence/search.jsonl"), &["one", "two", "old"]);
    let report = |more: &[&str]| {
        let arguments = [&["report", "evidence", "--format", "json"], more].concat();
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
        assert!(stderr.contains("search.html"), "{stderr}");
        let object: Value = serde_json::from_str(&stdout).expect("the output is JSON");
        assert_eq!(object["runs"], serde_json::json!([]));
        code
    };
    assert_eq!(report(&[]), 1);
    let page = std::fs::read_to_string(sandbox.path().join("evidence/search.html")).unwrap();
    assert!(page.contains("Broken promises") && page.contains("Known failures"), "{page}");
    let entry = |oracle: &str, check: &str| {
        format!("- {{oracle: {oracle}, check: {check}, why: it is slow, since: June}}\n")
    };
    let both = entry("convergence", "4.2-mirrors-differ")
        + &entry("truthful_conditions", "3.7-wrong-settled");
    std::fs::write(sandbox.path().join("known.yaml"), both).unwrap();
    assert_eq!(report(&["--known", "known.yaml"]), 0);
    let page = std::fs::read_to_string(sandbox.path().join("evidence/search.html")).unwrap();
    assert!(!page.contains("Broken promises"), "{page}");
}

#[test]
fn a_token_that_cannot_be_used_is_refused() {
    let sandbox = Sandbox::new();
    for (token, problem) in [
        ("rt1:fHXopyi1L_0gTOUAAEhmMWEyYjNjNGQFAE8YsDMAsJVdvgL04YgMXgA", "its checksum is wrong"),
        ("rt1:fHXopyi1L_0gTOUAAEhmMWEyYjNjNGQ", "its checksum is wrong"),
        ("rt1:!", "it has letters that no token has"),
        ("rt9:AAAA", "the token has format rt9, and this racetrap reads rt1"),
    ] {
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["repro", token]));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains(problem), "{problem}: {stderr}");
    }
    assert_eq!(sandbox.runs(), Vec::<std::path::PathBuf>::new());
}
