//! Images, containers and volumes are made before they are used.

use std::collections::BTreeSet;

use super::error::ScheduleError;
use crate::scenario::{
    ApiStep, EngineStep, FaultStep, GateStep, LogCrowd, LogStep, Match, OpenLog,
    PROBE_VOLUME_PREFIX, Scenario, Step, WriteMatch,
};

#[derive(Default)]
struct Made<'a> {
    images: BTreeSet<&'a str>,
    containers: BTreeSet<&'a str>,
    volumes: BTreeSet<&'a str>,
    prefixes: BTreeSet<&'a str>,
}

/// Refuses names that no earlier step made, and those that the harness keeps for itself.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScheduleError> {
    let mut made = Made::default();
    for (index, step) in scenario.steps.iter().enumerate() {
        made.apply(index, step)?;
    }
    Ok(())
}

impl<'a> Made<'a> {
    fn apply(&mut self, index: usize, step: &'a Step) -> Result<(), ScheduleError> {
        match step {
            Step::Engine(step) => self.apply_engine(index, step),
            Step::Api(step) => self.apply_api(index, step),
            Step::Gate(step) => self.apply_gate(index, step),
            Step::Fault(step) => self.apply_fault(index, step),
            Step::Log(
                LogStep::Open(OpenLog { log, .. }) | LogStep::Crowd(LogCrowd { log, .. }),
            ) => {
                let mut named = log.of.iter();
                named.try_for_each(|name| require(index, "container", name, &self.containers))
            }
            Step::Log(_)
            | Step::Command(_)
            | Step::Daemon(_)
            | Step::Docker(_)
            | Step::Neighbour(_)
            | Step::Wait(_) => Ok(()),
        }
    }

    fn apply_engine(&mut self, index: usize, step: &'a EngineStep) -> Result<(), ScheduleError> {
        match step {
            EngineStep::LoadImage { image, .. } => {
                self.images.insert(image);
            }
            EngineStep::Tag { image, .. } | EngineStep::RemoveImage { image, .. } => {
                require(index, "image", image, &self.images)?;
            }
            EngineStep::CreateContainer { name, image, .. } => {
                require(index, "image", image, &self.images)?;
                self.containers.insert(name);
            }
            EngineStep::Container { name, .. }
            | EngineStep::RemoveContainer { name }
            | EngineStep::PrepareExecs { container: name, .. } => {
                require(index, "container", name, &self.containers)?;
            }
            EngineStep::CreateVolume { name } => {
                reject_own(index, name, "another name")?;
                self.volumes.insert(name);
            }
            EngineStep::RemoveVolume { name } => require(index, "volume", name, &self.volumes)?,
            EngineStep::CreateVolumes { prefix, .. } => {
                reject_own(index, prefix, "another prefix")?;
                self.prefixes.insert(prefix);
            }
            EngineStep::RemoveVolumes { prefix } => {
                require(index, "prefix of volumes", prefix, &self.prefixes)?;
            }
            EngineStep::Untag { .. } | EngineStep::Process(_) => {}
        }
        Ok(())
    }

    fn apply_api(&self, index: usize, step: &ApiStep) -> Result<(), ScheduleError> {
        match step {
            ApiStep::Act { container, .. } => {
                require(index, "container", container, &self.containers)
            }
            ApiStep::CreateObject(object) => self.require_alias(index, &object.name),
            ApiStep::Patch(_)
            | ApiStep::Delete(_)
            | ApiStep::Keep(_)
            | ApiStep::LetGo(_)
            | ApiStep::Touch { .. } => Ok(()),
        }
    }

    fn apply_gate(&self, index: usize, step: &GateStep) -> Result<(), ScheduleError> {
        match step {
            GateStep::Hold(hold) => self.require_params(index, &hold.on),
            GateStep::HoldWrite(hold) => self.require_write(index, &hold.on),
            GateStep::Reached(_) | GateStep::Release(_) => Ok(()),
        }
    }

    fn apply_fault(&self, index: usize, step: &FaultStep) -> Result<(), ScheduleError> {
        match step {
            FaultStep::Answer { on, .. } | FaultStep::Record { on, .. } => {
                self.require_params(index, on)
            }
            FaultStep::Fault(fault) => self.require_params(index, &fault.on),
            FaultStep::DenyWrite { on, .. } => self.require_write(index, on),
            FaultStep::Cut(_)
            | FaultStep::Happened(_)
            | FaultStep::Lift(_)
            | FaultStep::Inject { .. }
            | FaultStep::ReplaceSocket
            | FaultStep::Refuse
            | FaultStep::Accept => Ok(()),
        }
    }

    fn require_params(&self, index: usize, on: &Match) -> Result<(), ScheduleError> {
        on.params.values().try_for_each(|value| self.require_alias(index, value))
    }

    fn require_write(&self, index: usize, on: &WriteMatch) -> Result<(), ScheduleError> {
        on.name.iter().try_for_each(|name| self.require_alias(index, name))
    }

    /// `$NAME` stands for an ID, so something must have one.
    fn require_alias(&self, index: usize, value: &str) -> Result<(), ScheduleError> {
        let known: BTreeSet<_> = self.images.union(&self.containers).copied().collect();
        let name = value.strip_prefix('$');
        name.into_iter().try_for_each(|name| require(index, "image or container", name, &known))
    }
}

/// Refuses names of volumes that the harness keeps for its own probes.
fn reject_own(index: usize, name: &str, expected: &str) -> Result<(), ScheduleError> {
    if !name.starts_with(PROBE_VOLUME_PREFIX) {
        return Ok(());
    }
    let problem = format!("volumes called `{PROBE_VOLUME_PREFIX}…` are the harness's own");
    Err(ScheduleError::new(index, problem, expected))
}

fn require(
    index: usize,
    kind: &str,
    name: &str,
    known: &BTreeSet<&str>,
) -> Result<(), ScheduleError> {
    if known.contains(name) {
        return Ok(());
    }
    let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    let expected = if names.is_empty() {
        "an earlier step that makes it".to_owned()
    } else {
        format!("an earlier step that makes it, or one of {}", names.join(", "))
    };
    Err(ScheduleError::new(index, format!("there is no {kind} `{name}` here"), expected))
}
