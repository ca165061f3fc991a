//! What is in the engine after some steps of a workload, as far as the steps alone tell.

use std::collections::{BTreeMap, BTreeSet};

use racetrap_history::{
    ApiStep, AppStep, CommandStep, ContainerOp, DockerStep, EngineOp, EngineStep, MirrorRef, Prune,
    Step, UserPatch, WaitStep,
};

/// Objects by their names in the scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    /// Containers.
    pub(crate) containers: BTreeMap<String, Container>,
    /// Tags of images, by alias.
    pub(crate) images: BTreeMap<String, BTreeSet<String>>,
    /// Volumes.
    pub(crate) volumes: BTreeSet<String>,
    /// Containers that a prune may have left, and no step may name any more.
    perhaps: BTreeMap<String, Container>,
    /// Containers that the daemon removes for a user of its API. They are gone once the world is quiet.
    leaving: BTreeMap<String, Container>,
    /// The App shall run, on the engine that is mirrored.
    pub(crate) app_runs: bool,
    /// The App wants another engine, which has no mirrors.
    elsewhere: bool,
}

/// A container.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    /// Alias of its image.
    image: String,
    /// Its state.
    pub(crate) state: State,
    /// Volumes that it uses.
    volumes: Vec<String>,
}

/// The state of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Created or exited.
    Stopped,
    /// Running until somebody ends it.
    Running,
    /// Running and paused.
    Paused,
    /// It ends when its program ends, or is changed by somebody whom the steps do not name.
    Unclear,
}

impl Objects {
    /// What there is after these steps.
    pub(crate) fn after(steps: &[Step]) -> Self {
        let mut objects = Self::default();
        steps.iter().for_each(|step| objects.apply(step));
        objects
    }

    /// What is there before and after a step: only that has a mirror for certain while the step's effects
    /// arrive. States are those of `self`.
    pub(crate) fn that_stay(&self, after: &Self) -> Self {
        let mut stay = self.clone();
        stay.containers.retain(|name, _| after.containers.contains_key(name));
        stay.images.retain(|image, tags| {
            tags.retain(|tag| after.images.get(image).is_some_and(|left| left.contains(tag)));
            after.images.contains_key(image)
        });
        stay.volumes.retain(|volume| after.volumes.contains(volume));
        stay
    }

    /// Whether a container uses the volume.
    pub(crate) fn is_used(&self, volume: &str) -> bool {
        let uses = |container: &Container| container.volumes.iter().any(|used| used == volume);
        self.possible().any(|(_, container)| uses(container))
    }

    /// Whether a container was made from the image.
    pub(crate) fn has_container(&self, image: &str) -> bool {
        self.possible().any(|(_, container)| container.image == image)
    }

    /// Whether the engine may have a container with this name.
    pub(crate) fn may_have_container(&self, name: &str) -> bool {
        self.possible().any(|(possible, _)| possible == name)
    }

    /// All containers that the engine may have.
    fn possible(&self) -> impl Iterator<Item = (&String, &Container)> {
        self.containers.iter().chain(&self.perhaps).chain(&self.leaving)
    }

    /// Whether such a container runs for certain, so that the engine keeps its image by all means.
    pub(crate) fn has_running_container(&self, image: &str) -> bool {
        let runs = |it: &Container| matches!(it.state, State::Running | State::Paused);
        self.containers.values().any(|container| container.image == image && runs(container))
    }

