//! The state that a prefix of the history implies. Live waits and oracles read the same view.

mod docker;
mod logs;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::docker::Docker;
pub use self::logs::LogState;
use self::logs::Logs;
use crate::canon::IMAGE_LABEL;
use crate::mirror::short;
use crate::pending::Wishes;
use crate::record::{Change, ProcessState, WireMessage, WireWhat};
use crate::{
    ApiChange, EngineState, Footprint, GateName, Mirror, MirrorKey, MirrorRef, OURS, Record, What,
    compare, expected,
};

/// What the daemon marks its mirrors with (contract 3.6).
pub(crate) const MIRROR_FINALIZER: &str = "engine.rancherdesktop.io/mirror";

/// The route of the engine's logs.
pub(crate) const LOGS: &str = "/containers/{id}/logs";

/// Folds records, in order, into what is known after them.
#[derive(Clone, Debug, Default)]
pub struct View {
    objects: BTreeMap<String, BTreeMap<String, Value>>,
    listed_at: BTreeMap<String, u64>,
    changes: BTreeMap<String, BTreeMap<String, (u64, Option<Value>)>>,
    truth: EngineState,
    open_exchanges: BTreeMap<u64, Exchange>,
    held: BTreeSet<String>,
    ended: Vec<(String, String)>,
    wishes: Wishes,
    aliases: BTreeMap<String, String>,
    given_up: BTreeSet<String>,
    docker: Docker,
    logs: Logs,
    client_requests: usize,
    happened: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Exchange {
    connection: u64,
    request: String,
    endless: bool,
    is_log: bool,
}

/// What the App says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppView {
    /// `metadata.generation`.
    pub generation: i64,
    /// `spec.running`.
    pub wants_running: bool,
    /// `spec.containerEngine.name`.
    pub engine: String,
    conditions: BTreeMap<String, Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    status: String,
    reason: String,
    message: String,
    observed_generation: i64,
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
            What::Wire(message) => self.apply_wire(message),
            What::UserWire(message) => self.apply_any_wire(message),
            What::ApiWire(message) => {
                self.client_requests +=
                    usize::from(matches!(message.event, WireWhat::Request { .. }));
                self.apply_any_wire(message);
            }
            What::DockerUser(user) => self.docker.own.clone_from(&user.context),
            What::DockerFile(file) => self.docker.see(file, record.seq),
            What::Truth(state) => {
                self.name_objects(state);
                self.truth = state.clone();
            }
            What::Api(change) => self.apply_change(change),
            What::Listed { resource, version, objects } => {
                self.apply_list(resource, *version, objects);
            }
            What::UserWrite(write) => {
                self.wishes.see(write);
            }
            What::LogClient(client) => self.logs.see(client),
            What::Footprint(footprint) => {
                self.logs.before.get_or_insert_with(|| footprint.clone());
            }
            What::Process { name, state: ProcessState::Died { how }, .. } => {
                self.ended.push((name.clone(), how.clone()));
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
            | What::Engine(_)
            | What::WatchLost { .. }
            | What::Command(_)
            | What::Checkpoint { .. }
            | What::Leak { .. }
            | What::Note { .. }
            | What::Ended => {}
        }
    }

    /// Remembers names beyond an object's life: a stale mirror is still called by its own.
    fn name_objects(&mut self, state: &EngineState) {
        for (id, container) in &state.containers {
            self.aliases.insert(id.clone(), container.name.clone());
        }
        for (id, image) in &state.images {
            if let Some(alias) = image.labels.get(IMAGE_LABEL) {
                self.aliases.insert(id.clone(), alias.clone());
            }
        }
    }

    fn apply_change(&mut self, change: &ApiChange) {
        let listed_at = self.listed_at.get(&change.resource).copied().unwrap_or_default();
        let version = version(&change.object);
        if version <= listed_at {
            return; // The list already had it.
        }
        let kept = (change.change != Change::Deleted).then(|| change.object.clone());
        let key = object_key(&change.object);
        let objects = self.objects.entry(change.resource.clone()).or_default();
        match &kept {
            Some(object) => objects.insert(key.clone(), object.clone()),
            None => objects.remove(&key),
        };
        let changes = self.changes.entry(change.resource.clone()).or_default();
        changes.insert(key, (version, kept));
    }

    /// A list replaces what is known, but for changes that are younger than it.
    fn apply_list(&mut self, resource: &str, version: u64, objects: &[Value]) {
        let mut listed: BTreeMap<_, _> =
            objects.iter().map(|object| (object_key(object), object.clone())).collect();
        let changes = self.changes.entry(resource.to_owned()).or_default();
        changes.retain(|_, (changed_at, _)| *changed_at > version && *changed_at < u64::MAX);
        for (key, (_, kept)) in changes {
            match kept {
                Some(object) => listed.insert(key.clone(), object.clone()),
                None => listed.remove(key),
            };
        }
        self.listed_at.insert(resource.to_owned(), version);
        self.objects.insert(resource.to_owned(), listed);
    }

    /// What tells the same on each wire.
    fn apply_any_wire(&mut self, message: &WireMessage) {
        if let WireWhat::Abandoned { gate } = &message.event {
            self.given_up.insert(gate.clone());
        }
        if let WireWhat::Faulted { rule, .. } = &message.event {
            self.happened.insert(rule.clone());
        }
    }

    fn apply_wire(&mut self, message: &WireMessage) {
        self.apply_any_wire(message);
        match &message.event {
            WireWhat::Request { method, target, route, .. } => {
                let endless =
                    matches!(route.as_deref(), Some("/events" | LOGS | "/containers/{id}/attach"));
                let is_log = route.as_deref() == Some(LOGS);
                let request = format!("{method} {target}");
                let connection = message.connection;
                self.open_exchanges
                    .insert(message.exchange, Exchange { connection, request, endless, is_log });
            }
            WireWhat::Held { gate, .. } => {
                self.held.insert(gate.clone());
            }
            WireWhat::Released { gate } | WireWhat::Abandoned { gate } => {
                self.held.remove(gate);
            }
            WireWhat::Finished { .. }
            | WireWhat::Cut
            | WireWhat::UpstreamLost { .. }
            | WireWhat::Malformed { .. } => {
                self.open_exchanges.remove(&message.exchange);
            }
            WireWhat::Upgraded => {
                if let Some(exchange) = self.open_exchanges.get_mut(&message.exchange) {
                    exchange.endless = true;
                }
            }
            WireWhat::Closed => {
                self.open_exchanges.retain(|_, open| open.connection != message.connection);
            }
            WireWhat::Opened
            | WireWhat::Response { .. }
            | WireWhat::Frame { .. }
            | WireWhat::Faulted { .. }
            | WireWhat::Refused => {}
        }
    }

    /// Whether whoever waited for the message at a gate waits no longer.
    #[must_use]
    pub fn was_given_up(&self, gate: &GateName) -> bool {
        self.given_up.contains(&gate.0)
    }

    /// Whether a rule of a wire has done something to a message.
    #[must_use]
    pub fn has_happened(&self, rule: &str) -> bool {
        self.happened.contains(rule)
    }

    /// How often clients have asked the daemon's API for something by way of the wire before it.
    #[must_use]
    pub fn client_requests(&self) -> usize {
        self.client_requests
    }

    /// The docker command's current context; empty where none is named.
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
    /// nor its being the current one, nor a file beside it.
    #[must_use]
    pub fn config_is_cleared(&self) -> bool {
        self.docker.is_cleared()
    }

    /// Files beside the docker command's configuration that no user has put there, each with the
    /// number of the record that told of it first.
    pub(crate) fn strays(&self) -> impl Iterator<Item = (&str, u64)> {
        self.docker.strays.iter().map(|(path, stray)| (path.as_str(), stray.since))
    }

    /// The name of a context, where [`OURS`] stands for the daemon's.
    #[must_use]
    pub fn context_named<'a>(&'a self, name: &'a str) -> &'a str {
        if name == OURS { &self.docker.own } else { name }
    }

    /// What the engine holds.
    #[must_use]
    pub fn truth(&self) -> &EngineState {
        &self.truth
    }

    /// Mirrors of all kinds, in the order of kind and name.
    #[must_use]
    pub fn mirrors(&self) -> Vec<Mirror> {
        self.objects
            .iter()
            .flat_map(|(resource, objects)| {
                objects.values().filter_map(|object| Mirror::read(resource, object))
            })
            .collect()
    }

    /// The mirror that an object of a resource is, by its `NAMESPACE/NAME`.
    pub(crate) fn mirror(&self, resource: &str, key: &str) -> Option<Mirror> {
        Mirror::read(resource, self.objects.get(resource)?.get(key)?)
    }

    /// Mirrors must be there at all: the App wants to run on moby (contract 4.6).
    #[must_use]
    pub fn wants_mirrors(&self) -> bool {
        self.app().is_some_and(|app| app.wants_running && app.engine == "moby")
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

    /// The object of a resource by its name; the first one, where several namespaces have it.
    #[must_use]
    pub fn object(&self, resource: &str, name: &str) -> Option<&Value> {
        self.objects
            .get(resource)?
            .values()
            .find(|object| object.pointer("/metadata/name").and_then(Value::as_str) == Some(name))
    }

    /// Every object of a resource, as `NAMESPACE/NAME`.
    pub fn names(&self, resource: &str) -> impl Iterator<Item = &str> {
        self.objects.get(resource).into_iter().flat_map(BTreeMap::keys).map(String::as_str)
    }

    /// The object of a mirror, where there is one.
    #[must_use]
    pub fn mirror_object(&self, mirror: &MirrorRef) -> Option<(&str, &Value)> {
        let is = |object: &Value, pointer: &str, wanted: &str| {
            object.pointer(pointer).and_then(Value::as_str) == Some(wanted)
        };
        let untagged = |object: &Value| {
            object.pointer("/status/repoTag").and_then(Value::as_str).is_none_or(str::is_empty)
        };
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
                untagged(object)
                    && object
                        .pointer("/status/id")
                        .and_then(Value::as_str)
                        .and_then(|id| self.aliases.get(id))
                        == Some(alias)
            }
        };
        let (name, objects) = self.objects.get_key_value(resource)?;
        Some((name.as_str(), objects.values().find(fits)?))
    }

    /// The object with this UID.
    pub(crate) fn object_by_uid(&self, uid: &str) -> Option<&Value> {
        let mut objects = self.objects.values().flat_map(BTreeMap::values);
        objects.find(|object| object.pointer("/metadata/uid").and_then(Value::as_str) == Some(uid))
    }

    /// What users have asked the daemon's API for, and what is not there yet.
    #[must_use]
    pub fn pending(&self) -> Vec<String> {
        self.wishes.pending(self)
    }

    /// The App, where there is one.
    #[must_use]
    pub fn app(&self) -> Option<AppView> {
        self.object("apps", "app").map(AppView::read)
    }

    /// Requests that the engine has not answered to the end, but for streams without an end.
    #[must_use]
    pub fn in_flight(&self) -> Vec<&str> {
        self.open_exchanges
            .values()
            .filter(|exchange| !exchange.endless)
            .map(|exchange| exchange.request.as_str())
            .collect()
    }

    /// The engine's streams of logs that the daemon has open.
    #[must_use]
    pub fn log_streams(&self) -> usize {
        self.open_exchanges.values().filter(|exchange| exchange.is_log).count()
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

    /// Gates at which a message stands now.
    #[must_use]
    pub fn held(&self) -> &BTreeSet<String> {
        &self.held
    }

    /// The alias that the scenario gave an image, as its label says, in the engine or its mirror.
    #[must_use]
    pub fn image_alias(&self, id: &str) -> Option<String> {
        self.aliases.get(id).cloned()
    }

    /// The text with the scenario's names, as `<name>`, for IDs that stand in it in full or short.
    #[must_use]
    pub fn named(&self, text: &str) -> String {
        let short_names = self.aliases.iter().map(|(id, name)| (short(id), name));
        short_names.fold(text.to_owned(), |text, (short, name)| replace_id(&text, short, name))
    }

    /// Processes that ended by themselves: their part in the world, and how.
    #[must_use]
    pub fn ended(&self) -> &[(String, String)] {
        &self.ended
    }
}

