//! Judges a history: applies all oracles, and checks that the run was complete.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::oracle::{self, Finding, Judge};
use crate::record::{
    Blame, DAEMON_PARTS, Owner, ProcessState, Record, Review, ReviewOutcome, Stage, What,
};
use crate::scenario::{OracleName, Step};
use crate::steps::Steps;
use crate::verdict::{Excused, Judgement, Unknown, Verdict, Violation};
use crate::view::View;

/// Judges a history by all oracles. If the run has a second daemon, its records are judged separately.
#[must_use]
pub fn judge(history: &[Record]) -> Judgement {
    if let Some(judgement) = without_steps(history) {
        return judgement;
    }
    let judgement = judge_steps(history);
    match low_limit(history) {
        Some(limit) if judgement.verdict == Verdict::Fail => starved(limit, judgement),
        Some(_) | None => judgement,
    }
}

/// Whether an oracle has found a violation in the history so far that stays one, whatever comes next: the
/// named oracle, or else any.
///
/// `log_fidelity` is not asked. It takes some violations back: the daemon may report a failed log in its
/// own log a moment later.
#[must_use]
pub fn has_violation(history: &[Record], by: Option<OracleName>) -> bool {
    let (own, neighbour) = split_by_daemon(history);
    let mut found = apply_oracles(&own).violations;
    if !neighbour.is_empty() {
        found.extend(apply_oracles(&neighbour).violations);
    }
    found.iter().any(|violation| {
        violation.oracle != OracleName::LogFidelity
            && by.is_none_or(|oracle| violation.oracle == oracle)
    })
}

/// The judgement of a run that came to no step: its world could not be made, or the scenario is not
/// for the daemon. What happens after that record is the harness's own doing, except for what it
/// leaves behind.
#[expect(clippy::wildcard_enum_match_arm, reason = "two records say that there are no steps")]
fn without_steps(history: &[Record]) -> Option<Judgement> {
    let left = || history.iter().filter_map(leak);
    let (at, end) = history.iter().enumerate().find_map(|(at, record)| match &record.what {
        What::Unmade { why } => Some((at, Err(why))),
        What::NotApplicable { why } => Some((at, Ok(why))),
        _ => None,
    })?;
    Some(match end {
        Err(why) => {
            let reason = format!("the world could not be made: {why}");
            // The engine may have ended by itself before, and that may be the cause.
            let before = history.iter().take(at).filter_map(world_part_died);
            Judgement::unknown(
                std::iter::once(Unknown::at(history[at].seq, reason))
                    .chain(before)
                    .chain(left())
                    .collect(),
            )
        }
        Ok(why) if left().next().is_none() => Judgement::not_applicable(why.clone()),
        Ok(why) => {
            let reason = format!("not applicable: {why}");
            Judgement::unknown(left().chain([Unknown::at(history[at].seq, reason)]).collect())
        }
    })
}

/// The limit of the machine that is too low for the run, if there is one.
fn low_limit(history: &[Record]) -> Option<&str> {
    let What::Run(header) = &history.first()?.what else { return None };
    header.low_limit.as_deref()
}

/// A failure that may be due to a limit of the machine: it is not counted against the daemon.
fn starved(limit: &str, judgement: Judgement) -> Judgement {
    let Judgement { violations, unknowns, .. } = judgement;
    let seen = violations
        .into_iter()
        .map(|found| {
            (found.seq, format!("seen under that limit: {}: {}", found.oracle, found.text))
        })
        .map(|(seq, text)| Unknown::at(seq, text));
    let reason = format!("what failed may be due to the machine: {limit}");
    Judgement::unknown(std::iter::once(reason.into()).chain(seen).chain(unknowns).collect())
}