    /// Names that a gate may name.
    pub(crate) fn nameable(&self) -> BTreeSet<String> {
        let names = self.containers.keys().chain(self.images.keys()).chain(&self.volumes);
        names.cloned().collect()
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other steps change no object")]
    pub(crate) fn apply(&mut self, step: &Step) {
        match step {
            Step::Engine(step) => self.apply_engine(step),
            Step::Command(CommandStep::App(AppStep { running, .. })) => {
                self.app_runs = *running && !self.elsewhere;
            }
            Step::Command(CommandStep::Set(set)) => {
                let running = set.properties.get("running").map(|running| running == "true");
                let was_elsewhere = self.elsewhere;
                if let Some(engine) = set.properties.get("containerEngine.name") {
                    self.elsewhere = engine != "moby";
                }
                // Back at the engine that is mirrored, it may run as before.
                let runs = running.unwrap_or(self.app_runs || was_elsewhere);
                self.app_runs = runs && !self.elsewhere;
            }
            Step::Api(step) => self.apply_api(step),
            Step::Wait(WaitStep::Settle) if self.app_runs => self.leaving.clear(),
            // A command may do anything to them.
            Step::Docker(DockerStep::Run(_)) => {
                self.containers.values_mut().for_each(|it| it.state = State::Unclear);
            }
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other steps change no object")]
    fn apply_engine(&mut self, step: &EngineStep) {
        match step {
            EngineStep::LoadImage { image, tags, .. } => self.tag(image, tags.iter()),
            EngineStep::Build(build) => self.tag(&build.image, build.tag.iter()),
            EngineStep::Commit { image, tag, .. } => self.tag(image, tag.iter()),
            EngineStep::Tag { image, tag } => self.tag(image, std::iter::once(tag)),
            EngineStep::Untag { tag, force } => self.untag(tag, *force),
            EngineStep::RemoveImage { image, .. } => drop(self.images.remove(image)),
            EngineStep::CreateContainer(new) => {
                let lives = new.prints.command.is_empty() && new.entrypoint.is_empty();
                let state = match (lives && !new.auto_remove, new.start) {
                    (false, _) => State::Unclear,
                    (true, true) => State::Running,
                    (true, false) => State::Stopped,
                };
                let (image, volumes) = (new.image.clone(), new.volumes.clone());
                self.volumes.extend(volumes.iter().cloned());
                self.containers.insert(new.name.clone(), Container { image, state, volumes });
            }
            EngineStep::Container { name, op } => self.operate(name, *op),
            EngineStep::Rename { name, to } => {
                if let Some(container) = self.containers.remove(name) {
                    self.containers.insert(to.clone(), container);
                }
            }
            EngineStep::RemoveContainer { name } => drop(self.containers.remove(name)),
            EngineStep::CreateVolume(volume) if volume.refused.is_some() => {}
            EngineStep::CreateVolume(volume) => drop(self.volumes.insert(volume.name.clone())),
            EngineStep::RemoveVolume { name } => drop(self.volumes.remove(name)),
            EngineStep::Prune(what) => self.prune(*what),
            // Whether a container survives that is the engine's choice.
            EngineStep::Process(EngineOp::Kill | EngineOp::Stop) => {
                self.containers.values_mut().for_each(|it| it.state = State::Unclear);
            }
            _ => {}
        }
    }

    /// What the daemon does for a user of its API, at a time that nobody knows.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other steps change no object")]
    fn apply_api(&mut self, step: &ApiStep) {
        match step {
            ApiStep::Act { container, .. }
            | ApiStep::Patch(UserPatch { of: MirrorRef::Container(container), .. }) => {
                if let Some(container) = self.containers.get_mut(container) {
                    container.state = State::Unclear;
                }
            }
            ApiStep::Delete(MirrorRef::Container(name)) => {
                self.leaving.extend(self.containers.remove_entry(name));
            }
            ApiStep::Delete(MirrorRef::Volume(name)) => drop(self.volumes.remove(name)),
            ApiStep::Delete(MirrorRef::Tag(tag)) => self.untag(tag, false),
            ApiStep::Delete(MirrorRef::Dangling(image)) => drop(self.images.remove(image)),
            _ => {}
        }
    }

    fn tag<'a>(&mut self, image: &str, tags: impl Iterator<Item = &'a String>) {
        self.images.entry(image.to_owned()).or_default();
        for tag in tags {
            // A tag that moves takes no image with it that a container needs.
            self.untag(tag, false);
            self.images.entry(image.to_owned()).or_default().insert(tag.clone());
        }
    }

    fn untag(&mut self, tag: &str, by_force: bool) {
        let Some((image, tags)) = self.images.iter_mut().find(|(_, tags)| tags.contains(tag))
        else {
            return;
        };
        tags.remove(tag);
        let image = image.clone();
        // The last tag takes the image with it, unless a container needs it; by force, unless one runs.
        let is_needed = match by_force {
            true => self.has_running_container(&image),
            false => self.has_container(&image),
        };
        if self.images[&image].is_empty() && !is_needed {
            self.images.remove(&image);
        }
    }

    fn operate(&mut self, name: &str, op: ContainerOp) {
        let Some(container) = self.containers.get_mut(name) else { return };
        container.state = match op {
            _ if container.state == State::Unclear => State::Unclear,
            ContainerOp::Start | ContainerOp::Unpause | ContainerOp::Restart => State::Running,
            ContainerOp::Stop | ContainerOp::Kill => State::Stopped,
            ContainerOp::Pause => State::Paused,
        };
    }

    /// Forgets what a prune may have removed.
    fn prune(&mut self, what: Prune) {
        let all = what == Prune::All;
        if all || what == Prune::Containers {
            let unclear = self.containers.iter().filter(|(_, it)| it.state == State::Unclear);
            self.perhaps.extend(unclear.map(|(name, it)| (name.clone(), it.clone())));
            self.containers.retain(|_, it| matches!(it.state, State::Running | State::Paused));
        }
        if all || what == Prune::Images {
            let used: BTreeSet<_> = self.containers.values().map(|it| it.image.clone()).collect();
            self.images.retain(|image, tags| used.contains(image) || (!all && !tags.is_empty()));
        }
        if all || what == Prune::Volumes {
            let used: BTreeSet<_> =
                self.containers.values().flat_map(|it| it.volumes.clone()).collect();
            self.volumes.retain(|volume| used.contains(volume));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(steps: &str) -> Objects {
        Objects::after(&serde_json::from_str::<Vec<Step>>(steps).expect("steps"))
    }

    #[test]
    fn a_tag_moves_and_the_last_one_takes_its_image_with_it() {
        let objects = after(
            r#"[{"load_image": {"image": "a", "tags": ["t:1"]}},
                {"load_image": {"image": "b", "tags": ["t:1", "u:1"]}}, {"untag": {"tag": "u:1"}}]"#,
        );
        assert_eq!(objects.images.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(objects.images["b"].iter().collect::<Vec<_>>(), ["t:1"]);
    }

    #[test]
    fn by_force_the_last_tag_takes_the_image_of_a_container_that_rests() {
        let objects = after(
            r#"[{"load_image": {"image": "a", "tags": ["a:1"]}}, {"load_image": {"image": "b", "tags": ["b:1"]}},
                {"create_container": {"name": "rests", "image": "a"}},
                {"create_container": {"name": "runs", "image": "b", "start": true}},
                {"untag": {"tag": "a:1", "force": true}}, {"untag": {"tag": "b:1", "force": true}}]"#,
        );
        assert_eq!(objects.images.keys().collect::<Vec<_>>(), ["b"]);
    }

    // A container that prints may run or have ended: it is not named any more, and may still use its image.
    #[test]
    fn a_container_that_may_be_left_by_a_prune_keeps_its_image_in_use() {
        let objects = after(
            r#"[{"load_image": {"image": "a", "tags": ["a:1"]}}, {"load_image": {"image": "b"}},
                {"create_container": {"name": "prints", "image": "a", "start": true,
                    "prints": {"command": ["sleep"]}, "volumes": ["v"]}}, {"prune": "containers"}]"#,
        );
        assert!(objects.containers.is_empty());
        assert!(objects.has_container("a") && !objects.has_running_container("a"));
        assert!(objects.is_used("v") && !objects.has_container("b"));
    }

    #[test]
    fn a_container_that_the_daemon_removes_keeps_its_name_until_the_world_is_quiet() {
        let steps = r#"[{"load_image": {"image": "a"}}, {"create_container": {"name": "web", "image": "a"}},
            {"app": {"running": true}}, {"delete": {"container": "web"}}"#;
        let objects = after(&format!("{steps}]"));
        assert!(objects.containers.is_empty());
        assert!(objects.may_have_container("web") && objects.has_container("a"));
        let objects = after(&format!(r#"{steps}, "settle"]"#));
        assert!(!objects.may_have_container("web") && !objects.has_container("a"));
    }

    #[test]
    fn a_prune_leaves_what_a_running_container_needs() {
        let objects = after(
            r#"[{"load_image": {"image": "a", "tags": ["a:1"]}}, {"load_image": {"image": "b"}},
                {"create_container": {"name": "runs", "image": "a", "start": true, "volumes": ["v"]}},
                {"create_container": {"name": "rests", "image": "b"}}, {"create_volume": {"name": "w"}},
                {"prune": "all"}]"#,
        );
        assert_eq!(objects.containers.keys().collect::<Vec<_>>(), ["runs"]);
        assert_eq!(objects.images.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(objects.volumes.iter().collect::<Vec<_>>(), ["v"]);
    }
}
