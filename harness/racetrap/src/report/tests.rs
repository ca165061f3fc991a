//! Compares the complete text of reports on fixed values with snapshots.

use std::time::Duration;

use racetrap_history::{Judgement, OracleName, Record, Scenario, Verdict, Violation, VmMode, What};

use super::check::{Check, CheckState};
use super::terminal::displayed;
use super::*;
use crate::known::KnownState;
use crate::matrix::{Cell, DaemonKind};
use crate::run::{Outcome, RunError};
use crate::scenario_file;

const HELD: &str = r#"
finding: 1-A
about:
  title: changes in the gap are never seen
  source: a review
  broken: The daemon misses what happens in the gap.
  correct: The daemon mirrors all of it.
  oracle: convergence
  promises: ["4.1.10"]
  defect: 1-A
  unrelated: 1-B
steps:
  - load_image: {image: base, tags: ["base:1"]}
  - create_container: {name: victim, image: base}
  - hold:
      gate: inspect
      at: response
      on: {method: GET, route: "/containers/{id}/json", params: {id: $victim}, nth: 2}
  - hold: {gate: events, at: request, on: {method: GET, route: /events}}
  - app: {running: true, wait: false}
  - reached: inspect
  - remove_container: {name: victim}
  - release: inspect
  - reached: events
  - create_volume: {name: data}
  - tag: {image: base, tag: "base:2"}
  - release: events
  - refuse
  - cut: all
  - accept
  - settle
"#;

const FREE: &str = r#"
finding: 1-B
about:
  title: a tag leaves a mirror behind
  source: a review
  broken: Two mirrors are left.
  correct: One mirror is left.
  oracle: convergence
  defect: 1-B
  unrelated: 1-A
steps:
  - create_volume: {name: before}
  - app: {running: true}
  - load_image: {image: nameless}
  - create_container: {name: worker, image: nameless}
  - settle
  - tag: {image: nameless, tag: "named:1"}
  - container: {name: worker, op: pause}
  - untag: {tag: "named:1", force: true}
  - settle
"#;

fn scenario(text: &str) -> Scenario {
    scenario_file::parse("fixed.yaml", text).unwrap()
}

/// A history of notes, each with the number of its record.
fn history(records: u64) -> Vec<Record> {
    (0..records)
        .map(|seq| {
            let what = What::Note { text: format!("remark {seq}") };
            Record { seq, at_us: seq * 10_000, neighbour: false, what }
        })
        .collect()
}

fn outcome(judgement: Judgement, records: u64) -> Outcome {
    let kept = judgement.verdict != Verdict::Pass;
    Outcome {
        judgement,
        history: history(records),
        evidence: kept.then(|| "/evidence/1-A-1".into()),
        vm: VmMode::Api,
        took: Duration::from_millis(3142),
    }
}

fn passed() -> Judgement {
    Judgement {
        verdict: Verdict::Pass,
        violations: Vec::new(),
        unknowns: Vec::new(),
        not_applicable: None,
        excused: Vec::new(),
    }
}

fn failed(seqs: &[u64]) -> Judgement {
    let violations = seqs
        .iter()
        .map(|seq| Violation {
            oracle: OracleName::Convergence,
            seq: *seq,
            check: None,
            text: "volume data: in the engine, but has no mirror".to_owned(),
        })
        .collect();
    Judgement { verdict: Verdict::Fail, violations, ..passed() }
}

fn report(text: &str, came: Result<Outcome, RunError>) -> RunReport {
    let again = "racetrap repro 1-A --defect 1-A".to_owned();
    RunReport::new(&scenario(text), &["1-A".to_owned()], came, again)
}

fn unwritten() -> RunError {
    let source = std::io::Error::other("no room");
    RunError::Evidence { path: "/evidence".into(), source }
}

fn cell(finding: &str, daemon: DaemonKind, verdict: Verdict, right: bool) -> Cell {
    let own = finding.to_owned();
    let unrelated = if finding == "1-A" { "1-B" } else { "1-A" }.to_owned();
    let failed = verdict == Verdict::Fail;
    Cell {
        finding: finding.parse().unwrap(),
        daemon,
        defect: match daemon {
            DaemonKind::Correct | DaemonKind::Control => None,
            DaemonKind::Own => Some(own),
            DaemonKind::Unrelated => Some(unrelated),
        },
        verdict,
        oracles: if failed { vec![OracleName::Convergence] } else { Vec::new() },
        right,
        vm: Some(VmMode::Api),
        engine: Some("dockerd 28.5".to_owned()),
        seconds: 2.5,
        evidence: failed.then(|| "/evidence/1-A-1".into()),
        reasons: if right { Vec::new() } else { vec!["the engine died".to_owned()] },
        known: KnownState::default(),
        again: format!("racetrap repro {finding}"),
    }
}

fn cells() -> Vec<Cell> {
    vec![
        cell("1-A", DaemonKind::Correct, Verdict::Pass, true),
        cell("1-A", DaemonKind::Own, Verdict::Fail, true),
        cell("1-A", DaemonKind::Unrelated, Verdict::Pass, true),
        cell("1-B", DaemonKind::Correct, Verdict::Unknown, false),
        cell("1-B", DaemonKind::Own, Verdict::Pass, false),
        cell("1-B", DaemonKind::Unrelated, Verdict::Fail, false),
    ]
}

