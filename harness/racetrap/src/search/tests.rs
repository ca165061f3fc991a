//! States of searches: what is read, what is refused, what is merged, and what comes first the next time.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::rc::Rc;

use racetrap_history::{Check, Scenario, Verdict};
use racetrap_search::{Learned, Plan, Policy, Signature};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use super::*;

fn subject(daemon: &str) -> Subject {
    Subject {
        daemon: daemon.to_owned(),
        sha256: "00".to_owned(),
        defects: Vec::new(),
        engine: "dockerd".to_owned(),
        vm: None,
    }
}

fn plan(id: &str, place: &str) -> Plan {
    let scenario = json!({"finding": format!("work-a.{id}"), "steps": ["settle"]});
    let plan = json!({"workload": "work-a", "policy": "stale", "place": place, "disturbance": "cut",
        "scenario": scenario});
    serde_json::from_value(plan).expect("a plan")
}

fn signature() -> Signature {
    Check::CreatedAgain.into()
}

fn began(daemon: &str, at: &str) -> Entry {
    Entry::Began(Box::new(Began {
        subject: subject(daemon),
        at: at.to_owned(),
        command: "racetrap search".to_owned(),
        seed: None,
        shard: "1/1".to_owned(),
    }))
}

fn ran(plan: &Plan, verdict: Verdict, seconds: f64) -> Entry {
    Entry::Ran(Box::new(Ran {
        plan: plan.scenario.finding.to_string(),
        policy: Policy::Stale,
        place: plan.place.clone(),
        disturbance: plan.disturbance.clone(),
        verdict,
        seconds,
        why: (verdict == Verdict::Unknown).then(|| "no message".to_owned()),
        signature: (verdict == Verdict::Fail).then(signature),
    }))
}

fn met(plan: &Plan) -> Entry {
    Entry::Met(Box::new(Met {
        signature: signature(),
        plan: plan.clone(),
        reasons: vec!["counts: twice".to_owned()],
        evidence: Some("work-a.1-20261130".to_owned()),
        known: None,
    }))
}

/// A state of one session, which has a name of its own.
fn session(id: &str, entries: Vec<Entry>) -> State {
    let mut state = State::default();
    for entry in entries {
        state.add(id.to_owned(), entry).expect("a search that has begun");
    }
    state
}

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("a").join(STATE)
    }

    fn write(&self, id: &str, entries: Vec<Entry>) {
        let mut writer = StateWriter::open(&self.file(), id.to_owned()).expect("a new file");
        for entry in entries {
            writer.add(entry).expect("it can be written");
        }
    }

    fn read(&self) -> State {
        State::read(&self.file()).expect("a state")
    }
}

// Two searches write to one file, the second one after the first was killed in the middle of a line.
#[test]
fn a_search_that_was_killed_loses_only_the_line_that_it_was_writing() {
    let place = Place::new();
    let (one, two) = (plan("1", "a"), plan("2", "b"));
    let first = vec![began("d", "1"), met(&one), ran(&one, Verdict::Fail, 1.0)];
    place.write("s1", first.clone());
    let mut file = fs::File::options().append(true).open(place.file()).expect("it is there");
    file.write_all(br#"{"session":"s1","ran":{"pl"#).expect("it can be written");
    drop(file);
    assert_eq!(place.read(), session("s1", first.clone()));
    let second = vec![began("d", "2"), ran(&two, Verdict::Pass, 2.0)];
    place.write("s2", second.clone());
    let mut both = session("s1", first);
    both.merge(session("s2", second));
    assert_eq!(place.read(), both);
    // What is written as a whole is the same.
    both.write(&place.file()).expect("it can be replaced");
    assert_eq!(place.read(), both);
}

#[rstest]
#[case::of_another_program("{\"version\": 1}\n", "is not the state of a search")]
#[case::no_json("hello\n", "is not the state of a search")]
#[case::cut_off_in_its_first_line(
    "{\"file\":\"state of racetrap search\",\"version\":2}",
    "is not the state"
)]
#[case::newer("{\"file\":\"state of racetrap search\",\"version\":3}\n", "has version 3")]
#[case::older("{\"file\":\"state of racetrap search\",\"version\":1}\n", "has version 1")]
#[case::damaged("HEAD{\"session\":\"s\"}\nMORE", "line 2 of")]
#[case::without_a_beginning("HEADENDED\n", "line 2 of")]
fn what_is_no_state_is_refused(#[case] text: &str, #[case] expected: &str) {
    let place = Place::new();
    let head = "{\"file\":\"state of racetrap search\",\"version\":2}\n";
    let ended = r#"{"session":"s","ended":{"seconds":1.0}}"#;
    let text = text.replace("HEAD", head).replace("ENDED", ended).replace("MORE", head);
    fs::create_dir_all(place.file().parent().expect("a directory")).expect("a new directory");
    fs::write(place.file(), text).expect("a new file");
    let error = State::read(&place.file()).expect_err("no state");
    assert!(error.to_string().contains(expected), "{error}");
    assert!(State::read_if_there(&place.file()).is_err());
    let missing = place.directory.path().join("missing");
    assert_eq!(State::read_if_there(&missing).expect("nothing is there"), State::default());
}

