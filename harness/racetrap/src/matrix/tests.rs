use std::cell::Cell as Counter;
use std::time::Duration;

use racetrap_history::{Violation, VmMode};

use super::*;
use crate::catalogue::Catalogue;
use crate::deadline::Deadlines;
use crate::world::{EngineChoice, Pool};

fn outcome(verdict: Verdict, oracles: &[OracleName]) -> Outcome {
    let violations = oracles
        .iter()
        .map(|oracle| Violation { oracle: *oracle, seq: 1, check: None, text: "seen".to_owned() })
        .collect();
    Outcome {
        judgement: Judgement { verdict, violations, ..Judgement::unknown(Vec::new()) },
        history: Vec::new(),
        evidence: None,
        vm: VmMode::Api,
        took: Duration::from_secs(1),
    }
}

/// Subjects that are called by their ids.
fn subjects<'a>(entries: &[&'a Scenario]) -> Vec<Subject<'a>> {
    entries.iter().map(|entry| Subject { scenario: entry, name: entry.finding.as_str() }).collect()
}

fn cell(planned: Planned<'_>, came: Result<Outcome, RunError>) -> Cell {
    planned.judged(planned.unmade("again".to_owned()), came)
}

/// All answers are given to all daemons; a cell that took a wrong answer for right would show.
#[test]
fn a_cell_is_right_only_with_the_verdict_and_the_oracle_that_it_must_have() {
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.select("295-I4").unwrap();
    let planned = plan(&subjects(&entries), true);
    let named = planned[0].about.oracle;
    let other = OracleName::Liveness;
    assert_ne!(named, other);
    let answers = [
        outcome(Verdict::Pass, &[]),
        outcome(Verdict::Unknown, &[]),
        outcome(Verdict::Fail, &[named]),
        outcome(Verdict::Fail, &[other]),
        outcome(Verdict::Fail, &[other, named]),
    ];
    let right: Vec<Vec<bool>> = planned
        .iter()
        .map(|planned| answers.iter().map(|came| cell(*planned, Ok(came.clone())).right).collect())
        .collect();
    assert_eq!(
        right,
        [
            [true, false, false, false, false],
            [false, false, true, false, true],
            [true, false, false, false, false],
            [true, false, false, false, false],
        ]
    );
}

/// A cell that is not applicable is neither right nor wrong, and so is one that fails as listed; a cell
/// under its own defect must fail whatever is listed.
#[test]
fn a_cell_that_is_not_applicable_or_known_is_neither_right_nor_wrong() {
    use crate::report::State;
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.select("295-I4").unwrap();
    let planned = plan(&subjects(&entries), true);
    let oracle = planned[0].about.oracle;
    let mut not = outcome(Verdict::NotApplicable, &[]);
    not.judgement.not_applicable = Some("another protocol".to_owned());
    for planned in &planned {
        let found = cell(*planned, Ok(not.clone()));
        assert_eq!(State::of_cell(&found).is_right(), None);
        assert_eq!(found.reasons, ["another protocol"]);
    }
    let mut failed = cell(planned[0], Ok(outcome(Verdict::Fail, &[oracle])));
    assert_eq!(State::of_cell(&failed), State::Wrong);
    failed.known.excuses = true;
    assert_eq!(State::of_cell(&failed), State::Known);
}

/// A run that could not begin proves nothing: were it counted as right, a broken machine would pass.
#[test]
fn a_run_that_could_not_begin_is_unknown_and_never_right() {
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.entries().collect();
    for planned in plan(&subjects(&entries), true) {
        let source = std::io::Error::other("disk full");
        let cell = cell(planned, Err(RunError::Evidence { path: "/e".into(), source }));
        assert_eq!((cell.verdict, cell.right), (Verdict::Unknown, false));
        assert_eq!(cell.reasons, ["no evidence could be written to /e: disk full"]);
    }
}

/// Without defects there is nothing that a scenario could be seen to fail under.
#[test]
fn a_daemon_without_defects_has_a_cell_and_a_control_a_finding() {
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.entries().collect();
    assert_eq!(count(&subjects(&entries), false), 2 * entries.len());
    assert_eq!(count(&subjects(&entries), true), 4 * entries.len());
    assert!(
        plan(&subjects(&entries), false)
            .iter()
            .all(|planned| planned.daemon.defect(planned.about).is_none())
    );
}

