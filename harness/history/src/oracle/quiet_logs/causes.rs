//! The causes that the harness knows for an error in the daemon's log.
//!
//! The harness reads the log at the end of each step, and the daemon may log an error some time after a
//! disruption. So a cause explains errors up to the end of the step in which the world becomes quiet
//! after the disruption. If the engine was lost, the cause lasts at least until the daemon has
//! subscribed to the engine's events again.

use std::collections::BTreeSet;

use crate::oracle::disruption::{Disruption, EngineRequests};
use crate::record::{
    CommandRun, DockerContent, Record, ReviewOutcome, Stage, What, WireMessage, WireWhat,
};
use crate::scenario::{ApiStep, DaemonStep, DockerStep, EngineStep, FaultStep, Step};
use crate::steps::Steps;

/// The causes that are known at one point of the history.
#[derive(Default)]
pub(super) struct KnownCauses {
    requests: EngineRequests,
    /// The worst disruption since the world was last quiet.
    disruption: Option<Disruption>,
    /// The world has been quiet since the last step began.
    quiet: bool,
    /// The engine was lost, and the daemon has not subscribed to it again.
    engine_lost: bool,
    /// When the daemon was last started or stopped.
    daemon_moved: Age,
    /// Somebody else's finalizer keeps a mirror, so a stop waits for it in vain (contract 4.6).
    mirror_kept: bool,
    /// A step was completed since the last one began.
    step_done: bool,
    /// The harness's admission has reviewed a write.
    has_reviews: bool,
    /// Files of the docker command's configuration that cannot be used.
    unusable_files: BTreeSet<String>,
    /// The disk of the docker command's configuration was full or read-only.
    disk_failed: bool,
}

/// How long ago something happened, in steps.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Age {
    #[default]
    Never,
    ThisStep,
    PreviousStep,
}

impl KnownCauses {
    /// Applies the next record of a history with these steps.
    pub(super) fn apply(&mut self, record: &Record, steps: Steps<'_>) {
        match &record.what {
            What::StepDone { .. } => self.step_done = true,
            What::Checkpoint { stage: Stage::Probed, .. } => self.quiet = true,
            What::StepBegan { .. } => {
                // Records before the first step count as a part of the first step.
                if std::mem::take(&mut self.step_done) {
                    self.next_step();
                }
                if let Some(step) = steps.begun(record) {
                    self.apply_step(step);
                }
            }
            What::Wire(message) => self.apply_message(message),
            What::Review(review) => {
                self.has_reviews = true;
                if review.outcome == ReviewOutcome::Denied {
                    self.add(Disruption::RequestFailed);
                }
            }
            What::DockerFile(file) => {
                let no_endpoint = DockerContent::Context { host: None };
                if file.holds.is_broken() || file.holds == no_endpoint {
                    self.unusable_files.insert(file.path.clone());
                }
            }
            What::Process { name, .. } if name == "engine" => self.add(Disruption::EngineLost),
            What::Process { name, .. } if name == "daemon" => self.daemon_moves(),
            What::Command(CommandRun { arguments, .. }) if moves_daemon(arguments) => {
                self.daemon_moves();
            }
            _ => {}
        }
    }

    /// Applies a step that disrupts the daemon although the wire reports nothing, or reports it only
    /// after the daemon has logged the error.
    fn apply_step(&mut self, step: &Step) {
        match step {
            Step::Api(ApiStep::Keep(_)) => self.mirror_kept = true,
            Step::Api(ApiStep::LetGo(_)) if std::mem::take(&mut self.mirror_kept) => {
                self.add(Disruption::RequestFailed);
            }
            // A half-open stream ends when its fault is lifted; the wire may report that later.
            Step::Fault(FaultStep::Lift(_)) => self.add(Disruption::RequestFailed),
            Step::Docker(DockerStep::Disk(_)) => self.disk_failed = true,
            Step::Engine(EngineStep::Process(_) | EngineStep::Guest(_))
            | Step::Daemon(DaemonStep::Process(_))
            | Step::Docker(DockerStep::Killed)
            | Step::Fault(FaultStep::ReplaceSocket | FaultStep::Cut(_) | FaultStep::Refuse) => {
                self.add(Disruption::EngineLost);
            }
            _ => {}
        }
    }

    /// Whether a known cause explains this error.
    pub(super) fn explain(&self, text: &str) -> bool {
        // The API server uses this word in errors about writes that the harness's admission stopped.
        if self.has_reviews && text.contains("webhook") {
            return true;
        }
        // This cause lasts for the rest of the run: the user's files stay unusable, and a probe of a
        // context may end late.
        let configuration_failed = self.disk_failed || !self.unusable_files.is_empty();
        if configuration_failed && text.to_lowercase().contains("context") {
            return true;
        }
        if self.engine_lost || self.mirror_kept {
            return true;
        }
        match self.disruption {
            // The engine refused a request, for example because a volume is in use. That does not
            // explain an error about an object that is missing.
            Some(Disruption::RequestRefused) => !says_not_found(text),
            Some(Disruption::RequestFailed | Disruption::EngineLost) => true,
            None => false,
        }
    }

    /// Whether the daemon is starting or stopping. Its parts then wait for each other and log that they
    /// do (contract 3.4).
    pub(super) fn daemon_is_moving(&self) -> bool {
        self.daemon_moved != Age::Never
    }

    fn daemon_moves(&mut self) {
        self.daemon_moved = Age::ThisStep;
        self.add(Disruption::EngineLost);
    }

    fn next_step(&mut self) {
        // Until the world was quiet, the daemon may still be handling the disruption.
        if std::mem::take(&mut self.quiet) {
            self.disruption = None;
        }
        self.daemon_moved = match self.daemon_moved {
            Age::ThisStep => Age::PreviousStep,
            Age::PreviousStep | Age::Never => Age::Never,
        };
    }

    fn add(&mut self, disruption: Disruption) {
        self.engine_lost |= disruption == Disruption::EngineLost;
        // A worse disruption explains more errors, so it must not be replaced by a smaller one.
        self.disruption = self.disruption.max(Some(disruption));
    }

    fn apply_message(&mut self, message: &WireMessage) {
        let request = self.requests.request_of(message);
        match &message.event {
            WireWhat::Response { status } if *status < 400 && request.subscribes => {
                self.engine_lost = false;
            }
            // The daemon stopped waiting for a message that a gate held.
            WireWhat::Abandoned { .. } => self.add(Disruption::RequestFailed),
            _ => {}
        }
        if let Some(disruption) = self.requests.apply(message) {
            self.add(disruption);
        }
    }
}

/// Whether a command of the daemon starts or stops it.
fn moves_daemon(arguments: &[String]) -> bool {
    let mut words = arguments.iter().map(String::as_str);
    words.next() == Some("svc") && matches!(words.next(), Some("start" | "stop" | "delete"))
}

/// Whether the error is about an object that does not exist.
fn says_not_found(text: &str) -> bool {
    let text = text.to_lowercase();
    ["not found", "notfound", "no such"].iter().any(|words| text.contains(words))
}
