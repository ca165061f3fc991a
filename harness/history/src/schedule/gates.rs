//! Gates are armed, reached and released in an order that can be carried out.

use std::collections::BTreeMap;

use super::error::ScheduleError;
use crate::scenario::{GateName, GateStep, Hold, HoldWrite, Scenario, Serially, Step, WaitStep};

#[derive(Clone, Copy, PartialEq, Eq)]
enum GateState {
    Armed,
    Standing,
    Released,
}

struct Gates<'a> {
    states: BTreeMap<&'a GateName, GateState>,
    declared: Declared<'a>,
    /// Messages go on one at a time.
    is_serial: bool,
}

type Declared<'a> = BTreeMap<&'a GateName, (usize, Option<&'a GateName>)>;

/// Refuses a gate that waits for itself through others, and one that is used before it is armed,
/// twice, or never.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScheduleError> {
    let declared = declared_gates(scenario)?;
    reject_cycles(&declared)?;
    let mut gates = Gates { states: BTreeMap::new(), declared, is_serial: false };
    for (index, step) in scenario.steps.iter().enumerate() {
        gates.apply(index, step)?;
    }
    gates.reject_held(scenario.steps.len().saturating_sub(1))
}

fn declared_gates(scenario: &Scenario) -> Result<Declared<'_>, ScheduleError> {
    let mut declared = BTreeMap::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let Some((gate, after)) = armed(step) else { continue };
        if declared.insert(gate, (index, after)).is_some() {
            return Err(ScheduleError::new(
                index,
                format!("gate `{gate}` is armed twice"),
                "a name that no other gate of this scenario has",
            ));
        }
    }
    Ok(declared)
}

/// The gate that a step arms, and the one after whose release it counts.
fn armed(step: &Step) -> Option<(&GateName, Option<&GateName>)> {
    let Step::Gate(step) = step else { return None };
    match step {
        GateStep::Hold(hold) => Some((&hold.gate, hold.after.as_ref())),
        GateStep::HoldWrite(hold) => Some((&hold.gate, hold.after.as_ref())),
        GateStep::Reached(_) | GateStep::Release(_) | GateStep::Serial(_) | GateStep::Free => None,
    }
}

fn reject_cycles(declared: &Declared<'_>) -> Result<(), ScheduleError> {
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

fn unknown_gate(index: usize, name: &GateName, declared: &Declared<'_>) -> ScheduleError {
    let known: Vec<_> = declared.keys().map(|gate| format!("`{gate}`")).collect();
    let expected = if known.is_empty() {
        "a `hold` step that arms it first".to_owned()
    } else {
        format!("one of {}", known.join(", "))
    };
    ScheduleError::new(index, format!("there is no gate `{name}`"), expected)
}

impl<'a> Gates<'a> {
    fn apply(&mut self, index: usize, step: &'a Step) -> Result<(), ScheduleError> {
        match step {
            Step::Gate(GateStep::Reached(name)) => self.advance(index, name, GateState::Standing),
            Step::Gate(GateStep::Release(name)) => self.advance(index, name, GateState::Released),
            Step::Gate(
                GateStep::Hold(Hold { gate, .. }) | GateStep::HoldWrite(HoldWrite { gate, .. }),
            ) => {
                self.states.insert(gate, GateState::Armed);
                Ok(())
            }
            Step::Gate(GateStep::Serial(serial)) => self.serialise(index, serial),
            Step::Gate(GateStep::Free) if self.is_serial => {
                self.is_serial = false;
                Ok(())
            }
            Step::Gate(GateStep::Free) => Err(ScheduleError::new(
                index,
                "messages already go on by themselves",
                "`serial` before `free`",
            )),
            Step::Wait(WaitStep::Settle) => self.reject_held(index),
            Step::Wait(WaitStep::Await(_))
            | Step::Engine(_)
            | Step::Command(_)
            | Step::Api(_)
            | Step::Daemon(_)
            | Step::Neighbour(_)
            | Step::Fault(_)
            | Step::Docker(_)
            | Step::Kubernetes(_)
            | Step::Log(_) => Ok(()),
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

    fn serialise(&mut self, index: usize, serial: &Serially) -> Result<(), ScheduleError> {
        if self.is_serial {
            let what = "messages already go on one at a time";
            return Err(ScheduleError::new(index, what, "`free` before another `serial`"));
        }
        if serial.depth == 0 || serial.length == 0 {
            let what = "the order of messages has no depth or no length";
            return Err(ScheduleError::new(index, what, "numbers from 1 on"));
        }
        self.is_serial = true;
        Ok(())
    }

    fn reject_held(&self, index: usize) -> Result<(), ScheduleError> {
        if self.is_serial {
            let what = "the world cannot settle while messages go on one at a time";
            return Err(ScheduleError::new(index, what, "`free` before `settle`"));
        }
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