fn checks() -> Vec<Check> {
    let check = |name, state, found: &str, purpose, remedy: &str| Check {
        name,
        state,
        found: found.to_owned(),
        purpose,
        remedy: remedy.to_owned(),
    };
    let missing = "install the package docker.io";
    vec![
        check("root", CheckState::Ok, "yes", "namespaces", ""),
        check("dockerd", CheckState::Missing, "not found", "the engine of each world", missing),
        check("kubectl", CheckState::Optional, "not found", "`ctl` of the daemon", "install it"),
    ]
}

fn facts() -> DaemonFacts {
    DaemonFacts { program: "/bin/rdd".to_owned(), version: "1.2".to_owned(), knows_defects: true }
}

fn both(held: &Scenario, free: &Scenario, whole: bool, paint: Paint) -> String {
    let cells = cells();
    let (first, second) = cells.split_at(3);
    matrix(held, first, whole, paint) + &matrix(free, second, whole, paint)
}

const PLAIN: fn() -> Paint = || Paint::new(false);

#[track_caller]
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Two findings whose ids and oracles have the same length, so that the columns are visible.
#[test]
fn a_list_is_a_table() {
    let scenarios = [scenario(HELD), scenario(FREE)];
    snapshot("list", &list(scenarios.iter(), std::iter::empty(), PLAIN()));
}

/// Both kinds of schedule: one with gates and faults, one without.
#[test]
fn a_run_that_passed_tells_what_was_held_and_done_meanwhile() {
    let held = run(&report(HELD, Ok(outcome(passed(), 3))), false, PLAIN());
    let free = run(&report(FREE, Ok(outcome(passed(), 3))), false, PLAIN());
    snapshot("run-passed", &(held + &free));
}

/// Of 60 records, 30 and 50 are violations: the excerpt ends two lines after record 50.
#[test]
fn a_run_that_failed_tells_expected_seen_timeline_evidence_and_how_to_repeat_it() {
    let report = report(HELD, Ok(outcome(failed(&[30, 50]), 60)));
    let text = run(&report, false, PLAIN());
    assert!(text.contains("remark 52") && !text.contains("remark 53"), "{text}");
    assert!(text.contains("remark 13") && !text.contains("remark 12"), "{text}");
    snapshot("run-failed", &text);
}

/// A run without violations has no such place, so the end of its timeline is shown.
#[test]
fn a_run_that_is_unknown_shows_the_end_of_its_timeline() {
    let unknowns = vec!["the engine died".to_owned().into()];
    let judgement = Judgement { verdict: Verdict::Unknown, unknowns, ..passed() };
    let text = run(&report(HELD, Ok(outcome(judgement, 60))), false, PLAIN());
    assert!(text.contains("remark 59") && text.contains("remark 20"), "{text}");
    assert!(!text.contains("remark 19"), "{text}");
    assert!(text.contains("unknown the engine died"), "{text}");
}

/// The causes of an error stand in one line.
#[test]
fn a_run_that_could_not_begin_tells_why() {
    snapshot("run-unmade", &run(&report(HELD, Err(unwritten())), false, PLAIN()));
}

/// A daemon's text has several lines; none of them may look like a line of the report itself.
#[test]
fn a_reason_of_several_lines_stays_in_its_column() {
    let said = "it said:\nerror: no\n";
    let unknowns = vec![said.to_owned().into()];
    let judgement = Judgement { verdict: Verdict::Unknown, unknowns, ..passed() };
    let text = run(&report(HELD, Ok(outcome(judgement, 1))), false, PLAIN());
    assert!(text.contains("     unknown it said:\n             error: no\n"), "{text}");
    let reasons = vec![said.to_owned()];
    let wrong = Cell { reasons, ..cell("1-A", DaemonKind::Correct, Verdict::Unknown, false) };
    let text = matrix(&scenario(HELD), &[wrong], false, PLAIN());
    assert!(text.contains("\n    it said:\n    error: no\n"), "{text}");
}

/// `repro` prints every line, even for a run that passed.
#[test]
fn a_whole_timeline_has_every_line() {
    let text = run(&report(HELD, Ok(outcome(passed(), 60))), true, PLAIN());
    for seq in 0..60 {
        assert!(text.contains(&format!("remark {seq}\n")), "{seq}: {text}");
    }
    assert!(text.contains("timeline all 60 lines"), "{text}");
}

/// Every kind of cell, right and wrong, and a summary that counts both.
#[test]
fn a_matrix_tells_what_each_daemon_made_of_each_finding() {
    let (held, free) = (scenario(HELD), scenario(FREE));
    let text = both(&held, &free, true, PLAIN());
    snapshot("matrix", &(text + &matrix_summary(&cells(), 12.25, PLAIN())));
}

