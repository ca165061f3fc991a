//! Commands in the background are awaited, and what has a name is used under it.

use std::collections::BTreeSet;

use super::error::ScheduleError;
use crate::scenario::{
    CommandName, CommandStep, DockerCommand, DockerStep, Fault, FaultKind, FaultName, FaultStep,
    Returned, Scenario, SetStep, Step,
};

#[derive(Default)]
struct Named<'a> {
    waiting: BTreeSet<&'a CommandName>,
    ended: BTreeSet<&'a CommandName>,
    faults: BTreeSet<&'a FaultName>,
    recordings: BTreeSet<&'a FaultName>,
}

/// Refuses names that nothing has, names that two things have, and commands that nobody awaits.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScheduleError> {
    let mut named = Named::default();
    for (index, step) in scenario.steps.iter().enumerate() {
        named.apply(index, step)?;
        if step.for_neighbour().is_some() && !scenario.needs.neighbour {
            return Err(ScheduleError::new(
                index,
                "this scenario has no second daemon",
                "`neighbour: true` among its `needs`",
            ));
        }
    }
    let last = scenario.steps.len().saturating_sub(1);
    match named.waiting.first() {
        Some(name) => Err(ScheduleError::new(
            last,
            format!("nobody awaits the end of the command `{name}`"),
            format!("`returned: {{command: {name}}}` before the end"),
        )),
        None => Ok(()),
    }
}

impl<'a> Named<'a> {
    fn apply(&mut self, index: usize, step: &'a Step) -> Result<(), ScheduleError> {
        match step {
            Step::Command(step) => self.command(index, step),
            Step::Docker(DockerStep::Run(DockerCommand { background, .. })) => {
                self.begin(index, background.as_ref())
            }
            Step::Fault(FaultStep::Record { name, .. }) if !self.recordings.insert(name) => {
                Err(twice(index, "recording", &name.0))
            }
            Step::Fault(FaultStep::Fault(fault)) => self.fault(index, fault),
            Step::Fault(FaultStep::Answer { name, .. }) => self.name_fault(index, name.as_ref()),
            Step::Fault(FaultStep::Happened(name)) if !self.faults.contains(name) => {
                Err(unknown(index, "fault", &name.0))
            }
            Step::Fault(FaultStep::Lift(name)) if !self.faults.remove(name) => {
                Err(unknown(index, "fault", &name.0))
            }
            Step::Fault(_)
            | Step::Docker(_)
            | Step::Kubernetes(_)
            | Step::Engine(_)
            | Step::Api(_)
            | Step::Daemon(_)
            | Step::Neighbour(_)
            | Step::Gate(_)
            | Step::Log(_)
            | Step::Wait(_) => Ok(()),
        }
    }

    fn command(&mut self, index: usize, step: &'a CommandStep) -> Result<(), ScheduleError> {
        match step {
            CommandStep::RunCommand(command) if command.is_about_service() => {
                Err(ScheduleError::new(
                    index,
                    "this command would start or end the service",
                    "a step `daemon`, or another command",
                ))
            }
            CommandStep::App(_) | CommandStep::RunCommand(_) => Ok(()),
            CommandStep::Set(SetStep { background, .. }) => self.begin(index, background.as_ref()),
            CommandStep::Interrupt(name) if self.waiting.contains(name) => Ok(()),
            CommandStep::Returned(returned) if self.waiting.remove(&returned.command) => {
                self.ended.insert(&returned.command);
                Ok(())
            }
            CommandStep::Interrupt(name)
            | CommandStep::Returned(Returned { command: name, .. }) => {
                Err(unknown(index, "command in the background", &name.0))
            }
        }
    }

    /// A command begins, in the background if it has a name.
    fn begin(
        &mut self,
        index: usize,
        background: Option<&'a CommandName>,
    ) -> Result<(), ScheduleError> {
        let Some(name) = background else { return Ok(()) };
        if self.ended.contains(name) || !self.waiting.insert(name) {
            return Err(twice(index, "command", &name.0));
        }
        Ok(())
    }

    fn fault(&mut self, index: usize, fault: &'a Fault) -> Result<(), ScheduleError> {
        if let FaultKind::Stale { recording } = &fault.kind
            && !self.recordings.contains(recording)
        {
            return Err(unknown(index, "recording", &recording.0));
        }
        self.name_fault(index, fault.name.as_ref())
    }

    fn name_fault(
        &mut self,
        index: usize,
        name: Option<&'a FaultName>,
    ) -> Result<(), ScheduleError> {
        match name {
            Some(name) if !self.faults.insert(name) => Err(twice(index, "fault", &name.0)),
            Some(_) | None => Ok(()),
        }
    }
}

fn unknown(index: usize, kind: &str, name: &str) -> ScheduleError {
    let expected = "an earlier step that gives this name, and no step before that ended it";
    ScheduleError::new(index, format!("there is no {kind} `{name}` here"), expected)
}

fn twice(index: usize, kind: &str, name: &str) -> ScheduleError {
    ScheduleError::new(index, format!("two are called {kind} `{name}`"), "another name")
}
