//! What must hold for a schedule to make sense, whatever daemon it is run on.

use std::collections::BTreeMap;

use crate::{GateName, Scenario, Step};

/// A schedule that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ScheduleError {
    /// Index of the step, from 0.
    pub step: usize,
    /// What is wrong, as a sentence fragment.
    pub problem: String,
    /// What was expected instead.
    pub expected: String,
}

impl ScheduleError {
    fn new(step: usize, problem: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { step, problem: problem.into(), expected: expected.into() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum GateState {
    Armed,
    Standing,
    Released,
}

struct Gates<'a> {
    states: BTreeMap<&'a GateName, GateState>,
    declared: BTreeMap<&'a GateName, (usize, Option<&'a GateName>)>,
}

impl Scenario {
    /// Checks the order of gates and that the schedule ends with something that can be judged.
    ///
    /// # Errors
    /// The first step that cannot be carried out: a gate that waits for itself through others, one
    /// that is used before it is armed, twice, or never, and a schedule that never settles.
    pub fn check(&self) -> Result<(), ScheduleError> {
        let declared = self.declared_gates()?;
        reject_cycles(&declared)?;
        let mut gates = Gates { states: BTreeMap::new(), declared };
        for (index, step) in self.steps.iter().enumerate() {
            gates.apply(index, step)?;
        }
        gates.reject_held(self.steps.len().saturating_sub(1))?;
        match self.steps.last() {
            Some(Step::Settle) => Ok(()),
            Some(_) | None => Err(ScheduleError::new(
                self.steps.len().saturating_sub(1),
                "nothing is judged after the last step",
                "`settle` as the last step",
            )),
        }
    }

    fn declared_gates(
        &self,
    ) -> Result<BTreeMap<&GateName, (usize, Option<&GateName>)>, ScheduleError> {
        let mut declared = BTreeMap::new();
        for (index, step) in self.steps.iter().enumerate() {
            let Step::Hold(hold) = step else { continue };
            if declared.insert(&hold.gate, (index, hold.after.as_ref())).is_some() {
                return Err(ScheduleError::new(
                    index,
                    format!("gate `{}` is armed twice", hold.gate),
                    "a name that no other gate of this scenario has",
                ));
            }
        }
        Ok(declared)
    }
}

fn reject_cycles(
    declared: &BTreeMap<&GateName, (usize, Option<&GateName>)>,
) -> Result<(), ScheduleError> {
    for (&name, &(index, _)) in declared {
        let mut path = vec![name];
        let mut at = name;
        while let Some(next) = declared.get(at).and_then(|(_, after)| *after) {
            if !declared.contains_key(next) {
                return Err(unknown_gate(index, next, declared));
            }
            path.push(next);
            if next == name {
                let names: Vec<_> = path.iter().map(|gate| format!("`{gate}`")).collect();
                return Err(ScheduleError::new(
                    index,
                    format!("gates wait for each other: {}", names.join(" after ")),
                    "an order in which each gate can be released",
                ));
            }
            if path.len() > declared.len() {
                break; // A cycle that `name` leads into; it is reported at one of its own gates.
            }
            at = next;
        }
    }
    Ok(())
}

fn unknown_gate(
    index: usize,
    name: &GateName,
    declared: &BTreeMap<&GateName, (usize, Option<&GateName>)>,
) -> ScheduleError {
    let known: Vec<_> = declared.keys().map(|gate| format!("`{gate}`")).collect();
    let expected = if known.is_empty() {
        "a `hold` step that arms it first".to_owned()
    } else {
        format!("one of {}", known.join(", "))
    };
    ScheduleError::new(index, format!("there is no gate `{name}`"), expected)
}

impl<'a> Gates<'a> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only gates and settling have an order")]
    fn apply(&mut self, index: usize, step: &'a Step) -> Result<(), ScheduleError> {
        match step {
            Step::Hold(hold) => {
                self.states.insert(&hold.gate, GateState::Armed);
                Ok(())
            }
            Step::Reached(name) => self.advance(index, name, GateState::Standing),
            Step::Release(name) => self.advance(index, name, GateState::Released),
            Step::Settle => self.reject_held(index),
            _ => Ok(()),
        }
    }

    fn advance(
        &mut self,
        index: usize,
        name: &'a GateName,
        to: GateState,
    ) -> Result<(), ScheduleError> {
        if !self.declared.contains_key(name) {
            return Err(unknown_gate(index, name, &self.declared));
        }
        let (wanted, expected) = match to {
            GateState::Standing => (GateState::Armed, "`hold` before `reached`, and that once"),
            GateState::Released | GateState::Armed => {
                (GateState::Standing, "`reached` before `release`, and that once")
            }
        };
        if self.states.get(name) != Some(&wanted) {
            return Err(ScheduleError::new(
                index,
                format!("gate `{name}` cannot be used so here"),
                expected,
            ));
        }
        if to == GateState::Standing
            && let Some((_, Some(after))) = self.declared.get(name)
            && self.states.get(*after) != Some(&GateState::Released)
        {
            return Err(ScheduleError::new(
                index,
                format!("gate `{name}` counts only after `{after}`, which is not released yet"),
                format!("`release: {after}` before this step"),
            ));
        }
        self.states.insert(name, to);
        Ok(())
    }

    fn reject_held(&self, index: usize) -> Result<(), ScheduleError> {
        match self.states.iter().find(|(_, state)| **state != GateState::Released) {
            Some((name, _)) => Err(ScheduleError::new(
                index,
                format!("the world cannot settle while gate `{name}` is closed"),
                format!("`release: {name}` before `settle`"),
            )),
            None => Ok(()),
        }
    }
}
