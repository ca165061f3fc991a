//! One thing that could go wrong in a workload, as a scenario.

use std::collections::BTreeSet;
use std::fmt;

use racetrap_history::{FindingId, GateStep, Needs, Scenario, Step};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a plan makes the daemon see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Nothing special: the workload as it is.
    Undisturbed,
    /// It acts on what it read before a change that has happened since.
    Stale,
    /// Something stopped between two of its steps: a lost answer, a failed write, a killed process.
    HalfWritten,
    /// Something happened while it could not see it.
    Unobserved,
    /// An answer with a field that is null, missing, empty or of another kind.
    Poisoned,
    /// Steps that a seed decides.
    Random,
    /// Messages and steps one at a time, in an order that a seed decides.
    Serial,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Undisturbed => "undisturbed",
            Self::Stale => "stale",
            Self::HalfWritten => "half-written",
            Self::Unobserved => "unobserved",
            Self::Poisoned => "poisoned",
            Self::Random => "random",
            Self::Serial => "serial",
        })
    }
}

/// Parts a place where a call is held from the point at which it is held.
const HELD_AT: &str = " held at its ";

/// The place at which a kind of call is held at one of its points.
pub(crate) fn held_at(call: &str, point: &str) -> String {
    format!("{call}{HELD_AT}{point}")
}

/// The kind of call of a place, and the point of it at which it is held; no point if the call is not held,
/// or if the place is no call.
#[must_use]
pub fn call_and_point(place: &str) -> (&str, Option<&str>) {
    place.split_once(HELD_AT).map_or((place, None), |(call, point)| (call, Some(point)))
}

/// A workload with one disturbance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The workload.
    pub workload: FindingId,
    /// What it makes the daemon see.
    pub policy: Policy,
    /// Where the daemon is disturbed: a kind of call and a point of it, or a step.
    pub place: String,
    /// What is done there.
    pub disturbance: String,
    /// What can be run. Its `finding` identifies the plan: the workload, and a digest of the steps.
    pub scenario: Scenario,
}

impl Plan {
    pub(crate) fn new(
        workload: &Scenario,
        policy: Policy,
        place: impl Into<String>,
        disturbance: impl Into<String>,
        steps: Vec<Step>,
    ) -> Self {
        let finding = id(&workload.finding, &workload.needs, &steps);
        let needs = workload.needs.clone();
        Self {
            workload: workload.finding.clone(),
            policy,
            place: place.into(),
            disturbance: disturbance.into(),
            scenario: Scenario { finding, about: None, replay: None, needs, clean: None, steps },
        }
    }

    /// The plan with its messages and steps in this order, as far as they go on one at a time. Its identity
    /// stays: the order is what its seed has come to.
    #[must_use]
    pub fn in_order(mut self, seen: &[String]) -> Self {
        for step in &mut self.scenario.steps {
            if let Step::Gate(GateStep::Serial(serially)) = step {
                serially.order = seen.to_vec();
            }
        }
        self
    }

    /// The plan with other steps, and so with another identity.
    pub(crate) fn with_steps(mut self, steps: Vec<Step>) -> Self {
        self.scenario.finding = id(&self.workload, &self.scenario.needs, &steps);
        self.scenario.steps = steps;
        self
    }

    /// What the plan covers; two plans are the more alike, the more of it they share.
    pub(crate) fn features(&self) -> BTreeSet<String> {
        let Self { workload, policy, place, disturbance, .. } = self;
        BTreeSet::from([
            format!("policy {policy}"),
            format!("workload {workload}"),
            format!("place {place}"),
            format!("done {disturbance}"),
            format!("{policy} in {workload}"),
            format!("{disturbance} at {place}"),
            format!("{disturbance} in {workload}"),
        ])
    }

    /// Which of so many parts the plan belongs to, from 0. It depends on the plan alone.
    #[must_use]
    pub fn part(&self, of: usize) -> usize {
        let digest = Sha256::digest(self.scenario.finding.as_str().as_bytes());
        let bytes = [digest[0], digest[1], digest[2], digest[3]];
        usize::try_from(u32::from_be_bytes(bytes)).map_or(0, |number| number % of)
    }

    /// The plan in words.
    #[must_use]
    pub fn title(&self) -> String {
        let Self { workload, place, disturbance, policy, .. } = self;
        if *policy == Policy::Undisturbed {
            return format!("{workload}, undisturbed");
        }
        format!("{workload}: {disturbance}, {place}")
    }
}

/// An identity that is the same on every machine: the same steps have the same one.
fn id(workload: &FindingId, needs: &Needs, steps: &[Step]) -> FindingId {
    let text = serde_json::to_string(&(needs, steps)).expect("steps are JSON");
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    let prefix: String = workload.as_str().chars().take(48).collect();
    let id = format!("{prefix}.{}", &digest[..8]);
    id.parse().expect("an id with a point and digits is one")
}
