//! Images, containers and volumes are made before they are used.

use std::collections::BTreeSet;

use super::ScheduleError;
use crate::record::PROBE_VOLUME_PREFIX;
use crate::{LogCrowd, Match, OpenLog, Scenario, Step, WriteMatch};

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
    #[expect(clippy::wildcard_enum_match_arm, reason = "only some steps make or use names")]
    fn apply(&mut self, index: usize, step: &'a Step) -> Result<(), ScheduleError> {
        match step {
            Step::LoadImage { image, .. } => {
                self.images.insert(image);
            }
            Step::Tag { image, .. } | Step::RemoveImage { image, .. } => {
                require(index, "image", image, &self.images)?;
            }
            Step::CreateContainer { name, image, .. } => {
                require(index, "image", image, &self.images)?;
                self.containers.insert(name);
            }
            Step::Container { name, .. } | Step::RemoveContainer { name } => {
                require(index, "container", name, &self.containers)?;
            }
            Step::CreateVolume { name } if name.starts_with(PROBE_VOLUME_PREFIX) => {
                return Err(ScheduleError::new(
                    index,
                    format!("volumes called `{PROBE_VOLUME_PREFIX}…` are the harness's own"),
                    "another name",
                ));
            }
            Step::CreateVolume { name } => {
                self.volumes.insert(name);
            }
            Step::RemoveVolume { name } => require(index, "volume", name, &self.volumes)?,
            Step::CreateVolumes { prefix, .. } if prefix.starts_with(PROBE_VOLUME_PREFIX) => {
                return Err(ScheduleError::new(
                    index,
                    format!("volumes called `{PROBE_VOLUME_PREFIX}…` are the harness's own"),
                    "another prefix",
                ));
            }
            Step::CreateVolumes { prefix, .. } => {
                self.prefixes.insert(prefix);
            }
            Step::RemoveVolumes { prefix } => {
                require(index, "prefix of volumes", prefix, &self.prefixes)?;
            }
            Step::Act { container, .. } | Step::PrepareExecs { container, .. } => {
                require(index, "container", container, &self.containers)?;
            }
            Step::HoldWrite(hold) => self.require_write(index, &hold.on)?,
            Step::DenyWrite { on, .. } => self.require_write(index, on)?,
            Step::CreateObject(object) => self.require_alias(index, &object.name)?,
            Step::OpenLog(OpenLog { log, .. }) | Step::LogCrowd(LogCrowd { log, .. }) => {
                if let Some(container) = &log.of {
                    require(index, "container", container, &self.containers)?;
                }
            }
            Step::Hold(hold) => self.require_params(index, &hold.on)?,
            Step::Answer { on, .. } | Step::Record { on, .. } => self.require_params(index, on)?,
            Step::Fault(fault) => self.require_params(index, &fault.on)?,
            _ => {}
        }
        Ok(())
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
