//! The complete state after some records.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::activity::Activity;
use super::app::AppView;
use super::docker::DockerConfig;
use super::logs::{LogExchange, LogState, Logs};
use super::names::Names;
use super::objects::{Objects, text};
use super::requests::Requests;
use super::silent_changes::SilentChanges;
use super::takeover::Takeover;
use super::told::Told;
use super::vm_delays::VmDelays;
use super::wire::Wires;
use crate::mirror::{Mirror, MirrorKey, compare_with, expected};
use crate::record::{EngineEvent, EngineState, Exit, Footprint, ProcessState, Record, What};
use crate::scenario::{EngineEventMatch, GateName, MirrorRef, OURS, Step, WaitStep};
use crate::steps::Steps;

/// The state after the records that were applied, in order.
#[derive(Clone, Debug, Default)]
pub struct View {
    objects: Objects,
    truth: EngineState,
    names: Names,
    wires: Wires,
    /// Processes that ended by themselves.
    ended: Vec<(String, Exit)>,
    requests: Requests,
    docker: DockerConfig,
    takeover: Takeover,
    told: Told,
    silent_changes: SilentChanges,
    vm_delays: VmDelays,
    /// The steps of the run's scenario.
    steps: Arc<[Step]>,
    /// The index of the step that began last.
    step: usize,
    logs: Logs,
    /// How many events of each type, action and object the engine has sent.
    events: BTreeMap<(String, String, String), u32>,
    activity: Activity,
}

impl View {
    /// The view after all of `records`.
    #[must_use]
    pub fn from_records(records: &[Record]) -> Self {
        let mut view = Self::default();
        for record in records {
            view.apply(record);
        }
        view
    }

    /// Applies the next record.
    pub fn apply(&mut self, record: &Record) {
        self.activity.apply(record);
        let steps = self.steps.clone();
        let begun = Steps::new(&steps).begun(record);
        self.wires.user_commands.apply(record, Steps::new(&steps));
        self.apply_to_tolerances(record, begun);
        match &record.what {
            What::StepBegan { index } => self.step = *index,
            What::Run(header) => self.steps = header.scenario.steps.clone().into(),
            What::Wire(message) => {
                self.wires.apply_engine_message(message);
                self.logs.apply_wire(message, record.seq);
            }
            What::UserWire(message) | What::KubernetesWire(message) => {
                self.wires.apply_any_message(message);
            }
            What::ApiWire(message) => self.wires.apply_client_message(message),
            What::DockerUser(user) => self.docker.own.clone_from(&user.context),
            What::DockerFile(file) => self.docker.apply(file, record.seq),
            What::Truth(state) => {
                self.names.apply(state);
                self.truth = state.clone();
            }
            What::Named { id, name } => self.names.give(id, name),
            What::Engine(event) => self.count(event),
            What::Api(change) => self.objects.apply_change(change),
            What::Listed { resource, version, objects } => {
                self.objects.apply_list(resource, *version, objects);
            }
            What::UserWrite(write) => self.requests.apply(write),
            What::LogClient(client) => self.logs.apply(client, record.seq),
            What::Footprint(footprint) => self.logs.measured(footprint),
            What::Process { name, state: ProcessState::Died { exit }, .. } => {
                self.ended.push((name.clone(), exit.clone()));
            }
            What::Process { name, state: ProcessState::Started, .. } if name == "daemon" => {
                self.docker.daemon_started();
            }
            // Listed one by one: whoever adds a kind of record must decide whether it changes the view.
            What::Process { .. }
            | What::VmProcess(_)
            | What::VmFiles(_)
            | What::WslCall(_)
            | What::Endpoint { .. }
            | What::Kubernetes { .. }
            | What::Kubeconfig(_)
            | What::UserCommand(_)
            | What::Review(_)
            | What::Log { .. }
            | What::CommandBegan { .. }
            | What::Facts { .. }
            | What::Unmade { .. }
            | What::NotApplicable { .. }
            | What::LogSent(_)
            | What::LogTruth(_)
            | What::LogCrowd(_)
            | What::Announced { .. }
            | What::StepDone { .. }
            | What::StepFailed { .. }
            | What::WatchLost { .. }
            | What::Command(_)
            | What::Checkpoint { .. }
            | What::Leak { .. }
            | What::Turn { .. }
            | What::Note { .. }
            | What::Ending
            | What::Ended => {}
        }
    }

    /// Applies the next record to what decides how much the daemon owes.
    fn apply_to_tolerances(&mut self, record: &Record, begun: Option<&Step>) {
        self.takeover.apply(record, begun);
        self.told.apply(record, begun);
        self.silent_changes.apply(record);
        self.vm_delays.apply(record);
    }