/// What is right takes one line; the schedule of what is wrong is told in any case.
#[test]
fn a_finding_that_is_right_takes_one_line() {
    let (held, free) = (scenario(HELD), scenario(FREE));
    let text = both(&held, &free, false, PLAIN());
    let first =
        "ok  1-A  changes in the gap are never seen; caught by convergence (3 cells, 7.5 s)\n";
    let rest = text.strip_prefix(first).expect("one line for what is right");
    assert!(rest.starts_with("1-B  a tag leaves a mirror behind\n  done "), "{rest}");
    let narrow = both(&held, &free, false, PLAIN().with_columns(60));
    assert!(narrow.lines().take(2).all(|line| line.len() <= 60), "{narrow}");
    assert!(narrow.starts_with("ok  1-A  changes in the gap"), "{narrow}");
}

/// Three runs share a cause, two have their own.
#[test]
fn a_cause_of_several_runs_is_told_once_at_the_end() {
    let case = |finding: &str, why: &str| {
        let finding = finding.to_owned();
        let reasons = vec![format!("{why}\nmore"), "second".to_owned()];
        Case { finding, reasons, ..super::case::example(State::Unknown) }
    };
    let shared = ["1-A", "1-B", "1-C"].map(|finding| case(finding, "no daemon"));
    let cases = [shared.as_slice(), &[case("1-D", "the engine died")]].concat();
    snapshot("once-more", &once_more(&cases, PLAIN()));
}

/// Each verdict occurs a different number of times, so that no count can stand for another.
#[test]
fn the_summary_of_runs_counts_each_verdict() {
    let unknown = Judgement { verdict: Verdict::Unknown, ..passed() };
    let judgements = [passed(), passed(), passed(), failed(&[1]), unknown.clone(), unknown];
    let reports: Vec<_> =
        judgements.into_iter().map(|came| report(HELD, Ok(outcome(came, 1)))).collect();
    assert_eq!(
        runs_summary(&reports, 0, 12.25, PLAIN()),
        "     Summary [ 12.250s] 6 runs: 3 passed, 1 failed, 2 unknown\n"
    );
    assert!(runs_summary(&reports[..1], 0, 0.5, PLAIN()).contains("] 1 run: 1 passed, 0 failed"));
    let text = runs_summary(&reports[..1], 2, 0.5, PLAIN());
    assert!(text.contains("0 unknown, 2 journals that cannot be read"), "{text}");
}

/// A check that succeeded takes one line; one that failed also says what needs it and how to get
/// it.
#[test]
fn doctor_tells_what_is_missing_what_it_is_for_and_how_to_get_it() {
    let ready = doctor(&checks()[..1], PLAIN());
    assert!(ready.ends_with("This machine can run the catalogue.\n"), "{ready}");
    snapshot("doctor", &doctor(&checks(), PLAIN()));
}

/// The complete objects: a renamed key breaks this test before it breaks a program that reads the
/// output.
#[test]
fn json_is_as_documented() {
    let scenarios = [scenario(HELD)];
    snapshot("json-list", &list_json(scenarios.iter(), std::iter::empty()));
    let failed = report(HELD, Ok(outcome(failed(&[1]), 2)));
    let unmade = report(HELD, Err(unwritten()));
    snapshot("json-run", &runs_json(&facts(), &[failed.clone(), unmade]));
    snapshot("json-repro", &repro_json(&facts(), &failed));
    snapshot("json-matrix", &matrix_json(&facts(), &cells()[..2]));
    snapshot("json-doctor", &doctor_json(&checks()));
}

/// Text with colours, minus the escape sequences, equals the text without colours.
#[test]
fn colours_change_nothing_but_colours() {
    let failed = report(HELD, Ok(outcome(failed(&[1]), 2)));
    let render = |paint| {
        let (held, free) = (scenario(HELD), scenario(FREE));
        run(&failed, false, paint)
            + &both(&held, &free, true, paint)
            + &matrix_summary(&cells(), 1.0, paint)
            + &doctor(&checks(), paint)
            + &list([held, free].iter(), std::iter::empty(), paint)
    };
    let painted = displayed(&render(Paint::new(true)));
    let mut plain = String::new();
    for (index, part) in painted.split('\u{1b}').enumerate() {
        plain.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_ne!(painted, plain);
    assert_eq!(plain, render(PLAIN()));
}

/// Two revisions, of which the later one repairs one finding and is not one that another is about.
#[test]
fn a_survey_is_a_table_and_what_changes() {
    let revision = |name: &str, judgements: [Judgement; 2]| {
        let [one, other] = judgements.map(|judgement| report(FREE, Ok(outcome(judgement, 3))));
        let other = RunReport { finding: "295-S10".parse().expect("an ID"), ..other };
        Compared { name: name.to_owned(), daemon: facts(), reports: vec![one, other] }
    };
    let old = revision("1-old", [failed(&[1]), Judgement::unknown(Vec::new())]);
    let new = revision("2-new", [passed(), Judgement::not_applicable("no contexts".to_owned())]);
    assert!(old.has_unknown() && !new.has_unknown());
    snapshot("survey", &survey(&[old.clone(), new.clone()]));
    snapshot("json-survey", &survey_json(&[old.clone(), new.clone()]));
    snapshot("lanes", &lanes(&[old, new]));
}
