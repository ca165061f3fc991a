//! Masks records before they enter the history.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use racetrap_history::{
    CommandRun, DockerContent, DockerFile, EngineState, Exit, LogCrowdSeen, LogEvent, Needs,
    ProcessState, Record, Scenario, UserCommand, What, WireMessage, WireWhat,
};
use serde_json::{Map, Value};

use super::hits::Hits;
use super::lines::LineMasker;
use super::location::Location;
use super::masker::Masker;

/// Bytes that must be percent-encoded in a query (RFC 3986, 3.4).
const QUERY: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'%').add(b'{').add(b'}');

/// Masks the records of one history, in their order.
#[derive(Clone, Debug, Default)]
pub struct RecordMasker {
    masker: Masker,
    // Each log is a stream of its own: a private key in one must not mask lines of the other.
    log: LineMasker,
    neighbours_log: LineMasker,
    /// Required by the masker, and not used: a journal does not list what was masked.
    hits: Hits,
}

impl RecordMasker {
    /// The masker for all other files of the run, so that equal secrets have equal masks
    /// everywhere.
    pub(crate) fn masker(&self) -> &Masker {
        &self.masker
    }

    /// Masks the next record in place. Equal secrets of one history get equal masks.
    pub fn mask(&mut self, record: &mut Record) {
        match &mut record.what {
            What::Run(head) => {
                self.scenario(&mut head.scenario);
                self.text(&mut head.daemon);
                self.text(&mut head.again);
            }
            What::Facts { daemon_version, engine, controllers } => {
                self.text(daemon_version);
                self.text(engine);
                controllers.iter_mut().for_each(|controller| self.text(controller));
            }
            What::Log { text, .. } => self.log_line(record.neighbour, text),
            What::StepFailed { why: text, .. }
            | What::WatchLost { reason: text, .. }
            | What::Leak { text, .. }
            | What::Note { text }
            | What::Unmade { why: text }
            | What::NotApplicable { why: text } => self.text(text),
            What::Wire(message)
            | What::ApiWire(message)
            | What::UserWire(message)
            | What::KubernetesWire(message) => {
                self.message(message);
            }
            What::UserCommand(command) => self.user_command(command),
            // An outcome holds at most the name of a gate, which the scenario gave.
            What::Review(review) => self.text(&mut review.name),
            What::UserWrite(write) => {
                self.text(&mut write.name);
                for (pointer, value) in &mut write.fields {
                    self.field(pointer, value);
                }
            }
            What::Engine(event) => self.text(&mut event.id),
            What::Truth(state) => self.truth(state),
            What::Api(change) => self.object(&mut change.object, "api"),
            What::Listed { objects, .. } => {
                objects.iter_mut().for_each(|object| self.object(object, "listed"));
            }
            What::CommandBegan { arguments, .. } => self.arguments(arguments),
            What::Command(run) => self.command(run),
            What::Endpoint { address: Some(address), .. } => self.text(address),
            What::DockerFile(file) => self.docker_file(file),
            What::Process { state: ProcessState::Died { exit }, .. } => self.exit(exit),
            What::LogClient(client) => self.log_event(&mut client.event),
            What::LogCrowd(crowd) => self.crowd(crowd),
            What::Process { .. }
            | What::Endpoint { address: None, .. }
            // These hold only names, numbers and keyed digests.
            | What::DockerUser(_)
            | What::Kubernetes { .. }
            | What::Kubeconfig(_)
            | What::VmProcess(_)
            | What::VmFiles(_)
            | What::WslCall(_)
            | What::LogSent(_)
            | What::LogTruth(_)
            | What::Footprint(_)
            | What::Announced { .. }
            | What::Turn { .. }
            | What::Named { .. }
            | What::StepBegan { .. }
            | What::StepDone { .. }
            | What::Checkpoint { .. }
            | What::Ending
            | What::Ended => {}
        }
    }

    fn object(&mut self, object: &mut Value, place: &'static str) {
        self.masker.tree(object, &Location::named(place), &mut self.hits);
    }

    /// A secret may be spread over several lines, so each log has its own state.
    fn log_line(&mut self, neighbour: bool, text: &mut String) {
        let log = if neighbour { &mut self.neighbours_log } else { &mut self.log };
        if let Cow::Owned(masked) = log.line(text, &Location::named("log"), &mut self.hits) {
            *text = masked;
        }
    }

    fn docker_file(&mut self, file: &mut DockerFile) {
        self.docker_content(&mut file.holds);
        let link = file.attributes.as_mut().and_then(|attributes| attributes.link.as_mut());
        link.into_iter().for_each(|link| self.text(link));
    }

    /// Masks a scenario as the tree that it is in the journal. If the masked tree is no scenario, the
    /// record has none of its steps: a leaked secret is worse than a step that is missing.
    fn scenario(&mut self, scenario: &mut Scenario) {
        let mut tree = serde_json::to_value(&*scenario).unwrap_or_default();
        self.masker.tree(&mut tree, &Location::named("run"), &mut self.hits);
        *scenario = serde_json::from_value(tree).unwrap_or_else(|_| Scenario {
            finding: scenario.finding.clone(),
            about: None,
            replay: None,
            needs: Needs::default(),
            clean: None,
            steps: Vec::new(),
        });
    }

