//! What a run proved.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::oracle::{self, Finding};
use crate::record::{Blame, Owner, ProcessState, Stage};
use crate::{DAEMON_PARTS, OracleName, Record, View, What};

/// Steps that end the daemon, and whatever it waits for.
const ENDS_DAEMON: [&str; 2] = ["daemon: kill", "daemon: stop"];

/// What a run proved; `max` over several is the verdict of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every oracle saw all that it needed, and found nothing.
    Pass,
    /// The run shows nothing: engine gone, schedule not carried out, journal torn.
    Unknown,
    /// At least one promise was broken.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        })
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Which promise.
    pub oracle: OracleName,
    /// The record at which it became true.
    pub seq: u64,
    /// What was expected, and what was seen.
    pub text: String,
}

/// A verdict and its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Broken promises, in the order of the history.
    pub violations: Vec<Violation>,
    /// Why the run does not show all that it should.
    pub unknowns: Vec<String>,
}

impl Judgement {
    /// The oracles that found something, each once, in the order of their names.
    #[must_use]
    pub fn oracles(&self) -> Vec<OracleName> {
        let mut names: Vec<_> = self.violations.iter().map(|violation| violation.oracle).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

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
    let (own, neighbour) = history.iter().cloned().partition(|record| !record.neighbour);
    (Cow::Owned(own), neighbour)
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
    let names = View::of(history);
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
    let mut held = BTreeSet::new();
    let mut unknowns = Vec::new();
    for record in history {
        match &record.what {
            What::Review(review) => {
                if let Some(gate) = review.outcome.strip_prefix("held at ") {
                    held.insert(gate);
                } else if let Some(gate) = review.outcome.strip_prefix("given up at ")
                    && held.remove(gate)
                {
                    let resource = &review.resource;
                    unknowns.push(format!("a held write of {resource} was not held to the end"));
                }
            }
            What::StepBegan { text, .. } if ENDS_DAEMON.contains(&text.as_str()) => held.clear(),
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

#[expect(clippy::wildcard_enum_match_arm, reason = "only ends of processes are asked for")]
/// A process of the world that is not the daemon ended by itself.
fn world_ended(what: &What) -> Option<String> {
    match what {
        What::Process { name, state: ProcessState::Died { how }, .. }
            if !DAEMON_PARTS.contains(&name.as_str()) =>
        {
            Some(format!("the {name} ended by itself: {how}"))
        }
        _ => None,
    }
}