// A shard is merged before and after it went on, and twice: it counts once, with all that it has.
#[test]
fn merging_counts_each_search_once() {
    let (one, two) = (plan("1", "a"), plan("2", "b"));
    let early = vec![began("d", "1"), met(&one), ran(&one, Verdict::Fail, 1.0)];
    let late = [early.clone(), vec![ran(&two, Verdict::Fail, 3.0)]].concat();
    let other = vec![began("d", "0"), met(&two), ran(&two, Verdict::Fail, 5.0)];
    let parts = [session("s1", early), session("s1", late), session("s2", other)];
    for order in [[0, 1, 2, 1], [2, 1, 0, 0], [1, 2, 0, 2]] {
        let mut merged = State::default();
        for at in order {
            merged.merge(parts[at].clone());
        }
        let tallies = merged.tallies();
        let [tally] = &tallies[..] else { panic!("one subject: {tallies:?}") };
        let [failure] = &tally.failures[..] else { panic!("one failure") };
        assert_eq!((tally.runs, failure.count, tally.seconds), (3, 3, 8.0));
        assert_eq!((failure.since, failure.last), ("0", "1"));
        assert_eq!(failure.first.plan, two);
    }
}

#[test]
fn a_tally_keeps_subjects_apart_and_what_was_planned() {
    let (one, two) = (plan("1", "a"), plan("2", "b"));
    let pairs = ["a", "b", "c"].map(|place| (place.to_owned(), "cut".to_owned()));
    let planned = Planned { plans: Some(3), pairs: pairs.to_vec(), ..Planned::default() };
    let mut state = session("s1", vec![began("old", "1"), ran(&one, Verdict::Pass, 1.0)]);
    state.merge(session(
        "s2",
        vec![
            began("new", "2"),
            Entry::Planned(planned),
            ran(&one, Verdict::Unknown, 1.0),
            met(&two),
            ran(&two, Verdict::Fail, 2.0),
            Entry::Ended(Ended { seconds: 4.0 }),
        ],
    ));
    let tallies = state.tallies();
    let [new, old] = &tallies[..] else { panic!("two subjects: {tallies:?}") };
    assert_eq!((new.subject.daemon.as_str(), new.runs, new.seconds), ("new", 2, 4.0));
    assert_eq!((new.covered(), new.pairs.len(), new.unknown["no message"]), (1, 3, 1));
    assert_eq!(new.curve, [Progressed { seconds: 2.0, failures: 1, pairs: 1 }]);
    assert_eq!((old.runs, old.failures.len()), (1, 0));
}

fn ids(plans: impl IntoIterator<Item = Plan>) -> Vec<String> {
    plans.into_iter().map(|plan| plan.scenario.finding.to_string().replace("work-a.", "")).collect()
}

