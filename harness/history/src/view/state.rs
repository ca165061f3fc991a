//! All that is known after some records.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::app::AppView;
use super::docker::Docker;
use super::logs::{LogState, Logs};
use super::names::Names;
use super::objects::{Objects, text};
use super::requests::Requests;
use super::wire::Wires;
use crate::mirror::{Mirror, MirrorKey, compare, expected};
use crate::record::{EngineEvent, EngineState, Exit, Footprint, ProcessState, Record, What};
use crate::scenario::{EngineEventMatch, GateName, MirrorRef, OURS};

/// Folds records, in order, into what is known after them.
#[derive(Clone, Debug, Default)]
pub struct View {
    objects: Objects,
    truth: EngineState,
    names: Names,
    wires: Wires,
    ended: Vec<(String, Exit)>,
    requests: Requests,
    docker: Docker,
    logs: Logs,
    /// How many events of each type, action and object the engine has sent.
    events: BTreeMap<(String, String, String), u32>,
}

impl View {
    /// The view after all of `records`.
    #[must_use]
    pub fn of(records: &[Record]) -> Self {
        let mut view = Self::default();
        for record in records {
            view.apply(record);
        }
        view
    }

    /// Takes one more record.
    pub fn apply(&mut self, record: &Record) {
        match &record.what {
            What::Wire(message) => self.wires.see_engine(message),
            What::UserWire(message) => self.wires.see_any(message),
            What::ApiWire(message) => self.wires.see_client(message),
            What::DockerUser(user) => self.docker.own.clone_from(&user.context),
            What::DockerFile(file) => self.docker.see(file, record.seq),
            What::Truth(state) => {
                self.names.see(state);
                self.truth = state.clone();
            }
            What::Named { id, name } => self.names.give(id, name),
            What::Engine(EngineEvent { object, action, id, .. }) => {
                // Behind the colon is what an exec or a health check did.
                let action = action.split(':').next().unwrap_or_default();
                let key = (object.clone(), action.to_owned(), id.clone());
                *self.events.entry(key).or_default() += 1;
            }
            What::Api(change) => self.objects.apply_change(change),
            What::Listed { resource, version, objects } => {
                self.objects.apply_list(resource, *version, objects);
            }
            What::UserWrite(write) => self.requests.see(write),
            What::LogClient(client) => self.logs.see(client),
            What::Footprint(footprint) => {
                self.logs.before.get_or_insert_with(|| footprint.clone());
            }
            What::Process { name, state: ProcessState::Died { exit }, .. } => {
                self.ended.push((name.clone(), exit.clone()));
            }
            What::Process { name, state: ProcessState::Started, .. } if name == "daemon" => {
                self.docker.see_start();
            }
            What::Process { .. }
            | What::Run(_)
            | What::Endpoint { .. }
            | What::UserCommand(_)
            | What::Review(_)
            | What::Log { .. }
            | What::CommandBegan { .. }
            | What::Facts { .. }
            | What::LogTruth(_)
            | What::LogCrowd(_)
            | What::Announced { .. }
            | What::StepBegan { .. }
            | What::StepDone { .. }
            | What::StepFailed { .. }
            | What::WatchLost { .. }
            | What::Command(_)
            | What::Checkpoint { .. }
            | What::Leak { .. }
            | What::Note { .. }
            | What::Ended => {}
        }
    }

    /// Whether whoever waited for the message at a gate waits no longer.
    #[must_use]
    pub fn was_given_up(&self, gate: &GateName) -> bool {
        self.wires.given_up.contains(&gate.0)
    }

    /// Whether a rule of a wire has done something to a message.
    #[must_use]
    pub fn has_happened(&self, rule: &str) -> bool {
        self.wires.happened.contains(rule)
    }

    /// How often clients have sent a request to the daemon's API by way of the wire before it.
    #[must_use]
    pub fn client_requests(&self) -> usize {
        self.wires.client_requests
    }

    /// The docker command's current context; empty if none is named.
    #[must_use]
    pub fn current_context(&self) -> &str {
        &self.docker.current
    }

    /// Whether the running daemon has a file beside the docker command's configuration that it shall
    /// put in its place.
    #[must_use]
    pub fn config_is_being_written(&self) -> bool {
        self.docker.is_being_written()
    }

    /// Whether nothing of the daemon's is in the docker command's configuration: neither its context,
    /// nor that context as the current one, nor a file beside it.
    #[must_use]
    pub fn config_is_cleared(&self) -> bool {
        self.docker.is_cleared()
    }

    /// Files beside the docker command's configuration that no user has put there, each with the
    /// number of the record that told of it first.
    pub(crate) fn strays(&self) -> impl Iterator<Item = (&str, u64)> {
        self.docker.strays.iter().map(|(path, stray)| (path.as_str(), stray.since))
    }

    /// The name of a context; [`OURS`] stands for the daemon's.
    #[must_use]
    pub fn context_named<'a>(&'a self, name: &'a str) -> &'a str {
        if name == OURS { &self.docker.own } else { name }
    }

    /// What the engine holds.
    #[must_use]
    pub fn truth(&self) -> &EngineState {
        &self.truth
    }

