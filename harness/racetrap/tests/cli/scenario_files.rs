use crate::sandbox::{Sandbox, outcome, snapshot};

/// Runs the file `name` with these bytes, and returns the message. A bad file must be refused
/// before the machine or a daemon is asked anything, so the sandbox has neither.
#[track_caller]
fn refusal(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join(name), bytes).expect("the file can be written");
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap_without_programs(&["run", name]));
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    stderr
}

/// Compares the message with its snapshot: problem, file, line, expectation and help.
#[track_caller]
fn check(case: &str, text: &str) {
    let name = format!("{case}.yaml");
    let told = refusal(&name, text);
    assert!(told.contains(&name), "the file is named: {told}");
    snapshot(&format!("scenario-{case}"), &told);
}

#[test]
fn an_unknown_key_is_shown_with_the_known_ones() {
    check("unknown-key", "finding: 295-I3\nstep:\n  - settle\n");
}

#[test]
fn an_unknown_key_of_a_gate_is_shown_with_the_known_ones() {
    let text = "finding: 295-I3\nsteps:\n  - hold:\n      gate: g\n      at: request\n      \
                where: {route: /events}\n  - settle\n";
    check("unknown-key-of-gate", text);
}

#[test]
fn an_unknown_key_of_a_step_is_shown_with_the_known_ones() {
    let text =
        "finding: 295-I3\nsteps:\n  - load_image: {image: base, tag: \"base:1\"}\n  - settle\n";
    check("unknown-key-of-step", text);
}

#[test]
fn an_unknown_step_is_shown_with_the_known_ones() {
    check("unknown-step", "finding: 295-I3\nsteps:\n  - make_volume: {name: data}\n  - settle\n");
}

#[test]
fn an_unknown_point_is_shown_with_the_known_ones() {
    let text = "finding: 295-I3\nsteps:\n  - hold: {gate: g, at: sideways, on: {}}\n  - settle\n";
    check("unknown-point", text);
}

#[test]
fn a_wrong_type_is_shown_with_the_right_one() {
    check("wrong-type", "finding: 295-I3\nsteps: seven\n");
}

#[test]
fn a_value_of_a_step_that_takes_none_is_shown() {
    check("value-of-name", "finding: 295-I3\nsteps:\n  - settle: 5\n");
}

/// 20,000 brackets in one line: the message shows the place, and no screens full of brackets.
#[test]
fn what_is_nested_too_deeply_is_shown_in_a_few_lines() {
    let text = format!("finding: 295-I3\nsteps: {}", "[".repeat(20_000));
    check("too-deep", &text);
}

#[test]
fn a_word_in_place_of_a_truth_value_is_shown() {
    check("wrong-bool", "finding: 295-I3\nsteps:\n  - app: {running: maybe}\n  - settle\n");
}

#[test]
fn a_missing_key_is_named() {
    check("missing-key", "steps:\n  - settle\n");
}

#[test]
fn a_missing_key_of_a_step_is_named() {
    check("missing-key-of-step", "finding: 295-I3\nsteps:\n  - tag: {image: base}\n  - settle\n");
}

#[test]
fn a_key_that_stands_twice_is_shown() {
    check("twice", "finding: 295-I3\nsteps: [settle]\nfinding: 295-I4\n");
}

#[test]
fn an_empty_file_is_no_scenario() {
    check("empty", "# Nothing yet.\n\n");
}

#[test]
fn several_documents_are_no_scenario() {
    let one = "finding: 295-I3\nsteps:\n  - settle\n";
    check("several", &format!("{one}---\n{one}"));
}

#[test]
fn text_that_is_no_yaml_is_shown_where_it_ends_to_be() {
    check("syntax", "finding: 295-I3\nsteps:\n  - hold: {gate: g\n  - settle\n");
}

#[test]
fn bytes_that_are_no_text_are_shown_where_they_begin() {
    let told = refusal("binary.yaml", b"finding: 295-I3\nsteps: [\xff\xfe]\n");
    snapshot("scenario-binary", &told);
}

/// One byte more than the limit. Without the limit, the text would be refused for another reason.
#[test]
fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let told = refusal("large.yaml", vec![b'#'; 1024 * 1024 + 1]);
    snapshot("scenario-large", &told);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let sandbox = Sandbox::new();
    let (code, _, stderr) = outcome(&mut sandbox.racetrap(&["run", "absent.yaml"]));
    assert_eq!(code, 2);
    snapshot("scenario-absent", &stderr);
}

#[test]
fn gates_that_wait_for_each_other_are_shown_at_one_of_them() {
    let text = "finding: 295-I3\nsteps:\n  - hold: {gate: a, at: request, on: {}, after: b}\n  - \
                hold: {gate: b, at: request, on: {}, after: a}\n  - settle\n";
    check("cycle", text);
}

#[test]
fn a_gate_that_was_never_armed_is_shown_at_its_step() {
    check(
        "unarmed",
        "finding: 295-I3\nsteps:\n  - app: {running: true}\n  - reached: g\n  - settle\n",
    );
}

#[test]
fn a_schedule_that_judges_nothing_is_shown_at_its_last_step() {
    check("unjudged", "finding: 295-I3\nsteps:\n  - app: {running: true}\n");
}

#[test]
fn a_schedule_without_steps_is_shown() {
    check("no-steps", "finding: 295-I3\nsteps: []\n");
}

#[test]
fn a_finding_that_nobody_knows_is_shown_with_the_nearest_first() {
    check("unknown-finding", "finding: 295-I33\nsteps:\n  - settle\n");
}

// Whoever mends several files need not run them once for each.
#[test]
fn all_bad_files_are_told_at_once() {
    let sandbox = Sandbox::new();
    for (name, text) in [("one.yaml", "finding: x-1\nstep: []\n"), ("two.yaml", "finding: [\n")] {
        std::fs::write(sandbox.path().join(name), text).expect("the file can be written");
    }
    let given = ["run", "one.yaml", "own-C1", "two.yaml", "three.yaml"];
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap_without_programs(&given));
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    snapshot("scenario-three-files", &stderr);
}
