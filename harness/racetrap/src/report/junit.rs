//! Runs as JUnit XML.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::case::{Case, State};
use super::json::DaemonFacts;

/// One suite named after the command, with one test case per run. An unknown run is an error and
/// not a skipped test, because somebody has to look at it.
pub(crate) fn junit(command: &str, daemon: Option<&DaemonFacts>, cases: &[Case]) -> String {
    let mut suite = TestSuite::new(format!("racetrap {command}"));
    if let Some(daemon) = daemon {
        suite.add_property(("daemon", daemon.program.as_str()));
        suite.add_property(("daemon version", daemon.version.as_str()));
    }
    let seconds = cases.iter().map(|case| case.seconds).sum();
    suite.set_time(time(seconds));
    suite.add_test_cases(cases.iter().map(test_case));
    let mut report = Report::new("racetrap");
    report.add_test_suite(suite);
    let xml = report.to_string().expect("a report in memory can be written");
    // `quick_junit` leaves out the characters that XML does not allow, whatever a daemon printed.
    xml.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn test_case(case: &Case) -> TestCase {
    let mut test = TestCase::new(case.name.as_str(), status(case));
    test.set_classname(case.finding.as_str()).set_time(time(case.seconds));
    let mut property = |name, value: &str| {
        test.add_property(Property::new(name, value));
    };
    for defect in &case.defects {
        property("defect", defect);
    }
    if let Some(vm) = case.vm {
        property("vm", &vm.to_string());
    }
    if let Some(engine) = &case.engine {
        property("engine", engine);
    }
    if let Some(evidence) = &case.evidence {
        property("evidence", &evidence.to_string_lossy());
    }
    if case.repaired {
        property("repaired", &case.reasons.join("; "));
    }
    property("again", &case.again);
    test
}

fn status(case: &Case) -> TestCaseStatus {
    let kind = match case.state {
        State::Right => return TestCaseStatus::success(),
        // Nobody has to look at it: a test that is not for this daemon, or an expected failure.
        State::NotApplicable | State::Known => {
            let mut status = TestCaseStatus::skipped();
            let first = case.reasons.first().map_or(case.word.as_str(), String::as_str);
            status.set_type(case.word.as_str()).set_message(first);
            status.set_description(case.reasons.join("\n"));
            return status;
        }
        State::Unknown => NonSuccessKind::Error,
        State::Wrong => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let first = case.reasons.first().map_or(case.word.as_str(), String::as_str);
    let mut lines = case.reasons.clone();
    if let Some(evidence) = &case.evidence {
        lines.push(format!("evidence: {}", evidence.display()));
    }
    lines.push(format!("again: {}", case.again));
    status.set_type(case.word.as_str()).set_message(first).set_description(lines.join("\n"));
    status
}

/// A duration from seconds; 0 if a broken clock made them negative.
fn time(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;
    use crate::report::case::example;

    fn daemon() -> DaemonFacts {
        let (program, version) = ("/bin/rdd".to_owned(), "1.2".to_owned());
        DaemonFacts { program, version, knows_defects: true }
    }

    fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
        node.children().find(|child| child.has_tag_name(name))
    }

    /// Writes one case of each state and reads the file with an XML parser: the counts must match
    /// the cases, and a case that is not right must contain its reasons, its evidence and the
    /// command that repeats it.
    #[test]
    fn each_run_is_a_case_and_what_shows_nothing_is_an_error() {
        let cases = [State::Right, State::Wrong, State::Unknown].map(example);
        let xml = junit("run", Some(&daemon()), &cases);
        let document = Document::parse(&xml).expect("it is XML");
        let suite = document.root_element().first_element_child().expect("a suite");
        assert_eq!(suite.attribute("name"), Some("racetrap run"));
        let counts = ["tests", "failures", "errors", "skipped"].map(|name| suite.attribute(name));
        assert_eq!(counts, [Some("3"), Some("1"), Some("1"), Some("0")]);
        let found: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
        assert!(child(found[0], "failure").is_none() && child(found[0], "error").is_none());
        for (case, kind) in [(found[1], "failure"), (found[2], "error")] {
            let told = child(case, kind).expect("it is not right");
            let text = told.text().expect("it has a text");
            assert!(told.attribute("message").is_some_and(|first| text.starts_with(first)));
            assert!(
                text.contains("evidence: /evidence/1-A-1\nagain: racetrap repro 1-A"),
                "{text}"
            );
        }
        let properties = child(found[1], "properties").expect("properties");
        let names: Vec<_> = properties.children().filter_map(|one| one.attribute("name")).collect();
        assert_eq!(names, ["defect", "vm", "engine", "evidence", "again"]);
    }

    /// Nobody has to look at these two, but the reason must be there.
    #[test]
    fn what_is_known_or_not_applicable_is_skipped_with_its_reason() {
        let cases = [State::NotApplicable, State::Known].map(example);
        let xml = junit("run", None, &cases);
        let document = Document::parse(&xml).expect("it is XML");
        let suite = document.root_element().first_element_child().expect("a suite");
        let counts = ["failures", "errors", "skipped"].map(|name| suite.attribute(name));
        assert_eq!(counts, [Some("0"), Some("0"), Some("2")]);
        let found: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
        let reasons = ["it needs another protocol", "convergence: it is slow (since June)"];
        for (case, reason) in found.into_iter().zip(reasons) {
            let told = child(case, "skipped").and_then(|told| told.attribute("message"));
            assert_eq!(told, Some(reason));
        }
    }

    /// A daemon may print anything, so the text contains every character of the first plane; most
    /// are kept.
    #[test]
    fn whatever_a_daemon_says_it_is_xml() {
        let all: String = (0..0x1_0000).filter_map(char::from_u32).collect();
        let text = format!("\u{1b}[31mred\u{1b}[0m ]]> <b> & \u{0} {all}");
        let mut case = example(State::Wrong);
        case.reasons = vec![text.clone()];
        case.name = text.clone();
        case.again = text;
        let xml = junit("run", None, &[case]);
        let document = Document::parse(&xml).expect("it is XML");
        let failure = document.descendants().find(|node| node.has_tag_name("failure"));
        let text = failure.and_then(|failure| failure.text()).expect("a text");
        assert!(text.contains("]]> <b> & "), "{text}");
        assert!(text.chars().count() > 60_000);
    }
}
