//! `--known FILE`: bad lists are refused before anything runs, and `report` compares earlier evidence.

use std::path::Path;

use serde_json::Value;

use crate::sandbox::{Sandbox, outcome, program};

/// A journal whose only step was missed by the daemon.
const FAILED: &str = r#"{"seq":0,"at_us":0,"what":"run","format":2,"harness":"0","finding":"295-I3","scenario":{"finding":"295-I3","steps":["settle"]},"daemon":"/rdd","defects":[],"vm":"api","started":"","reused":0,"again":"racetrap repro 295-I3"}
{"seq":1,"at_us":1,"what":"step_failed","index":0,"blame":"daemon","why":"late"}
{"seq":2,"at_us":2,"what":"ended"}
"#;

/// A journal of a scenario that is not for its daemon.
const INAPPLICABLE: &str = r#"{"seq":0,"at_us":0,"what":"run","format":2,"harness":"0","finding":"295-I2","scenario":{"finding":"295-I2","steps":["settle"]},"daemon":"/rdd","defects":[],"vm":"api","started":"","reused":0,"again":"racetrap repro 295-I2"}
{"seq":1,"at_us":1,"what":"not_applicable","why":"this daemon has another protocol"}
{"seq":2,"at_us":2,"what":"process","name":"engine","pid":1,"started":1,"state":{"died":{"exit":{"signal":9}}}}
{"seq":3,"at_us":3,"what":"ended"}
"#;

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a file in a directory"))
        .expect("a writable directory");
    std::fs::write(path, text).expect("a writable directory");
}

fn report(sandbox: &Sandbox, more: &[&str]) -> (i32, Value, String) {
    let arguments = [&["report", "evidence", "--format", "json"], more].concat();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    let object = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
    (code, object, stderr)
}

/// Each list breaks one rule. Nothing is run, so no evidence is written.
#[test]
fn a_bad_list_is_refused_with_its_line_and_exit_code_2() {
    let sandbox = Sandbox::new();
    let good = "- finding: 295-I3\n  oracle: liveness\n  why: w\n  since: s\n";
    let lists = [
        (good.replace("295-I3", "295-I99"), "no finding `295-I99` is known", "known.yaml:1"),
        (good.replace("liveness", "livenes"), "unknown name `livenes`", "known.yaml:2"),
        (good.replace("why", "whi"), "unknown key `whi`", "known.yaml:3"),
        (format!("{good}---\n{good}"), "the file holds several documents", "known.yaml:"),
        (format!("{good}{good}"), "is listed twice", "known.yaml:5"),
    ];
    for (list, problem, place) in lists {
        write(&sandbox.path().join("known.yaml"), &list);
        for command in ["run", "matrix"] {
            let arguments = [command, "295-I3", "--known", "known.yaml", "--daemon", program()];
            let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
            assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
            assert!(stderr.contains(problem) && stderr.contains(place), "{problem}: {stderr}");
        }
    }
    let arguments = ["run", "295-I3", "--known", "missing.yaml", "--daemon", program()];
    let (code, _, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("missing.yaml could not be read"), "{stderr}");
    assert_eq!(sandbox.runs(), Vec::<std::path::PathBuf>::new());
}

/// The same evidence without a list, with one that names its oracle, and with one that does not.
#[test]
fn a_failure_that_is_listed_does_not_fail_the_command() {
    let sandbox = Sandbox::new();
    write(&sandbox.path().join("evidence/one/journal.jsonl"), FAILED);
    assert_eq!(report(&sandbox, &[]).0, 1);
    for (oracle, code, right) in [("liveness", 0, Value::Null), ("counts", 1, Value::Bool(false))] {
        let list = format!("- {{finding: 295-I3, oracle: {oracle}, why: slow, since: June}}\n");
        write(&sandbox.path().join("known.yaml"), &list);
        let more = ["--known", "known.yaml", "--junit", "junit.xml"];
        let (exit, object, stderr) = report(&sandbox, &more);
        assert_eq!(exit, code, "{stderr}");
        let run = &object["runs"][0];
        assert_eq!((&run["verdict"], &run["right"]), (&Value::from("fail"), &right));
        let xml = std::fs::read_to_string(sandbox.path().join("junit.xml")).unwrap();
        assert_eq!(xml.contains("<skipped"), code == 0, "{xml}");
        assert_eq!(xml.contains("slow (since June)"), code == 0, "{xml}");
    }
}

/// The run proves nothing, and nothing is wrong: every output says so, and the end of the engine,
/// which the harness itself caused, is in none.
#[test]
fn evidence_of_a_run_that_is_not_applicable_says_that_nothing_was_shown() {
    let sandbox = Sandbox::new();
    write(&sandbox.path().join("evidence/one/journal.jsonl"), INAPPLICABLE);
    let (code, object, stderr) = report(&sandbox, &["--junit", "junit.xml"]);
    let run = &object["runs"][0];
    assert_eq!((code, &run["verdict"]), (0, &Value::from("not_applicable")));
    assert_eq!(run["not_applicable"], "this daemon has another protocol");
    assert!(stderr.contains("nothing was shown"), "{stderr}");
    let read = |name: &str| std::fs::read_to_string(sandbox.path().join(name)).unwrap();
    let (_, text, _) = outcome(&mut sandbox.racetrap(&["report", "evidence"]));
    for output in [read("junit.xml"), read("evidence/index.html"), text] {
        assert!(output.contains("this daemon has another protocol"), "{output}");
        assert!(!output.contains("ended by itself"), "{output}");
    }
}