/// Runs end in the opposite of the order in which they began: each waits for the one after it, as
/// far as the bound lets that one run. So the order cannot come right by chance.
#[tokio::test]
async fn cells_keep_the_order_of_the_plan_and_no_more_worlds_run_than_jobs() {
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.entries().collect();
    let planned = plan(&subjects(&entries), true);
    let (running, most, turn) = (Counter::new(0), Counter::new(0), Counter::new(0));
    let jobs = NonZeroUsize::new(3).unwrap();
    let ended = std::cell::RefCell::new(Vec::new());
    let run_one = async |planned_one: Planned<'_>| {
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        let own = turn.get();
        turn.set(own + 1);
        for _ in 0..(planned.len() - own) {
            tokio::task::yield_now().await;
        }
        running.set(running.get() - 1);
        cell(planned_one, Ok(outcome(Verdict::Pass, &[])))
    };
    let cells = carry_out(&planned, jobs, run_one, &|event| {
        let Event::Ended { subject, cell } = event else { return };
        assert_eq!(subject, cell.finding.as_str());
        ended.borrow_mut().push((cell.finding.clone(), cell.daemon));
    })
    .await;
    let order: Vec<_> = cells.iter().map(|cell| (cell.finding.clone(), cell.daemon)).collect();
    let mut sorted = order.clone();
    sorted.sort();
    assert_eq!(order, sorted);
    assert_ne!(*ended.borrow(), order, "the runs did not end in another order");
    assert_eq!(most.get(), jobs.get());
}

/// The program does not exist, so a cell that was begun would tell so instead.
#[tokio::test]
async fn cells_are_kept_back_once_the_harness_was_told_to_stop_and_say_how_to_run_them() {
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.select("295-I4").unwrap();
    let (sender, stop) = Stop::pair();
    sender.ask("SIGINT");
    let run = RunOptions {
        daemon: "/no/daemon".into(),
        defects: Vec::new(),
        evidence: "/no/evidence".into(),
        keep: false,
        vm: None,
        engine: EngineChoice::default(),
        deadlines: Deadlines::DEFAULT,
        again: String::new(),
        cell: None,
        stop,
        end_at: EndAt::default(),
        pool: Pool::disabled(),
    };
    let options = MatrixOptions {
        run,
        jobs: NonZeroUsize::MIN,
        knows_defects: true,
        known: KnownFailures::default(),
    };
    let again = |name: &str, defects: &[String], control: bool| {
        format!("{name} under {defects:?}, control {control}")
    };
    let cells = run_matrix(&subjects(&entries), &options, again, |_| ()).await;
    assert_eq!(cells.len(), 4);
    for cell in cells {
        assert_eq!((cell.verdict, cell.right), (Verdict::Unknown, false));
        assert_eq!(cell.reasons, ["not begun: the harness was told to stop by SIGINT"]);
        let (defects, control) = (Vec::from_iter(cell.defect), cell.daemon == DaemonKind::Control);
        assert_eq!(cell.again, format!("295-I4 under {defects:?}, control {control}"));
    }
}

// Each cell is begun once, those of one daemon one after the other. Every daemon under which a cell waits
// begins in the first half, and no two of them together.
#[test]
fn cells_that_wait_are_begun_early_and_apart() {
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.entries().collect();
    let planned = plan(&subjects(&entries), true);
    let order = in_order(&planned);
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..planned.len()));
    let waits = |index: &usize| {
        let planned = planned[*index];
        planned.daemon == DaemonKind::Own && planned.about.oracle == OracleName::Liveness
    };
    let mut at: Vec<(usize, usize)> =
        (0..).zip(order.iter().copied()).filter(|(_, index)| waits(index)).collect();
    // Findings that share a defect share its daemon.
    at.dedup_by_key(|(_, index)| &planned[*index].about.defect);
    let at: Vec<_> = at.into_iter().map(|(at, _)| at).collect();
    assert!(at.len() > 5, "{at:?}");
    assert!(at.iter().all(|at| *at < order.len() * 2 / 3), "{at:?}");
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] > 3), "{at:?}");
    let defects: Vec<_> =
        order.iter().filter_map(|at| planned[*at].daemon.defect(planned[*at].about)).collect();
    let mut changes = defects.clone();
    changes.dedup();
    let kinds: std::collections::BTreeSet<_> = defects.into_iter().collect();
    assert_eq!(changes.len(), kinds.len(), "a daemon's cells are torn apart");
}
