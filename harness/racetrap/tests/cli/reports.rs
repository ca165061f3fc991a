//! JUnit and GitHub output.

use roxmltree::Document;
use serde_json::Value;

use crate::sandbox::{Sandbox, outcome, program};

/// Runs a program that is no daemon, so that both runs are unknown at once.
fn arguments(more: &[&'static str]) -> Vec<&'static str> {
    let run = ["run", "295-I6", "295-I1", "--daemon", program(), "--format", "json"];
    [run.as_slice(), more].concat()
}

/// The directory of the file does not exist yet. Standard output must still be the JSON object.
#[test]
fn junit_has_a_case_for_each_run_with_its_evidence_and_the_command_that_repeats_it() {
    let sandbox = Sandbox::new();
    let arguments = arguments(&["--junit", "made/for/it.xml"]);
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 3, "{stderr}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let xml = std::fs::read_to_string(sandbox.path().join("made/for/it.xml")).unwrap();
    let document = Document::parse(&xml).unwrap();
    let cases: Vec<_> =
        document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let classes: Vec<_> = cases.iter().filter_map(|case| case.attribute("classname")).collect();
    assert_eq!(classes, ["295-I6", "295-I1"]);
    for (case, run) in cases.iter().zip(object["runs"].as_array().unwrap()) {
        let error = case.children().find(|node| node.has_tag_name("error")).unwrap();
        let text = error.text().unwrap();
        for part in [&run["unknowns"][0], &run["evidence"], &run["again"]] {
            assert!(text.contains(part.as_str().unwrap().trim_end()), "{part}: {text}");
        }
    }
    assert!(!stderr.contains("::error"), "GitHub is not there: {stderr}");
}

/// Sets the variables as GitHub's runner does. The second command of a step must not overwrite the
/// summary of the first.
#[test]
fn in_a_workflow_of_github_what_is_not_right_is_annotated_and_the_job_has_a_summary() {
    let sandbox = Sandbox::new();
    let file = sandbox.path().join("summary.md");
    std::fs::write(&file, "of the first command\n").unwrap();
    let mut command = sandbox.racetrap(&arguments(&[]));
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &file);
    let (code, _, stderr) = outcome(&mut command);
    assert_eq!(code, 3, "{stderr}");
    let lines: Vec<_> = stderr.lines().filter(|line| line.starts_with("::error")).collect();
    assert_eq!(lines.len(), 2, "{stderr}");
    assert!(lines[0].starts_with("::error title=295-I6 "), "{stderr}");
    assert!(lines[0].contains("%0Aagain: racetrap repro 295-I6 --daemon"), "{stderr}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("of the first command\n## \u{2754} racetrap run\n"), "{text}");
    assert!(text.contains("| 295-I1 | \u{2754} unknown |"), "{text}");
    assert!(text.contains("racetrap repro 295-I1 --daemon"), "{text}");
}

/// Two jobs keep a file between them: the second one's summary compares it with the first.
#[test]
fn a_summary_says_what_has_changed_since_the_last_job() {
    let sandbox = Sandbox::new();
    let job = |id: &'static str| {
        let file = sandbox.path().join(id);
        let more = ["--github", "--trend", "kept/trend.jsonl"];
        let run = ["run", id, "--daemon", program(), "--format", "json"];
        let mut command = sandbox.racetrap(&[run.as_slice(), &more].concat());
        let (code, _, stderr) = outcome(command.env("GITHUB_STEP_SUMMARY", &file));
        assert_eq!(code, 3, "{stderr}");
        std::fs::read_to_string(&file).unwrap()
    };
    assert!(!job("295-I6").contains("Since "), "there is nothing to compare with");
    let text = job("295-I1");
    let changed = "newly not right: 295-I1 verdict; right again: 295-I6 verdict\n";
    assert!(text.contains("Since 2") && text.contains(changed), "{text}");
    assert_eq!(text.matches("| 0 | 0 | 1 | 0 | 0 |").count(), 2, "{text}");
}

/// `--github` works outside of a workflow, where there may be no file for the summary.
#[test]
fn annotations_can_be_asked_for_where_no_workflow_runs() {
    let sandbox = Sandbox::new();
    let (_, _, stderr) = outcome(&mut sandbox.racetrap(&arguments(&["--github"])));
    assert_eq!(stderr.matches("::error title=").count(), 2, "{stderr}");
    assert!(stderr.contains("GITHUB_STEP_SUMMARY is not set"), "{stderr}");
}

/// The command must report a wrong path before it runs anything, because the result would be lost.
#[test]
fn a_place_where_no_report_can_be_is_told_before_anything_is_run() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("file"), "").unwrap();
    for (place, expected) in [(".", 2), ("file/below.xml", 4)] {
        for command in ["run", "repro", "matrix"] {
            let arguments = [command, "295-I6", "--junit", place];
            let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
            assert_eq!((code, stdout.as_str()), (expected, ""), "{stderr}");
            assert!(stderr.contains(place), "{stderr}");
        }
    }
    assert!(!sandbox.path().join(".racetrap").exists());
}

/// Each run is reported when it ends, and what is not right again at the end.
#[test]
fn the_last_lines_are_what_is_not_right_and_how_to_repeat_it() {
    let sandbox = Sandbox::new();
    let arguments = ["run", "295-I6", "295-I1", "--daemon", program()];
    let (code, stdout, _) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 3);
    let last = stdout.split("Summary").nth(1).unwrap();
    let lines: Vec<_> = last.lines().skip(1).map(str::trim_start).collect();
    assert_eq!(lines.len(), 8, "{last}");
    for (told, id) in lines.chunks(4).zip(["295-I6", "295-I1"]) {
        assert!(told[0].starts_with("UNKNOWN [") && told[0].contains(id), "{last}");
        assert!(told[1].starts_with("because the world could not be made: "), "{last}");
        assert!(told[2].starts_with("page /") && told[2].ends_with("/timeline.html"), "{last}");
        assert!(told[3].starts_with(&format!("again racetrap repro {id} ")), "{last}");
    }
}

/// A daemon whose error message contains a token. The error is in no record, so only the reports
/// themselves can mask it.
#[test]
fn no_report_shows_a_secret_that_a_daemon_has_said() {
    use std::os::unix::fs::PermissionsExt as _;
    const SECRET: &str = "planted-6dd1ae53c94c4dd0";
    let sandbox = Sandbox::new();
    let daemon = sandbox.path().join("talkative");
    let script = format!(
        "#!/bin/sh\necho 'sent Authorization: Bearer {SECRET}, and was refused' >&2\nexit 1\n"
    );
    std::fs::write(&daemon, script).unwrap();
    std::fs::set_permissions(&daemon, std::fs::Permissions::from_mode(0o755)).unwrap();
    let daemon = daemon.to_str().unwrap();
    for command in ["run", "repro", "matrix"] {
        let arguments = [command, "295-I6", "--daemon", daemon, "--github", "--junit", "junit.xml"];
        let mut racetrap = sandbox.racetrap(&arguments);
        racetrap.env("GITHUB_STEP_SUMMARY", sandbox.path().join("summary.md"));
        let (code, stdout, stderr) = outcome(&mut racetrap);
        assert_eq!(code, 3, "{stdout}{stderr}");
        let file = |name| std::fs::read_to_string(sandbox.path().join(name)).unwrap();
        let told = [stdout, stderr, file("junit.xml"), file("summary.md")];
        for text in told {
            assert!(text.contains("sent Authorization"), "the daemon is quoted: {text}");
            assert!(!text.contains(SECRET), "{text}");
        }
    }
}