    /// How many of these events the engine has sent since the run began.
    #[must_use]
    pub fn engine_events(&self, of: &EngineEventMatch) -> u32 {
        let is_meant = |id: &String| {
            of.of.as_ref().is_none_or(|name| id == name || self.names.get(id) == Some(name))
        };
        let sent = self.events.iter().filter(|((object, action, id), _)| {
            *object == of.r#type && *action == of.action && is_meant(id)
        });
        sent.map(|(_, times)| times).sum()
    }

    /// Mirrors of all kinds, in the order of kind and name.
    #[must_use]
    pub fn mirrors(&self) -> Vec<Mirror> {
        self.objects.mirrors().collect()
    }

    /// The mirror that an object of a resource is, by its `NAMESPACE/NAME`.
    pub(crate) fn mirror(&self, resource: &str, key: &str) -> Option<Mirror> {
        self.objects.mirror(resource, key)
    }

    /// Whether mirrors must be there at all: there is an App, and it wants to run on moby.
    #[must_use]
    pub fn wants_mirrors(&self) -> bool {
        self.app().is_some_and(|app| app.wants_mirrors())
    }

    /// Whether the App says that no mirror must be there. Without an App, nothing says so: a history
    /// has none before the first list.
    #[must_use]
    pub(crate) fn wants_no_mirrors(&self) -> bool {
        self.app().is_some_and(|app| !app.wants_mirrors())
    }

    /// The mirrors that must be there.
    #[must_use]
    pub fn expected(&self) -> BTreeMap<MirrorKey, BTreeMap<String, String>> {
        if self.wants_mirrors() { expected(&self.truth) } else { BTreeMap::new() }
    }

    /// Every difference between mirrors that must be and those that are.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        compare(&self.expected(), &self.mirrors())
    }

    /// The object of a resource by its name; the first one, if several namespaces have it.
    #[must_use]
    pub fn object(&self, resource: &str, name: &str) -> Option<&Value> {
        self.objects.named(resource, name)
    }

    /// Every object of a resource, as `NAMESPACE/NAME`.
    pub fn names(&self, resource: &str) -> impl Iterator<Item = &str> {
        let objects = self.objects.of_kind(resource);
        objects.into_iter().flat_map(|(_, objects)| objects.keys()).map(String::as_str)
    }

    /// The object of a mirror, if there is one.
    #[must_use]
    pub fn mirror_object(&self, mirror: &MirrorRef) -> Option<(&str, &Value)> {
        let is =
            |object: &Value, pointer: &str, wanted: &str| text(object, pointer) == Some(wanted);
        let untagged = |object: &Value| text(object, "/status/repoTag").is_none_or(str::is_empty);
        let resource = match mirror {
            MirrorRef::Container(_) => "containers",
            MirrorRef::Tag(_) | MirrorRef::Dangling(_) => "images",
            MirrorRef::Volume(_) => "volumes",
        };
        let fits = |object: &&Value| match mirror {
            MirrorRef::Container(name) | MirrorRef::Volume(name) => {
                is(object, "/status/name", name)
            }
            MirrorRef::Tag(tag) => is(object, "/status/repoTag", tag),
            MirrorRef::Dangling(alias) => {
                let id = text(object, "/status/id");
                untagged(object) && id.and_then(|id| self.names.get(id)) == Some(alias)
            }
        };
        let (name, objects) = self.objects.of_kind(resource)?;
        Some((name, objects.values().find(fits)?))
    }

    /// What users have asked the daemon's API for, and what is not there yet.
    #[must_use]
    pub fn pending(&self) -> Vec<String> {
        self.requests.pending(&self.objects, &self.truth)
    }

    /// The App, if there is one.
    #[must_use]
    pub fn app(&self) -> Option<AppView> {
        self.object("apps", "app").map(AppView::read)
    }

    /// Requests that the engine has not answered to the end, except for streams without an end.
    #[must_use]
    pub fn in_flight(&self) -> Vec<&str> {
        self.wires.in_flight().collect()
    }

    /// How many streams of logs the daemon has open on the engine.
    #[must_use]
    pub fn log_streams(&self) -> usize {
        self.wires.log_streams()
    }

    /// Clients of the log passthrough, by name.
    #[must_use]
    pub fn log_clients(&self) -> &BTreeMap<String, LogState> {
        &self.logs.clients
    }

    /// What the daemon held before the first client of its log passthrough came, if one did.
    #[must_use]
    pub fn footprint_before(&self) -> Option<&Footprint> {
        self.logs.before.as_ref()
    }

    /// Gates between daemon and engine that hold a message now.
    #[must_use]
    pub fn held(&self) -> &BTreeSet<String> {
        &self.wires.held
    }

    /// The alias that the scenario gave an image, as its label says, in the engine or its mirror.
    #[must_use]
    pub fn image_alias(&self, id: &str) -> Option<String> {
        self.names.get(id).cloned()
    }

    /// The text with the scenario's names, as `<name>`, for IDs that are in it in full or short.
    #[must_use]
    pub fn named(&self, text: &str) -> String {
        self.names.put_into(text)
    }

    /// Processes that ended by themselves: their part in the world, and how.
    #[must_use]
    pub fn ended(&self) -> &[(String, Exit)] {
        &self.ended
    }
}
