//! A whole scenario.

use serde::{Deserialize, Serialize};

use super::engine::EngineStep;
use super::finding::{About, FindingId};
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
    /// What the world must offer.
    #[serde(default)]
    pub needs: Needs,
    /// What is done, in order.
    pub steps: Vec<Step>,
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
}