/// Puts `<name>` for an ID that begins with `short`, wherever it stands.
fn replace_id(text: &str, short: &str, name: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some(at) = rest.find(short) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(from.len());
        out.push_str(before);
        out.push('<');
        out.push_str(name);
        out.push('>');
        rest = &from[end..];
    }
    out.push_str(rest);
    out
}

/// Resource versions of one server are comparable numbers (contract 3.1: kine counts revisions).
fn version(object: &Value) -> u64 {
    object_version(object).unwrap_or(u64::MAX)
}

/// The version of the write that gave an object this state, where it says so.
pub(crate) fn object_version(object: &Value) -> Option<u64> {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str)?.parse().ok()
}

pub(crate) fn object_key(object: &Value) -> String {
    let part = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}", part("/metadata/namespace"), part("/metadata/name"))
}

impl AppView {
    /// Reads an App object.
    #[must_use]
    pub fn read(object: &Value) -> Self {
        let conditions = object
            .pointer("/status/conditions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|condition| {
                let text = |key: &str| {
                    condition.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
                };
                let observed_generation =
                    condition.get("observedGeneration").and_then(Value::as_i64).unwrap_or_default();
                (
                    text("type"),
                    Condition {
                        status: text("status"),
                        reason: text("reason"),
                        message: text("message"),
                        observed_generation,
                    },
                )
            })
            .collect();
        let engine = object.pointer("/spec/containerEngine/name").and_then(Value::as_str);
        Self {
            generation: object
                .pointer("/metadata/generation")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            wants_running: object
                .pointer("/spec/running")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            engine: engine.unwrap_or("moby").to_owned(),
            conditions,
        }
    }

    /// The condition has this status, and was stamped at the App's present generation.
    #[must_use]
    pub fn holds(&self, kind: &str, status: &str) -> bool {
        self.conditions.get(kind).is_some_and(|condition| {
            condition.status == status && condition.observed_generation >= self.generation
        })
    }

    /// Status and reason of a condition, whatever its generation.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<(&str, &str)> {
        self.conditions
            .get(kind)
            .map(|condition| (condition.status.as_str(), condition.reason.as_str()))
    }

    /// A condition as a line of text, such as `Settled=False (EngineStale) at generation 2 of 3`.
    #[must_use]
    pub fn describe(&self, kind: &str) -> String {
        match self.conditions.get(kind) {
            None => format!("{kind} is not there"),
            Some(condition) => format!(
                "{kind}={} ({}) at generation {} of {}: {}",
                condition.status,
                condition.reason,
                condition.observed_generation,
                self.generation,
                condition.message
            ),
        }
    }
}
