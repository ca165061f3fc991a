//! Judges a history: by all oracles, and by whether it is one of a whole run.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::oracle::{self, Finding};
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
        let ends = neighbour.iter().filter_map(|record| failed_world(&record.what));
        let ends = ends.chain(given_up(&neighbour));
        unknowns.extend(ends.map(|text| format!("the neighbour: {text}")));
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
    let steps = Steps::from_history(history);
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
        What::Run(_) => true,
        What::StepBegan { index } | What::StepDone { index } => {
            steps.get(*index).is_some_and(|step| step.for_neighbour().is_some())
        }
        _ => false,
    }
}

/// What all oracles find in the history of one daemon.
fn judge_one(history: &[Record]) -> Finding {
    let mut found = Finding::default();
    for oracle in oracle::ALL {
        let finding = oracle(history);
        found.violations.extend(finding.violations);
        found.unknowns.extend(finding.unknowns);
    }
    // What follows the end of an engine says nothing of the daemon.
    if let Some(end) = history.iter().find(|record| world_ended(&record.what).is_some()) {
        found.violations.retain(|violation| violation.seq <= end.seq);
    }
    let names = View::from_records(history);
    for violation in &mut found.violations {
        violation.text = names.named(&violation.text);
    }
    found
}

/// Why this history is not one of a whole run.
fn incomplete(history: &[Record]) -> Vec<String> {
    let mut unknowns: Vec<_> =
        history.iter().filter_map(|record| failed_world(&record.what)).collect();
    unknowns.extend(given_up(history));
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

/// Held writes that somebody gave up who was not ended by the scenario.
#[expect(clippy::wildcard_enum_match_arm, reason = "only reviews and ends of the daemon matter")]
fn given_up(history: &[Record]) -> Vec<String> {
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
