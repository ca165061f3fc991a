use std::cell::Cell as Counter;
use std::time::Duration;

use racetrap_history::{Violation, VmMode};

use super::*;
use crate::catalogue::Catalogue;

fn outcome(verdict: Verdict, oracles: &[OracleName]) -> Outcome {
    let violations = oracles
        .iter()
        .map(|oracle| Violation { oracle: *oracle, seq: 1, text: "seen".to_owned() })
        .collect();
    Outcome {
        judgement: Judgement { verdict, violations, unknowns: Vec::new() },
        history: Vec::new(),
        evidence: None,
        vm: VmMode::Api,
        took: Duration::from_secs(1),
    }
}

/// All answers are given to all daemons; a cell that took a wrong answer for right would show.
#[test]
fn a_cell_is_right_only_with_the_verdict_and_the_oracle_that_it_must_have() {
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.select("295-I4").unwrap();
    let planned = plan(&entries, true);
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
        .map(|planned| answers.iter().map(|came| planned.cell(Ok(came.clone())).right).collect())
        .collect();
    assert_eq!(
        right,
        [
            [true, false, false, false, false],
            [false, false, true, false, true],
            [true, false, false, false, false],
        ]
    );
}

/// A run that could not begin proves nothing: were it counted as right, a broken machine would pass.
#[test]
fn a_run_that_could_not_begin_is_unknown_and_never_right() {
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.entries().collect();
    for planned in plan(&entries, true) {
        let source = std::io::Error::other("disk full");
        let cell = planned.cell(Err(RunError::Evidence { path: "/e".into(), source }));
        assert_eq!((cell.verdict, cell.right), (Verdict::Unknown, false));
        assert_eq!(cell.reasons, ["no evidence could be written to /e: disk full"]);
    }
}

/// Without defects there is nothing that a scenario could be seen to fail under.
#[test]
fn a_daemon_without_defects_has_one_cell_a_finding() {
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.entries().collect();
    assert_eq!(count(&entries, false), entries.len());
    assert_eq!(count(&entries, true), 3 * entries.len());
    assert!(
        plan(&entries, false).iter().all(|planned| planned.daemon.defect(planned.about).is_none())
    );
}

/// Runs end in the opposite of the order in which they began: each waits for the one after it, as
/// far as the bound lets that one run. So the order cannot come right by chance.
#[tokio::test]
async fn cells_keep_the_order_of_the_plan_and_no_more_worlds_run_than_jobs() {
    let catalogue = Catalogue::embedded().unwrap();
    let entries: Vec<_> = catalogue.entries().collect();
    let planned = plan(&entries, true);
    let (running, most, turn) = (Counter::new(0), Counter::new(0), Counter::new(0));
    let jobs = NonZeroUsize::new(3).unwrap();
    let ended = std::cell::RefCell::new(Vec::new());
    let run_one = async |_: Planned<'_>| {
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        let own = turn.get();
        turn.set(own + 1);
        for _ in 0..(planned.len() - own) {
            tokio::task::yield_now().await;
        }
        running.set(running.get() - 1);
        Ok(outcome(Verdict::Pass, &[]))
    };
    let cells = carry_out(&planned, jobs, run_one, |cell| {
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
