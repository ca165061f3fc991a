//! Incomplete runs, runs whose world failed, and a complete run.

use rstest::rstest;
use serde_json::{Value, json};

use super::build::*;
use crate::judge::{has_violation, judge};
use crate::oracle::{ALL, Finding};
use crate::record::{
    Blame, Change, Exit, LogLevel, Owner, ProcessState, Review, ReviewOutcome, RunHeader, What,
};
use crate::scenario::{GateName, OracleName};
use crate::verdict::{Judgement, Unknown, Verdict};

#[test]
fn a_sound_run_passes() {
    assert_passes(healthy_run(vec![]));
}

// If the engine ends by itself, the world has failed, whatever the daemon does afterwards.
#[test]
fn a_run_whose_engine_died_is_unknown() {
    let died = What::Process {
        name: "engine".to_owned(),
        pid: 8,
        started: 1,
        state: ProcessState::Died { exit: Exit::Signal(9) },
    };
    assert_unknown(healthy_run(vec![died]), "the engine ended by itself: signal 9");
}

/// The engine's end by SIGKILL, which the harness did not expect.
fn engine_died() -> What {
    let state = ProcessState::Died { exit: Exit::Signal(9) };
    What::Process { name: "engine".to_owned(), pid: 8, started: 1, state }
}

/// The harness ends the engine after a failed start. That is not the engine's own end, and the daemon's
/// end is not its failure.
#[test]
fn what_follows_a_failed_start_is_the_harness_s_own_doing() {
    let unmade = What::Unmade { why: "no room".to_owned() };
    let state = ProcessState::Died { exit: Exit::Signal(9) };
    let daemon = What::Process { name: "daemon".to_owned(), pid: 9, started: 1, state };
    let judgement = judge(&history(vec![unmade, engine_died(), daemon, What::Ended]));
    let expected = [Unknown::at(0, "the world could not be made: no room")];
    assert_eq!(judgement, Judgement::unknown(expected.to_vec()));
}

/// The reason of the start comes first; an engine that had ended before may be the cause.
#[test]
fn the_reason_of_a_failed_start_comes_first() {
    let unmade = What::Unmade { why: "no answer".to_owned() };
    let leak = What::Leak { text: "a mount".to_owned(), owner: Owner::World };
    let judgement = judge(&history(vec![engine_died(), unmade, leak, What::Ended]));
    assert_eq!(judgement.verdict, Verdict::Unknown);
    let [first, second, third] = judgement.unknowns.as_slice() else { panic!("{judgement:?}") };
    assert_eq!(first.text, "the world could not be made: no answer");
    assert!(second.text.contains("the engine ended by itself"), "{second:?}");
    assert!(third.text.contains("could not be removed: a mount"), "{third:?}");
}

/// A scenario that is not for the daemon proves nothing, and nothing is wrong; but a world that
/// leaves something behind is not excused by that.
#[test]
fn a_scenario_that_is_not_for_the_daemon_is_neither_passed_nor_failed() {
    let not = || What::NotApplicable { why: "no contexts".to_owned() };
    let judgement = judge(&history(vec![not(), engine_died(), What::Ended]));
    assert_eq!(judgement, Judgement::not_applicable("no contexts".to_owned()));
    let json = serde_json::to_value(&judgement).expect("JSON");
    assert_eq!(
        (&json["verdict"], &json["not_applicable"]),
        (&json!("not_applicable"), &json!("no contexts"))
    );
    let leak = What::Leak { text: "a mount".to_owned(), owner: Owner::World };
    assert_unknown(vec![not(), leak, What::Ended], "not applicable: no contexts");
}