/// Judges a history that has steps.
fn judge_steps(history: &[Record]) -> Judgement {
    let (own, neighbour) = split_by_daemon(history);
    let mut found = apply_oracles(&own);
    let mut unknowns = reasons_for_incompleteness(&own);
    unknowns.append(&mut found.unknowns);
    let (mut violations, mut excused) = (found.violations, found.excused);
    if !neighbour.is_empty() {
        let found = apply_oracles(&neighbour);
        excused.extend(
            found.excused.into_iter().map(|excused| Excused {
                why: format!("the neighbour: {}", excused.why),
                ..excused
            }),
        );
        violations.extend(found.violations.into_iter().map(|violation| Violation {
            text: format!("the neighbour: {}", violation.text),
            ..violation
        }));
        let found = found.unknowns.into_iter().chain(failures(&neighbour));
        unknowns.extend(found.map(|unknown| Unknown {
            text: format!("the neighbour: {}", unknown.text),
            ..unknown
        }));
    }
    // By now the texts contain names instead of random IDs, so the order is the same on every machine.
    violations.sort_by(|a, b| (a.seq, a.oracle, &a.text).cmp(&(b.seq, b.oracle, &b.text)));
    let verdict = if !violations.is_empty() {
        Verdict::Fail
    } else if !unknowns.is_empty() {
        Verdict::Unknown
    } else {
        Verdict::Pass
    };
    Judgement { verdict, violations, unknowns, not_applicable: None, excused }
}

/// The records of the run's own daemon, and those of its neighbour. Few runs have a neighbour; without
/// one, no record is copied.
fn split_by_daemon(history: &[Record]) -> (Cow<'_, [Record]>, Vec<Record>) {
    if history.iter().all(|record| !record.neighbour) {
        return (Cow::Borrowed(history), Vec::new());
    }
    let steps = Steps::from_history(history);
    let own = history.iter().filter(|record| !record.neighbour).cloned().collect();
    // The records of steps belong to the run as a whole. If a step acts on the neighbour, the
    // neighbour's history needs them too, and also the header, which contains the step.
    let neighbour = history
        .iter()
        .filter(|record| record.neighbour || is_shared(&steps, &record.what))
        .map(|record| Record { neighbour: true, ..record.clone() })
        .collect();
    (Cow::Owned(own), neighbour)
}

/// Whether the neighbour's history needs this record of the run's own daemon.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other records are of one daemon")]
fn is_shared(steps: &Steps<'_>, what: &What) -> bool {
    match what {
        What::Run(_) | What::Ending => true,
        What::StepBegan { index } | What::StepDone { index } => {
            steps.get(*index).is_some_and(|step| step.for_neighbour().is_some())
        }
        _ => false,
    }
}

/// Applies all oracles to the history of one daemon.
fn apply_oracles(history: &[Record]) -> Finding {
    let mut found = Finding::default();
    let before_end = up_to_ending(history);
    let end_is_orderly = !was_stopping(before_end);
    for Judge { oracle, sees_ending } in oracle::ALL {
        let finding = oracle(if sees_ending && end_is_orderly { history } else { before_end });
        found.violations.extend(finding.violations);
        found.unknowns.extend(finding.unknowns);
        found.excused.extend(finding.excused);
    }
    // If a part of the world ended by itself, later records say nothing about the daemon. The run then
    // becomes unknown, unless a violation was recorded before.
    if let Some(end) = before_end.iter().find(|record| world_part_died(record).is_some()) {
        found.violations.retain(|violation| violation.seq <= end.seq);
    }
    let names = View::from_records(history);
    for violation in &mut found.violations {
        violation.text = names.named(&violation.text);
    }
    found
}

/// The records up to the one by which the harness began to end the run. What follows them is the harness's doing: it
/// releases what it held, leaves its clients, and ends the daemon, even by a signal that makes it write
/// its stacks.
fn up_to_ending(history: &[Record]) -> &[Record] {
    let end = history.iter().position(|record| matches!(record.what, What::Ending));
    &history[..end.map_or(history.len(), |end| end + 1)]
}

/// Whether the harness began to end the run while a step was stopping the daemon. The harness's own stop is
/// then a second one, which ends the daemon before it has cleaned up.
fn was_stopping(before_end: &[Record]) -> bool {
    let steps = Steps::from_history(before_end);
    let step = open_step(before_end).and_then(|began| steps.begun(began));
    step.is_some_and(Step::ends_daemon)
}

/// The beginning of the step that has no end yet.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the beginnings and ends of steps matter")]
fn open_step(history: &[Record]) -> Option<&Record> {
    let last = history.iter().rev().find_map(|record| match record.what {
        What::StepBegan { .. } => Some(Some(record)),
        What::StepDone { .. } | What::StepFailed { .. } => Some(None),
        _ => None,
    });
    last.flatten()
}