// Four plans, of which the search has run three when it ends: it goes on with the fourth. In the next
// round, and on another daemon, what failed is first, and then what covered something new.
#[test]
fn a_search_goes_on_and_then_begins_with_what_was_worth_most() {
    let all = [plan("1", "a"), plan("2", "a"), plan("3", "b"), plan("4", "c")];
    let mut entries = vec![
        began("d", "1"),
        ran(&all[0], Verdict::Unknown, 1.0),
        ran(&all[2], Verdict::Pass, 2.0),
        met(&all[1]),
        ran(&all[1], Verdict::Fail, 3.0),
    ];
    let past = |entries: &[Entry], daemon: &str| {
        Past::new(&session("s", entries.to_vec()), &subject(daemon))
    };
    let (order, earlier) = past(&entries, "d").order(all.to_vec());
    assert_eq!((ids(order), earlier), (vec!["4".to_owned()], 3));
    let (order, earlier) = past(&entries, "other").order(all.to_vec());
    assert_eq!((&ids(order)[..2], earlier), (&["2".to_owned(), "3".to_owned()][..], 0));
    entries.push(ran(&all[3], Verdict::Unknown, 4.0));
    let next = past(&entries, "d");
    assert_eq!((next.runs(), next.times(&signature())), (4, 1));
    let (order, earlier) = next.order(all.to_vec());
    assert_eq!((&ids(order)[..2], earlier), (&["2".to_owned(), "3".to_owned()][..], 0));
}

// A hunt keeps its own order, the nearest plans first. What has shown the wanted failure is tried first, again;
// another failure counts for nothing, and what was run is left out until the round is over.
#[test]
fn a_hunt_goes_on_after_what_has_worked() {
    let all = [plan("1", "a"), plan("2", "a"), plan("3", "b"), plan("4", "c")];
    let entries = vec![
        began("d", "1"),
        ran(&all[0], Verdict::Pass, 1.0),
        met(&all[2]),
        ran(&all[2], Verdict::Fail, 2.0),
    ];
    let hunted = |daemon: &str, wanted: Signature| {
        let past = Past::new(&session("s", entries.clone()), &subject(daemon));
        let (plans, earlier) = past.after_worked(all.to_vec(), &wanted);
        (ids(plans), earlier)
    };
    let told = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    assert_eq!(hunted("d", signature()), (told(&["3", "2", "4"]), 1));
    assert_eq!(hunted("other", signature()), (told(&["3", "1", "2", "4"]), 0));
    assert_eq!(hunted("d", Check::UidChanged.into()), (told(&["2", "4"]), 2));
}

// What an earlier search has learned of the same daemon and the same workload is not learned again.
#[test]
fn what_was_learned_is_known_to_the_next_search() {
    let workload = json!({"finding": "work-a", "steps": ["settle"]});
    let learned = json!({"workload": workload, "runs": 2, "sites": [], "unstable": []});
    let learned: Learned = serde_json::from_value(learned).expect("a lesson");
    let place = Place::new();
    place.write("s1", vec![began("d", "1"), Entry::Learned(Box::new(learned.clone()))]);
    let state = place.read();
    let known = |daemon: &str, workload: &Scenario, runs| {
        Past::new(&state, &subject(daemon)).learned(workload, runs).cloned()
    };
    let other = Scenario { steps: Vec::new(), ..learned.workload.clone() };
    assert_eq!(known("d", &learned.workload, 2).as_ref(), Some(&learned));
    assert_eq!(known("d", &learned.workload, 3), None);
    assert_eq!(known("d", &other, 2), None);
    assert_eq!(known("e", &learned.workload, 2), None);
    state.write(&place.file()).expect("it can be replaced");
    assert_eq!(place.read(), state);
}

// A seed has no end of plans: the next search goes on after those that were run, and on another daemon
// begins with the plan that failed.
#[test]
fn a_random_search_goes_on_where_it_ended() {
    let all = [plan("1", "a"), plan("2", "a"), plan("3", "b")];
    let entries = vec![
        began("d", "1"),
        ran(&all[0], Verdict::Pass, 1.0),
        met(&all[1]),
        ran(&all[1], Verdict::Fail, 2.0),
    ];
    let state = session("s", entries);
    let left = |daemon: &str, is_own: bool| {
        let past = Rc::new(Past::new(&state, &subject(daemon)));
        ids(past.before_endless(all.clone().into_iter(), move |_| is_own))
    };
    assert_eq!(left("d", true), ["3"]);
    assert_eq!(left("other", true), ["2", "1", "3"]);
    assert_eq!(left("other", false), ["1", "2", "3"]);
}
