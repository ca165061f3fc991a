use std::collections::BTreeSet;

use serde_json::Value;

use crate::sandbox::{Sandbox, outcome};

/// The numbers in the documents are the expectation, found without the program's own parser.
fn numbers_in_documents() -> BTreeSet<String> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/contract");
    let files = std::fs::read_dir(directory).expect("the contract is there");
    let texts = files.map(|file| {
        let path = file.expect("the contract can be read").path();
        std::fs::read_to_string(path).expect("its documents are texts")
    });
    let mut numbers = BTreeSet::new();
    for text in texts {
        let bold = text.split("**").skip(1).step_by(2);
        let is_number =
            |text: &&str| text.split('.').filter(|part| part.parse::<u8>().is_ok()).count() == 3;
        numbers.extend(bold.filter(is_number).map(str::to_owned));
    }
    assert!(numbers.len() > 200, "{numbers:?}");
    numbers
}

/// Each promise is looked up in the documents, the counts are counted anew, and one promise of which the
/// scenarios say what tests it is compared with that.
#[test]
fn promises_as_json_are_those_of_the_documents_with_what_tests_them() {
    let sandbox = Sandbox::new();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["promises", "--format", "json"]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let object: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(object["version"], 1);
    let promises = object["promises"].as_array().unwrap();
    let text = |promise: &Value, key: &str| promise[key].as_str().unwrap().to_owned();
    let numbers: BTreeSet<_> = promises.iter().map(|promise| text(promise, "number")).collect();
    assert_eq!(numbers, numbers_in_documents());
    let has = |promise: &&Value, key: &str| !promise[key].as_array().unwrap().is_empty();
    let judged = promises.iter().filter(|promise| has(promise, "oracles"));
    assert_eq!(object["judged"], judged.clone().count());
    assert_eq!(object["exercised"], judged.filter(|promise| has(promise, "findings")).count());
    assert_eq!(object["not_judged"], promises.iter().filter(|one| !has(one, "oracles")).count());
    let one = promises.iter().find(|promise| text(promise, "number") == "4.2.9").unwrap();
    assert!(text(one, "text").starts_with("A mirror of a removed tag goes"), "{one}");
    assert_eq!(text(one, "section"), "Events");
    assert_eq!(one["oracles"], serde_json::json!(["convergence"]));
    assert_eq!(one["findings"], serde_json::json!(["295-I1", "295-I6", "295-T9"]));
    assert_eq!(one["defects"], serde_json::json!(["295-I1", "295-I6"]));
}

/// A number, a section and a glob; what follows from each is one promise, all of its section, and so many.
#[test]
fn promises_are_chosen_by_number_section_and_glob() {
    let sandbox = Sandbox::new();
    let all = numbers_in_documents();
    for (given, chosen) in [("4.2.9", "4.2.9"), ("4.2", "4.2."), ("6.1.1*", "6.1.1")] {
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["promises", given]));
        assert_eq!((code, stderr.as_str()), (0, ""));
        let expected = all.iter().filter(|number| number.starts_with(chosen)).count();
        let first = stdout.lines().filter_map(|line| line.split_once(' ')).map(|(first, _)| first);
        let shown: BTreeSet<_> = first.filter(|first| all.contains(*first)).collect();
        assert_eq!(shown.len(), expected, "{stdout}");
        let counts = stdout.lines().last().unwrap();
        assert!(counts.starts_with(&format!("{expected} promises: ")), "{counts}");
    }
}

/// Success would say that nobody tests it.
#[test]
fn a_promise_that_is_not_there_is_bad_usage() {
    let sandbox = Sandbox::new();
    for given in ["4.2.99", "8", "["] {
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["promises", given]));
        assert_eq!((code, stdout.as_str()), (2, ""), "{given}: {stderr}");
        assert!(stderr.contains(given), "{stderr}");
    }
}