/// Why the run was not complete or its world failed; empty if neither is so.
fn reasons_for_incompleteness(history: &[Record]) -> Vec<Unknown> {
    let mut unknowns = failures(history);
    let judged = history
        .iter()
        .any(|record| matches!(record.what, What::Checkpoint { stage: Stage::Probed, .. }));
    if !judged && unknowns.is_empty() && !was_ended_early(history) {
        unknowns.push("the run ended before anything could be judged".to_owned().into());
    }
    if !history.iter().any(|record| matches!(record.what, What::Ended)) {
        let text = "the journal has no end: the harness was stopped during the run";
        unknowns.push(text.to_owned().into());
    }
    unknowns
}

/// Whether the harness ended the run in the middle of a step that did not fail: it had seen a violation,
/// and nothing else was asked for.
fn was_ended_early(history: &[Record]) -> bool {
    let (before_end, after) = history.split_at(up_to_ending(history).len());
    let fails = after.iter().any(|it| matches!(it.what, What::StepFailed { .. }));
    open_step(before_end).is_some() && !after.is_empty() && !fails
}

/// What failed that is not the daemon's, beside what the harness ends itself.
fn failures(history: &[Record]) -> Vec<Unknown> {
    let before_end = up_to_ending(history);
    let mut failures: Vec<_> = before_end.iter().filter_map(world_failure).collect();
    // Leaks are found only then, and a step may fail because the harness ends.
    let after = history[before_end.len()..].iter();
    let after =
        after.filter(|record| matches!(record.what, What::Leak { .. } | What::StepFailed { .. }));
    failures.extend(after.filter_map(world_failure));
    failures.extend(abandoned_writes(before_end));
    failures
}

/// Writes that a gate held, and whose sender stopped waiting although no step ended the daemon or stopped the
/// App. The write was then not stored at the instant that the schedule supposes.
#[expect(clippy::wildcard_enum_match_arm, reason = "only reviews and ends of the daemon matter")]
fn abandoned_writes(history: &[Record]) -> Vec<Unknown> {
    let steps = Steps::from_history(history);
    let mut held = BTreeSet::new();
    let mut unknowns = Vec::new();
    for record in history {
        match &record.what {
            What::Review(Review { outcome: ReviewOutcome::HeldAt(gate), .. }) => {
                held.insert(gate);
            }
            What::Review(Review { outcome: ReviewOutcome::GivenUpAt(gate), resource, .. })
                if held.remove(gate) =>
            {
                unknowns.push(Unknown::at(
                    record.seq,
                    format!(
                        "a held write of {resource} was abandoned before its gate was released"
                    ),
                ));
            }
            // A daemon that ends abandons its writes, and so do the controllers whose engine is stopped.
            What::StepBegan { .. }
                if steps
                    .begun(record)
                    .is_some_and(|step| step.ends_daemon() || step.stops_app()) =>
            {
                held.clear()
            }
            _ => {}
        }
    }
    unknowns
}

/// Something of the world that the harness could not remove.
fn leak(record: &Record) -> Option<Unknown> {
    let What::Leak { text, owner: Owner::World } = &record.what else { return None };
    let text = format!("something of the world could not be removed: {text}");
    Some(Unknown::at(record.seq, text))
}

/// The failure of the world or the schedule that a record reports, if it reports one.
fn world_failure(record: &Record) -> Option<Unknown> {
    if let Some(leak) = leak(record) {
        return Some(leak);
    }
    if let Some(death) = world_part_died(record) {
        return Some(death);
    }
    let What::StepFailed { index, blame, why } = &record.what else { return None };
    let failure = match blame {
        Blame::Schedule => "the run did not go as the schedule supposes",
        Blame::World => "the world failed",
        // `liveness` judges this.
        Blame::Daemon => return None,
    };
    Some(Unknown::at(record.seq, format!("step {}: {failure}: {why}", index + 1)))
}

/// How a process of the world ended by itself, if the record reports that. The daemon does not count.
#[expect(clippy::wildcard_enum_match_arm, reason = "only ends of processes matter here")]
fn world_part_died(record: &Record) -> Option<Unknown> {
    match &record.what {
        What::Process { name, state: ProcessState::Died { exit }, .. }
            if !DAEMON_PARTS.contains(&name.as_str()) =>
        {
            Some(Unknown::at(record.seq, format!("the {name} ended by itself: {exit}")))
        }
        _ => None,
    }
}
