//! The steps of a history's scenario.

use std::collections::BTreeMap;

use crate::record::{Record, What};
use crate::scenario::{FaultStep, Step};

/// The steps that the records of a history name by index.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steps<'a>(&'a [Step]);

impl<'a> Steps<'a> {
    /// The steps of the scenario in a history's header; none if the history has no header.
    #[must_use]
    pub fn from_history(history: &'a [Record]) -> Self {
        let steps = history.iter().find_map(|record| {
            let What::Run(header) = &record.what else { return None };
            Some(&header.scenario.steps[..])
        });
        Self(steps.unwrap_or_default())
    }

    /// The steps of a scenario.
    #[must_use]
    pub fn new(steps: &'a [Step]) -> Self {
        Self(steps)
    }

    /// The step with this index, from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'a Step> {
        self.0.get(index)
    }

    /// The step that begins with a record. For a record of the neighbour, this is the step that is carried
    /// out on the neighbour, which the scenario's step contains.
    #[must_use]
    pub fn begun(&self, record: &Record) -> Option<&'a Step> {
        let What::StepBegan { index } = record.what else { return None };
        let step = self.get(index)?;
        if record.neighbour { step.for_neighbour() } else { Some(step) }
    }
}

/// The rules that the steps of a scenario have armed so far, by the names that records of the wire give
/// them.
#[derive(Clone, Debug, Default)]
pub struct ArmedRules {
    count: usize,
    rules: BTreeMap<String, FaultStep>,
}

impl ArmedRules {
    /// Notes that a step begins, and returns the name of the rule that it arms, if it arms one.
    pub fn apply(&mut self, step: &Step) -> Option<String> {
        let Step::Fault(fault) = step else { return None };
        let name = fault.rule_name(self.count + 1)?;
        self.count += 1;
        self.rules.insert(name.clone(), fault.clone());
        Some(name)
    }

    /// The step that armed the rule with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&FaultStep> {
        self.rules.get(name)
    }
}
