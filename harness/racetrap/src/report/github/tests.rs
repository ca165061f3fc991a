use super::*;
use crate::report::case::{Case, State, example};

/// Numbers of runs just below and above the number that GitHub shows, and far above it.
#[test]
fn at_most_nine_runs_are_annotated_and_the_tenth_line_counts_the_others() {
    let text = |bad| {
        let mut cases = vec![example(State::Wrong); bad];
        cases.push(example(State::Right));
        annotations(&cases)
    };
    for (bad, lines) in [(0, 0), (1, 1), (9, 9), (10, 10), (300, 10)] {
        let text = text(bad);
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(text.lines().all(|line| line.starts_with("::error title=")), "{text}");
    }
    assert!(!text(9).contains("more run"));
    assert!(text(10).contains("::1 more run is not right"));
    assert!(text(300).contains("::291 more runs are not right"));
    let one = text(1);
    assert!(one.contains("title=1-A changes are never seen%2C defect 1-A"), "{one}");
    assert!(one.contains("::convergence: no mirror%0Aevidence: 1-A-1%0Aagain: racetrap"), "{one}");
}

/// None of these is an error. What is repaired, and a command in which nothing was shown, is told.
#[test]
fn what_is_known_repaired_or_not_applicable_is_no_error() {
    assert_eq!(annotations(&[example(State::Known), example(State::Right)]), "");
    let repaired = Case { repaired: true, ..example(State::Right) };
    assert!(annotations(std::slice::from_ref(&repaired)).starts_with("::notice title="));
    let nothing = [State::NotApplicable; 2].map(example);
    let text = annotations(&nothing);
    assert!(text.starts_with("::warning title=racetrap::nothing was shown: all runs"), "{text}");
    let some = [example(State::NotApplicable), example(State::Right)];
    assert_eq!(annotations(&some), "", "something was shown");
    let text = summary("run", &nothing, "", BYTES_MAX);
    assert!(text.contains("2 not applicable") && text.contains("**nothing was shown"), "{text}");
    let text = summary("run", &[example(State::Known), repaired], "", BYTES_MAX);
    assert!(text.contains("1 as they must be, 0 wrong, 0 unknown, 1 known; 1 repaired"), "{text}");
    assert!(text.contains("it is slow (since June)"), "{text}");
}

fn cases(findings: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for finding in 0..findings {
        for (state, column) in [(State::Right, "correct daemon"), (State::Wrong, "its defect")] {
            let finding = format!("9-{finding}");
            cases.push(Case { finding, column: column.into(), ..example(state) });
        }
    }
    cases
}

/// A finding that ran twice in one column, one that is missing in another, and texts that Markdown,
/// HTML or a table would misread.
#[test]
fn a_summary_is_a_table_and_what_there_is_to_know_of_each_run_that_is_not_right() {
    let mut cases = cases(2);
    cases.pop();
    cases.push(cases[0].clone());
    let control = |state| Case { column: "without its fault".into(), ..example(state) };
    cases.extend([control(State::Right), control(State::Wrong)]);
    cases[1].word = "fail: *a* | <b>".to_owned();
    cases[1].reasons = vec!["```` <script> ````".to_owned(), "second".to_owned()];
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots");
    let text = summary("matrix", &cases, "", BYTES_MAX);
    settings.bind(|| insta::assert_snapshot!("job-summary", text));
}

/// Whatever the limit is, the runs that are shown plus those that are counted as left out are all
/// runs.
#[test]
fn a_summary_that_is_too_long_says_how_much_it_left_out() {
    let mut cases = cases(700);
    for case in cases.iter_mut().filter(|case| case.state == State::Wrong) {
        case.reasons = vec!["x".repeat(50_000)];
    }
    for bytes_max in [BYTES_MAX, 300_000, 20_000, 2_000] {
        let text = summary("matrix", &cases, "", bytes_max);
        assert!(text.len() <= bytes_max, "{} of {bytes_max}", text.len());
        let rows = text.lines().filter(|line| line.starts_with("| 9-")).count();
        let told = text.matches("<details>").count();
        assert_eq!(told, text.matches("</details>").count(), "none is cut in its middle");
        let left = |what: &str| {
            let line = text.lines().find(|line| line.contains(what));
            let number = line.and_then(|line| line.strip_prefix('_')?.split(' ').next());
            number.map_or(0, |number| number.parse::<usize>().expect("a number"))
        };
        assert_eq!(rows + left("more findings"), 700, "{bytes_max}");
        assert_eq!(told + left("more runs"), 700, "{bytes_max}");
    }
    assert_eq!(summary("matrix", &cases, "", 0), "");
}
