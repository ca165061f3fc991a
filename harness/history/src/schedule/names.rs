//! Images, containers and volumes are made before they are used.

use std::collections::BTreeSet;

use super::error::ScheduleError;
use crate::scenario::{
    ApiStep, Await, BuildImage, DockerCommand, DockerStep, EngineStep, Exec, FaultStep, GateStep,
    LogCrowd, LogStep, Match, NewContainer, NewVolume, OpenLog, PROBE_VOLUME_PREFIX, Scenario,
    Step, WaitStep, WriteMatch,
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
            Step::Docker(DockerStep::Run(command)) => self.apply_docker(index, command),
            Step::Wait(WaitStep::Await(Await::Event(event))) => {
                let has_alias = matches!(event.r#type.as_str(), "container" | "image");
                let mut named = event.of.iter().filter(|_| has_alias);
                named.try_for_each(|name| {
                    require(index, "image or container", name, &self.aliases())
                })
            }
            Step::Log(_)
            | Step::Command(_)
            | Step::Daemon(_)
            | Step::Docker(_)
            | Step::Kubernetes(_)
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
            EngineStep::CreateContainer(new) => {
                let NewContainer { name, image, .. } = &**new;
                require(index, "image", image, &self.images)?;
                self.containers.insert(name);
            }
            EngineStep::Build(BuildImage { image, from, .. }) => {
                require(index, "image", from, &self.images)?;
                self.make_image(index, image)?;
            }
            EngineStep::Commit { container, image, .. } => {
                require(index, "container", container, &self.containers)?;
                self.make_image(index, image)?;
            }
            EngineStep::Rename { name, to } => {
                require(index, "container", name, &self.containers)?;
                if self.aliases().contains(to.as_str()) {
                    return Err(twice(index, to));
                }
                self.containers.remove(name.as_str());
                self.containers.insert(to);
            }
            EngineStep::Container { name, .. }
            | EngineStep::RemoveContainer { name }
            | EngineStep::Exec(Exec { container: name, .. })
            | EngineStep::PrepareExecs { container: name, .. } => {
                require(index, "container", name, &self.containers)?;
            }
            EngineStep::CreateVolume(NewVolume { name, .. }) => {
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
            EngineStep::Untag { .. }
            | EngineStep::Prune(_)
            | EngineStep::Process(_)
            | EngineStep::Guest(_) => {}
        }
        Ok(())
    }

    /// An image gets an alias that nothing else has: two images with one alias could not be told apart.
    fn make_image(&mut self, index: usize, image: &'a str) -> Result<(), ScheduleError> {
        if self.aliases().contains(image) {
            return Err(twice(index, image));
        }
        self.images.insert(image);
        Ok(())
    }

    fn apply_docker(
        &mut self,
        index: usize,
        command: &'a DockerCommand,
    ) -> Result<(), ScheduleError> {
        let Some(alias) = command.alias.as_deref() else { return Ok(()) };
        let error = |problem: &str, expected: &str| ScheduleError::new(index, problem, expected);
        if command.background.is_some() || command.times != 1 {
            let problem = "what the command makes has a name, and the command does not end once";
            return Err(error(problem, "`as` without `background` and `times`"));
        }
        if self.aliases().contains(alias) {
            return Err(twice(index, alias));
        }
        let words: Vec<_> = command.arguments.iter().map(String::as_str).collect();
        let has = |flag: char, long: &str| {
            words.iter().any(|word| {
                let is_short = word.starts_with('-') && !word.starts_with("--");
                *word == long || (is_short && word.contains(flag))
            })
        };
        let made = ["run", "create", "build", "commit", "pull", "import"];
        let made = words.iter().find(|word| made.contains(word));
        match made.copied() {
            Some("run") if !has('d', "--detach") => {
                Err(error("the command does not print the container's ID", "`--detach`"))
            }
            Some("build") if !has('q', "--quiet") => {
                Err(error("the command does not print the image's ID alone", "`--quiet`"))
            }
            Some("run" | "create") => {
                self.containers.insert(alias);
                Ok(())
            }
            Some(_) => {
                self.images.insert(alias);
                Ok(())
            }
            None => {
                let expected = "`run`, `create`, `build`, `commit`, `pull` or `import`";
                Err(error("the command makes no container and no image", expected))
            }
        }
    }

    fn aliases(&self) -> BTreeSet<&'a str> {
        self.images.union(&self.containers).copied().collect()
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
            GateStep::Reached(_) | GateStep::Release(_) | GateStep::Serial(_) | GateStep::Free => {
                Ok(())
            }
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
        let name = value.strip_prefix('$');
        name.into_iter()
            .try_for_each(|name| require(index, "image or container", name, &self.aliases()))
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

fn twice(index: usize, name: &str) -> ScheduleError {
    ScheduleError::new(index, format!("there is a `{name}` already"), "another name")
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
