//! A whole scenario.

use serde::{Deserialize, Serialize};

use super::clean::Clean;
use super::command::CommandStep;
use super::engine::EngineStep;
use super::finding::{About, FindingId, OracleName};
use super::needs::Needs;
use super::step::Step;

/// A schedule, what it needs, and the finding that it shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The finding that this schedule shows.
    pub finding: FindingId,
    /// What the catalogue says of the finding; a replay file leaves it out and inherits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// The failure that the schedule repeats, if it was written for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
    /// What the world must offer.
    #[serde(default)]
    pub needs: Needs,
    /// What runs without the disturbance have shown, if a search has planned the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<Box<Clean>>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// A failure that a schedule repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The oracle whose promise is broken.
    pub oracle: OracleName,
    /// Gates and rules in the order in which they acted first, such as `gate held`, until the promise was
    /// broken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
}

impl Scenario {
    /// Whether the scenario does something to the virtual machine that runs its engine.
    #[must_use]
    pub fn needs_guest(&self) -> bool {
        let is_about_guest = |step: &Step| {
            let step = step.for_neighbour().unwrap_or(step);
            matches!(step, Step::Engine(EngineStep::Guest(_)))
        };
        self.steps.iter().any(is_about_guest)
    }

    /// Whether the scenario does something to the engine's machine that only one of the harness's own can
    /// do.
    #[must_use]
    pub fn needs_own_machine(&self) -> bool {
        let needs_it = |step: &Step| {
            let step = step.for_neighbour().unwrap_or(step);
            matches!(step, Step::Engine(EngineStep::Guest(op)) if op.needs_own_machine())
        };
        self.steps.iter().any(needs_it)
    }

    /// Whether a gate or a fault is armed before the scenario starts the App, and so for the daemon's first
    /// connection to its engine.
    #[must_use]
    pub fn disturbs_first_connection(&self) -> bool {
        let starts_app =
            |step: &Step| matches!(step, Step::Command(CommandStep::App(_) | CommandStep::Set(_)));
        let before = self.steps.iter().position(starts_app).unwrap_or_default();
        self.steps[..before].iter().any(|step| matches!(step, Step::Gate(_) | Step::Fault(_)))
    }
}