/// The same failure, with and without a limit that may be its cause. A pass is one in both.
#[test]
fn a_failure_under_a_low_limit_of_the_machine_is_unknown() {
    let missed = || What::StepFailed { index: 2, blame: Blame::Daemon, why: "late".to_owned() };
    let under = |low_limit: Option<&str>, extra: Vec<What>| {
        let What::Run(head) = run_with_steps(&json!(["settle"])) else {
            unreachable!("it is a header")
        };
        let low_limit = low_limit.map(str::to_owned);
        let head = What::Run(RunHeader { low_limit, ..head });
        judge(&history([vec![head], healthy_run(extra)].concat()))
    };
    let limit = Some("at most 128 files may be open");
    assert_eq!(under(limit, vec![]).verdict, Verdict::Pass);
    assert_eq!(under(None, vec![missed()]).verdict, Verdict::Fail);
    let judgement = under(limit, vec![missed()]);
    assert_eq!(judgement.verdict, Verdict::Unknown);
    assert!(judgement.unknowns[0].text.contains("at most 128 files"), "{judgement:?}");
    assert!(judgement.unknowns[1].text.contains("liveness: step 3: late"), "{judgement:?}");
}

// If the schedule or the world is to blame for a failed step, the run proves nothing about the daemon.
#[test]
fn a_step_that_failed_for_other_reasons_makes_the_run_unknown() {
    for blame in [Blame::Schedule, Blame::World] {
        let failed = What::StepFailed { index: 0, blame, why: "gate not reached".to_owned() };
        assert_unknown(vec![failed, What::Ended], "step 1");
    }
}

// If the harness could not remove everything, later runs may be affected, so the run is not a pass.
#[test]
fn a_leak_makes_the_run_unknown() {
    let leak = What::Leak { text: "process 7 ran on".to_owned(), owner: Owner::World };
    assert_unknown(healthy_run(vec![leak]), "could not be removed: process 7 ran on");
}

// Both runs contain the same two records in different order. A violation before the end of the engine
// counts, and one after it does not.
#[test]
fn what_follows_the_end_of_an_engine_is_no_violation() {
    let died = || What::Process {
        name: "engine".to_owned(),
        pid: 8,
        started: 1,
        state: ProcessState::Died { exit: Exit::Signal(9) },
    };
    let missed = || What::StepFailed { index: 2, blame: Blame::Daemon, why: "late".to_owned() };
    assert_unknown(healthy_run(vec![died(), missed()]), "the engine ended by itself");
    let judgement = judge(&history(healthy_run(vec![missed(), died()])));
    assert_eq!(judgement.oracles(), [OracleName::Liveness]);
}

// The histories differ only in the step that runs while the write is held: only one that kills the daemon or
// stops the App explains why the write was abandoned.
#[test]
fn a_held_write_that_is_given_up_makes_the_run_unknown() {
    let gate = || GateName("g".to_owned());
    let review = |outcome| {
        What::Review(Review {
            operation: "UPDATE".to_owned(),
            resource: "volumes/status".to_owned(),
            name: "data".to_owned(),
            manager: None,
            outcome,
        })
    };
    let app = |running: bool| json!({ "app": { "running": running } });
    let set = |value: &str| json!({ "set": { "properties": { "running": value } } });
    let steps = [json!({ "release": "g" }), json!({ "daemon": "kill" }), app(true), app(false)];
    let steps = [&steps[..], &[set("true"), set("false")]].concat();
    let schedule = || run_with_steps(&json!(steps));
    let (release, kill) = (0, 1);
    let given_up = |step| {
        let (held, given_up) = (ReviewOutcome::HeldAt(gate()), ReviewOutcome::GivenUpAt(gate()));
        vec![schedule(), review(held), step_began(step), review(given_up)]
    };
    for explains_nothing in [release, 2, 4] {
        assert_unknown(
            healthy_run(given_up(explains_nothing)),
            "volumes/status was abandoned before its gate was released",
        );
    }
    for explains in [kill, 3, 5] {
        assert_passes(healthy_run(given_up(explains)));
    }
    // The daemon was killed before this write was held, so the kill does not explain it.
    let later = [vec![step_began(kill)], given_up(release)].concat();
    assert_unknown(healthy_run(later), "was abandoned before");
}