    fn exit(&mut self, exit: &mut Exit) {
        if let Exit::Unknown(why) = exit {
            self.text(why);
        }
    }

    fn command(&mut self, CommandRun { arguments, stdout, stderr, exit, .. }: &mut CommandRun) {
        self.arguments(arguments);
        self.exit(exit);
        self.text(stdout);
        self.text(stderr);
    }

    fn crowd(&mut self, crowd: &mut LogCrowdSeen) {
        self.target(&mut crowd.target);
        self.text(&mut crowd.reason);
    }

    fn user_command(&mut self, command: &mut UserCommand) {
        self.arguments(&mut command.arguments);
        if let Some(end) = &mut command.end {
            self.text(&mut end.said);
            self.exit(&mut end.exit);
        }
    }

    fn docker_content(&mut self, content: &mut DockerContent) {
        if let DockerContent::Context { host: Some(host) } = content {
            self.text(host);
        }
    }

    fn message(&mut self, message: &mut WireMessage) {
        match &mut message.event {
            WireWhat::Request { target, .. } => self.target(target),
            WireWhat::Frame { frame } => {
                self.masker.tree(frame, &Location::named("frame"), &mut self.hits);
            }
            WireWhat::Faulted { fault: text, .. }
            | WireWhat::UpstreamLost { reason: text }
            | WireWhat::Malformed { reason: text, .. } => self.text(text),
            WireWhat::Opened
            | WireWhat::Held { .. }
            | WireWhat::Released { .. }
            | WireWhat::Abandoned { .. }
            | WireWhat::Response { .. }
            | WireWhat::Finished { .. }
            | WireWhat::Upgraded
            | WireWhat::Cut
            | WireWhat::Refused
            | WireWhat::Closed => {}
        }
    }

    fn log_event(&mut self, event: &mut LogEvent) {
        match event {
            LogEvent::Asked { target, .. } => self.target(target),
            LogEvent::Answered { text, .. }
            | LogEvent::Unanswered { reason: text }
            | LogEvent::Received { text, .. }
            | LogEvent::Ended { reason: text, .. } => self.text(text),
            LogEvent::Reads | LogEvent::Left { .. } => {}
        }
    }

    /// Masks the value of the field at a JSON pointer by the name of the field.
    fn field(&mut self, pointer: &str, value: &mut Value) {
        let name = pointer.rsplit('/').next().unwrap_or_default();
        // A name announces the secret, so the masker needs an object with that name.
        let mut map = Map::new();
        map.insert(name.replace("~1", "/").replace("~0", "~"), value.take());
        let mut tree = Value::Object(map);
        self.masker.tree(&mut tree, &Location::named("write"), &mut self.hits);
        let masked = tree.as_object_mut().and_then(|map| map.values_mut().next());
        *value = masked.map(Value::take).unwrap_or_default();
    }

    fn truth(&mut self, state: &mut EngineState) {
        for container in state.containers.values_mut() {
            self.text(&mut container.name);
            self.labels(&mut container.labels);
        }
        for image in state.images.values_mut() {
            image.tags.iter_mut().for_each(|tag| self.text(tag));
            self.labels(&mut image.labels);
        }
        // The name of a volume is the key of the map, so the map is built again.
        for (mut name, mut volume) in std::mem::take(&mut state.volumes) {
            self.text(&mut name);
            self.text(&mut volume.mountpoint);
            self.labels(&mut volume.labels);
            state.volumes.insert(name, volume);
        }
    }

    fn labels(&mut self, labels: &mut BTreeMap<String, String>) {
        if labels.is_empty() {
            return;
        }
        // As JSON, so that the rules for names of fields apply to labels.
        let mut tree: Value =
            labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        self.masker.tree(&mut tree, &Location::named("truth"), &mut self.hits);
        let masked = tree.as_object().into_iter().flatten();
        *labels = masked
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
    }

    /// Masks a request target. Patterns do not match percent-encoded text, so the query is decoded
    /// for them, and encoded again only if something was masked.
    fn target(&mut self, target: &mut String) {
        let Some((path, query)) = target.split_once('?') else { return self.text(target) };
        let decoded = percent_decode_str(query).decode_utf8_lossy();
        let masked = self.masker.text(&decoded, &Location::named("target"), &mut self.hits);
        let mut path = path.to_owned();
        let query = if masked == decoded {
            query.to_owned()
        } else {
            utf8_percent_encode(&masked, QUERY).to_string()
        };
        self.text(&mut path);
        *target = format!("{path}?{query}");
    }

    fn arguments(&mut self, arguments: &mut [String]) {
        self.masker.command_line(arguments, &Location::named("arguments"), &mut self.hits);
    }

    fn text(&mut self, text: &mut String) {
        let masked = self.masker.text(text, &Location::named("text"), &mut self.hits);
        if let Cow::Owned(masked) = masked {
            *text = masked;
        }
    }
}