    fn count(&mut self, event: &EngineEvent) {
        // Behind the colon is what an exec or a health check did.
        let action = event.action.split(':').next().unwrap_or_default();
        let key = (event.object.clone(), action.to_owned(), event.id.clone());
        *self.events.entry(key).or_default() += 1;
    }

    /// When the last record came, in microseconds since the history began.
    #[must_use]
    pub fn last_us(&self) -> u64 {
        self.activity.last_us
    }

    /// When the last record came that shows more than a look: lists and pings that the engine answers
    /// and lists of the harness change nothing.
    #[must_use]
    pub fn last_effect_us(&self) -> u64 {
        self.activity.last_effect_us
    }

    /// Whether the daemon's process has ended by itself and was not started again.
    #[must_use]
    pub fn has_daemon_died(&self) -> bool {
        self.activity.daemon_died
    }

    /// Whether somebody other than the daemon decides how long something goes on: a command runs in the
    /// background, a write waits at a gate, or the engine works on a request.
    #[must_use]
    pub fn waits_for_others(&self) -> bool {
        self.activity.has_client() || self.wires.is_working()
    }

    /// Whether the receiver of the message at a gate stopped waiting for it.
    #[must_use]
    pub fn was_given_up(&self, gate: &GateName) -> bool {
        self.wires.abandoned.contains(&gate.0)
    }

    /// Whether a rule of a wire has changed a message.
    #[must_use]
    pub fn has_happened(&self, rule: &str) -> bool {
        self.wires.applied_rules.contains(rule)
    }

    /// Number of requests that clients have sent to the daemon's API through its wire.
    #[must_use]
    pub fn client_requests(&self) -> usize {
        self.wires.client_requests
    }

    /// The docker command's current context; empty if none is named.
    #[must_use]
    pub fn current_context(&self) -> &str {
        &self.docker.current
    }

    /// Whether a file exists beside the docker command's configuration by which the running daemon is
    /// going to replace it.
    #[must_use]
    pub fn config_is_being_written(&self) -> bool {
        self.docker.is_being_written()
    }

    /// Whether the docker command's configuration contains nothing of the daemon: not its context, not
    /// that context as the current one, and no file beside it.
    #[must_use]
    pub fn config_is_cleared(&self) -> bool {
        self.docker.is_cleared()
    }

    /// Why the daemon, which is connected, must have made its own context the docker command's current
    /// one by now; `None` if it need not, or has.
    #[must_use]
    pub fn takeover_due(&self) -> Option<String> {
        let app = self.app()?;
        let ready = app.condition("ContainerEngineReady");
        if !app.wants_mirrors() || ready != Some(("True", "Connected")) {
            return None;
        }
        self.takeover.due()
    }

    /// Files beside the docker command's configuration that no user put there, each with the number of
    /// the first record that shows it.
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

    /// The object of a resource with this `NAMESPACE/NAME`, as a mirror.
    pub(crate) fn mirror(&self, resource: &str, key: &str) -> Option<Mirror> {
        self.objects.mirror(resource, key)
    }

    /// Whether the daemon must have mirrors at all: there is an App, and it wants to run on moby.
    #[must_use]
    pub fn wants_mirrors(&self) -> bool {
        self.app().is_some_and(|app| app.wants_mirrors())
    }

    /// Whether there is an App whose desired state allows no mirrors. This is not the opposite of
    /// [`wants_mirrors`](Self::wants_mirrors): before the first list, a history has no App.
    #[must_use]
    pub(crate) fn wants_no_mirrors(&self) -> bool {
        self.app().is_some_and(|app| !app.wants_mirrors())
    }

    /// Whether the App says that its VM does not run.
    pub(crate) fn is_vm_down(&self) -> bool {
        let app = self.app();
        let running = app.as_ref().and_then(|app| app.condition("Running"));
        running.is_some_and(|(status, _)| status != "True")
    }

    /// The mirrors that the API must have.
    #[must_use]
    pub fn expected(&self) -> BTreeMap<MirrorKey, BTreeMap<String, String>> {
        if self.wants_mirrors() { expected(&self.truth) } else { BTreeMap::new() }
    }