// In both histories a write of the neighbour is held and abandoned. The kill step acts on the neighbour in
// one and on the run's own daemon in the other, so it explains the abandoned write only in the first.
#[test]
fn a_step_that_kills_the_neighbour_explains_only_its_own_abandoned_writes() {
    let kill = json!({ "daemon": "kill" });
    let judged = |step: &serde_json::Value| {
        let gate = GateName("g".to_owned());
        let review = |outcome| {
            What::Review(Review {
                operation: "UPDATE".to_owned(),
                resource: "volumes/status".to_owned(),
                name: "data".to_owned(),
                manager: None,
                outcome,
            })
        };
        let (held, given_up) =
            (ReviewOutcome::HeldAt(gate.clone()), ReviewOutcome::GivenUpAt(gate));
        let header = run_with_steps(&json!([step]));
        let mut history =
            history(healthy_run(vec![header, review(held), step_began(0), review(given_up)]));
        let reviews = history.iter_mut().filter(|it| matches!(it.what, What::Review(_)));
        reviews.for_each(|record| record.neighbour = true);
        judge(&history)
    };
    let neighbours = judged(&json!({ "neighbour": kill }));
    assert_eq!(neighbours.unknowns, Vec::new());
    let text =
        "the neighbour: a held write of volumes/status was abandoned before its gate was released";
    assert_eq!(judged(&kill).unknowns[0].text, text);
}

#[test]
fn a_checkpoint_without_an_app_is_unknown() {
    let mut whats = Vec::from(checkpoint(1));
    whats.push(What::Ended);
    assert_unknown(whats, "there is no App to be judged");
}

// The list has an older version than the changes that the watch reported before it, so it must not undo
// them.
#[test]
fn a_list_that_is_older_than_a_watched_change_does_not_undo_it() {
    let mut late = volume("late", "u2");
    late["metadata"]["resourceVersion"] = json!("11");
    let mut gone = volume("gone", "u3");
    gone["metadata"]["resourceVersion"] = json!("12");
    let list = What::Listed {
        resource: "volumes".to_owned(),
        version: 10,
        objects: vec![volume("data", "u1"), gone.clone()],
    };
    assert_passes(healthy_run(vec![
        truth(&["data", "late"]),
        changed("volumes", Change::Added, late),
        changed("volumes", Change::Deleted, gone),
        list,
    ]));
}

#[test]
fn a_journal_without_an_end_is_unknown() {
    let mut whats = healthy_run(vec![]);
    whats.pop();
    assert_unknown(whats, "stopped during the run");
}

#[test]
fn a_run_without_a_checkpoint_is_unknown() {
    assert_unknown(vec![What::Ended], "before anything could be judged");
}

// An oracle that reports something about an empty history would otherwise be noticed only as a false alarm
// in other tests.
#[test]
fn every_oracle_reports_nothing_about_an_empty_history() {
    for judge in ALL {
        assert_eq!((judge.oracle)(&[]), Finding::default());
    }
}

fn died(name: &str) -> What {
    process(name, ProcessState::Died { exit: Exit::Signal(3) })
}

fn panicked() -> What {
    log_line(LogLevel::Panic, "panic: a stack")
}

// The same happens before the harness begins to end and after that. Only what comes before is judged.
#[rstest]
#[case::death_of_the_daemon(died("daemon"))]
#[case::death_of_the_engine(died("engine"))]
#[case::panic(panicked())]
fn what_follows_the_harness_that_ends_is_nobodys_fault(#[case] what: What) {
    let run = |first: What, second: What| {
        let mut whats = healthy_run(vec![]);
        let end = whats.pop();
        whats.extend([first, second]);
        whats.extend(end);
        whats
    };
    assert_passes(run(What::Ending, what.clone()));
    let judgement = judge(&history(run(what, What::Ending)));
    assert!(!judgement.violations.is_empty() || !judgement.unknowns.is_empty(), "{judgement:#?}");
}

