//! Judges a history: by all oracles, and by whether it is one of a whole run.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::oracle::{self, Finding, Judge};
use crate::record::{
    Blame, DAEMON_PARTS, Owner, ProcessState, Record, Review, ReviewOutcome, Stage, What,
};
use crate::scenario::Step;
use crate::steps::Steps;
use crate::verdict::{Judgement, Verdict, Violation};
use crate::view::View;

/// Judges a history by all oracles, and that of its second daemon apart.
#[must_use]
pub fn judge(history: &[Record]) -> Judgement {
    let (own, neighbour) = apart(history);
    let mut found = judge_one(&own);
    let mut unknowns = incomplete(&own);
    unknowns.append(&mut found.unknowns);
    let mut violations = found.violations;
    if !neighbour.is_empty() {
        let found = judge_one(&neighbour);
        violations.extend(found.violations.into_iter().map(|violation| Violation {
            text: format!("the neighbour: {}", violation.text),
            ..violation
        }));
        unknowns.extend(found.unknowns.into_iter().map(|text| format!("the neighbour: {text}")));
        unknowns
            .extend(failures(&neighbour).into_iter().map(|text| format!("the neighbour: {text}")));
    }
    // IDs are random; the names put in their place give one order on every machine.
    violations.sort_by(|a, b| (a.seq, a.oracle, &a.text).cmp(&(b.seq, b.oracle, &b.text)));
    let verdict = if !violations.is_empty() {
        Verdict::Fail
    } else if !unknowns.is_empty() {
        Verdict::Unknown
    } else {
        Verdict::Pass
    };
    Judgement { verdict, violations, unknowns }
}

/// The records of the run's own daemon, and those of its neighbour. Few runs have one, and without
/// one nothing is copied.
fn apart(history: &[Record]) -> (Cow<'_, [Record]>, Vec<Record>) {
    if history.iter().all(|record| !record.neighbour) {
        return (Cow::Borrowed(history), Vec::new());
    }
    let steps = Steps::of(history);
    let own = history.iter().filter(|record| !record.neighbour).cloned().collect();
    // A step is recorded for the run as a whole. One that is done to the neighbour belongs to the
    // neighbour's history as well, and so does the header, which says what the step is.
    let neighbour = history
        .iter()
        .filter(|record| record.neighbour || is_of_both(&steps, &record.what))
        .map(|record| Record { neighbour: true, ..record.clone() })
        .collect();
    (Cow::Owned(own), neighbour)
}

/// Whether the history of the neighbour needs a record of the run's own.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other records are of one daemon")]
fn is_of_both(steps: &Steps<'_>, what: &What) -> bool {
    match what {
        What::Run(_) | What::Ending => true,
        What::StepBegan { index } | What::StepDone { index } => {
            steps.get(*index).is_some_and(|step| step.for_neighbour().is_some())
        }
        _ => false,
    }
}

/// What all oracles find in the history of one daemon.
fn judge_one(history: &[Record]) -> Finding {
    let mut found = Finding::default();
    let before_end = up_to_ending(history);
    for Judge { oracle, sees_ending } in oracle::ALL {
        let finding = oracle(if sees_ending { history } else { before_end });
        found.violations.extend(finding.violations);
        found.unknowns.extend(finding.unknowns);
    }
    // What follows the end of an engine says nothing of the daemon.
    if let Some(end) = before_end.iter().find(|record| world_ended(&record.what).is_some()) {
        found.violations.retain(|violation| violation.seq <= end.seq);
    }
    let names = View::of(history);
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

/// Why this history is not one of a whole run.
fn incomplete(history: &[Record]) -> Vec<String> {
    let mut unknowns = failures(history);
    let judged = history
        .iter()
        .any(|record| matches!(record.what, What::Checkpoint { stage: Stage::Probed, .. }));
    if !judged && unknowns.is_empty() {
        unknowns.push("the run ended before anything could be judged".to_owned());
    }
    if !history.iter().any(|record| matches!(record.what, What::Ended)) {
        unknowns.push("the journal has no end: the harness was stopped in the middle".to_owned());
    }
    unknowns
}

/// What failed that is not the daemon's, beside what the harness ends itself.
fn failures(history: &[Record]) -> Vec<String> {
    let before_end = up_to_ending(history);
    let mut failures: Vec<_> =
        before_end.iter().filter_map(|record| failed_world(&record.what)).collect();
    // Leaks are found only then, and a step may fail because the harness ends.
    let after = history[before_end.len()..].iter().map(|record| &record.what);
    let after = after.filter(|what| matches!(what, What::Leak { .. } | What::StepFailed { .. }));
    failures.extend(after.filter_map(failed_world));
    failures.extend(given_up(before_end));
    failures
}

/// Held writes that somebody gave up who was not ended by the scenario.
#[expect(clippy::wildcard_enum_match_arm, reason = "only reviews and ends of the daemon matter")]
fn given_up(history: &[Record]) -> Vec<String> {
    let steps = Steps::of(history);
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
                unknowns.push(format!("a held write of {resource} was not held to the end"));
            }
            // The daemon gives up whatever it waits for when it ends.
            What::StepBegan { .. } if steps.begun(record).is_some_and(Step::ends_daemon) => {
                held.clear()
            }
            _ => {}
        }
    }
    unknowns
}

fn failed_world(what: &What) -> Option<String> {
    if let What::Leak { text, owner: Owner::World } = what {
        return Some(format!("something of the world would not go: {text}"));
    }
    if let Some(end) = world_ended(what) {
        return Some(end);
    }
    let What::StepFailed { index, blame, why } = what else { return None };
    let whose = match blame {
        Blame::Schedule => "the daemon went another way than the schedule supposes",
        Blame::World => "the world failed",
        Blame::Daemon => return None,
    };
    Some(format!("step {}: {whose}: {why}", index + 1))
}

/// A process of the world that is not the daemon ended by itself.
#[expect(clippy::wildcard_enum_match_arm, reason = "only ends of processes are asked for")]
fn world_ended(what: &What) -> Option<String> {
    match what {
        What::Process { name, state: ProcessState::Died { exit }, .. }
            if !DAEMON_PARTS.contains(&name.as_str()) =>
        {
            Some(format!("the {name} ended by itself: {exit}"))
        }
        _ => None,
    }
}