    /// Every difference between the mirrors that the API must have and those that it has.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        self.compare(&self.expected(), &self.mirrors())
    }

    /// Every difference between these mirrors. Where a rule of the scenario rewrites what the daemon
    /// reads, the rewritten value is right as well; where the engine has changed something without an
    /// event, the older value is. What a rule has told the daemon to be missing may have no mirror.
    pub(crate) fn compare(
        &self,
        wanted: &BTreeMap<MirrorKey, BTreeMap<String, String>>,
        seen: &[Mirror],
    ) -> Vec<String> {
        let is_mirrored = |key: &MirrorKey| seen.iter().any(|mirror| mirror.key == *key);
        let mut owed = Cow::Borrowed(wanted);
        if wanted.keys().any(|key| self.told.is_missing(key)) {
            owed.to_mut().retain(|key, _| !self.told.is_missing(key) || is_mirrored(key));
        }
        compare_with(&owed, seen, |key, field, seen| {
            self.told.has(key, field, seen, &self.names)
                || self.silent_changes.allow(key, field, seen)
        })
    }

    /// Whether a rule has told the daemon that the engine does not have the object of this mirror.
    #[must_use]
    pub fn is_told_missing(&self, key: &MirrorKey) -> bool {
        self.told.is_missing(key)
    }

    /// How long the daemon may take for what it does with a VM in this step, because a process of the VM was
    /// frozen or a call of `wsl.exe` did not end; zero if nothing has kept it.
    #[must_use]
    pub fn vm_bound(&self) -> Duration {
        self.vm_delays.longest()
    }

    /// Whether a later step of the scenario than the one that began last settles.
    #[must_use]
    pub fn settles_again(&self) -> bool {
        let mut later = self.steps.iter().skip(self.step + 1);
        later.any(|step| matches!(step, Step::Wait(WaitStep::Settle)))
    }

    /// The object of a resource with this name; the first one, if several namespaces have one.
    #[must_use]
    pub fn object(&self, resource: &str, name: &str) -> Option<&Value> {
        self.objects.named(resource, name)
    }

    /// The `NAMESPACE/NAME` of every object of a resource.
    pub fn names(&self, resource: &str) -> impl Iterator<Item = &str> {
        let objects = self.objects.of_kind(resource);
        objects.into_iter().flat_map(|(_, objects)| objects.keys()).map(String::as_str)
    }

    /// Every object of a resource.
    pub(crate) fn objects(&self, resource: &str) -> impl Iterator<Item = &Value> {
        let objects = self.objects.of_kind(resource);
        objects.into_iter().flat_map(|(_, objects)| objects.values())
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
            // A dangling image has no tag to recognise it by, so its ID is looked up.
            MirrorRef::Dangling(alias) => {
                let id = text(object, "/status/id");
                untagged(object) && id.and_then(|id| self.names.get(id)) == Some(alias)
            }
        };
        let (name, objects) = self.objects.of_kind(resource)?;
        Some((name, objects.values().find(fits)?))
    }

    /// Descriptions of users' requests to the daemon's API that the daemon has not carried out yet.
    #[must_use]
    pub fn pending(&self) -> Vec<String> {
        self.requests.pending(&self.objects, &self.truth)
    }

    /// The App, if there is one.
    #[must_use]
    pub fn app(&self) -> Option<AppView> {
        self.object("apps", "app").map(AppView::read)
    }

    /// Requests to the engine without a complete response, except for streams without an end.
    #[must_use]
    pub fn in_flight(&self) -> Vec<&str> {
        self.wires.in_flight().collect()
    }

    /// Number of log streams that the daemon has open on the engine.
    #[must_use]
    pub fn log_streams(&self) -> usize {
        self.wires.log_streams()
    }

    /// Clients of the log passthrough, by name.
    #[must_use]
    pub fn log_clients(&self) -> &BTreeMap<String, LogState> {
        &self.logs.clients
    }

    /// The exchanges between daemon and engine that may be for this client of the log passthrough, in
    /// their order: the daemon asked for the log that the client asked for, and as the client did.
    #[must_use]
    pub fn log_exchanges(&self, client: &str) -> Vec<u64> {
        self.logs.exchanges_for(client).map(|(exchange, _)| exchange).collect()
    }

    /// What is known of an exchange about a log.
    #[must_use]
    pub fn log_exchange(&self, exchange: u64) -> Option<&LogExchange> {
        self.logs.exchanges.get(&exchange)
    }

    /// The daemon's footprint before the first client of its log passthrough connected, if one did.
    #[must_use]
    pub fn footprint_before(&self) -> Option<&Footprint> {
        self.logs.before.as_ref()
    }

    /// Gates between daemon and engine that hold a message now.
    #[must_use]
    pub fn held(&self) -> &BTreeSet<String> {
        &self.wires.held
    }

    /// The scenario's name for a container or an image with this ID.
    #[must_use]
    pub fn image_alias(&self, id: &str) -> Option<String> {
        self.names.get(id).cloned()
    }

    /// The text with the scenario's names, as `<name>`, instead of IDs, in full or shortened.
    #[must_use]
    pub fn named(&self, text: &str) -> String {
        self.names.replace_ids(text)
    }

    /// Processes that ended by themselves: their part in the world, and how they ended.
    #[must_use]
    pub fn ended(&self) -> &[(String, Exit)] {
        &self.ended
    }
}