// The neighbour is ended with the run.
#[test]
fn what_happens_to_the_neighbour_then_is_nobodys_fault() {
    let judged = |whats: [What; 2]| {
        let mut whats = whats.to_vec();
        whats.push(What::Ended);
        let mut history = history([healthy_run(vec![]), whats].concat());
        let neighbours = history.iter_mut().filter(|it| it.what == died("daemon"));
        neighbours.for_each(|record| record.neighbour = true);
        judge(&history)
    };
    assert_eq!(judged([What::Ending, died("daemon")]).oracles(), []);
    assert_eq!(judged([died("daemon"), What::Ending]).oracles(), [OracleName::Liveness]);
}

// What a daemon leaves after an orderly stop is looked for only then, and so is what the harness leaves.
#[test]
fn leaks_are_judged_after_the_harness_has_begun_to_end() {
    let leak = |owner| What::Leak { text: "process 7 ran on".to_owned(), owner };
    let run = |owner| {
        let mut whats = healthy_run(vec![]);
        let end = whats.pop();
        whats.extend([What::Ending, leak(owner)]);
        whats.extend(end);
        whats
    };
    assert_violates(run(Owner::Daemon), OracleName::Hygiene, "process 7 ran on");
    assert_unknown(run(Owner::World), "could not be removed: process 7 ran on");
}

// The harness's own stop ends a daemon that is already stopping, before that has cleaned up. After another step,
// the daemon must clean up.
#[rstest]
#[case::stopping(json!([{ "daemon": "stop" }]), Verdict::Unknown)]
#[case::settling(json!(["settle"]), Verdict::Fail)]
fn a_stop_that_the_harness_interrupts_leaves_nothing_of_the_daemons_fault(
    #[case] steps: Value,
    #[case] expected: Verdict,
) {
    let text = "process 7 ran on".to_owned();
    let leak = What::Leak { text, owner: Owner::Daemon };
    let failed = What::StepFailed { index: 0, blame: Blame::World, why: "SIGINT".to_owned() };
    let whats =
        vec![run_with_steps(&steps), step_began(0), What::Ending, failed, leak, What::Ended];
    assert_eq!(judge(&history(whats)).verdict, expected);
}

// The step is dropped when the run must end, so it fails after that. The run is unknown all the same.
#[test]
fn a_run_that_was_told_to_stop_is_unknown() {
    let failed = What::StepFailed { index: 0, blame: Blame::World, why: "SIGINT".to_owned() };
    let mut whats = healthy_run(vec![]);
    let end = whats.pop();
    whats.extend([What::Ending, failed]);
    whats.extend(end);
    assert_unknown(whats, "step 1: the world failed: SIGINT");
}

// The harness saw a violation and ended the run in the middle of a step. That nothing was judged at a
// checkpoint is then no reason for anything; a run that was stopped has one.
#[test]
fn a_run_that_ended_at_its_first_violation_has_no_other_reason() {
    let begun = || vec![run_with_steps(&json!(["settle"])), step_began(0)];
    let died = process("daemon", ProcessState::Died { exit: Exit::Signal(11) });
    let mut early = begun();
    early.extend([died.clone(), What::Ending, What::Ended]);
    let judgement = judge(&history(early.clone()));
    assert_eq!(judgement.oracles(), [OracleName::Liveness]);
    assert_eq!(judgement.unknowns, Vec::new());
    assert!(has_violation(&history(early[..3].to_vec()), None));
    assert!(has_violation(&history(early[..3].to_vec()), Some(OracleName::Liveness)));
    assert!(!has_violation(&history(early[..3].to_vec()), Some(OracleName::Convergence)));
    assert!(!has_violation(&history(begun()), None));
    let mut without_end = begun();
    without_end.extend([died, What::Ended]);
    let judgement = judge(&history(without_end));
    let only = &judgement.unknowns[0].text;
    assert_eq!(only, "the run ended before anything could be judged");
}
