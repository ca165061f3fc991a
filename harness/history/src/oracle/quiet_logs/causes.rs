//! The causes that the harness knows for an error in the daemon's log.
//!
//! A cause explains errors of certain kinds only, and if it is about one object, only those that are
//! not about another one. A cut connection explains that the daemon could not read an answer, and not
//! that it could not write a file.
//!
//! The harness reads the log at the end of each step, and the daemon may log an error some time after a
//! disruption. So a cause explains errors up to the end of the step in which the world becomes quiet
//! after the disruption. If the engine was lost, the cause lasts at least until the daemon has
//! subscribed to the engine's events again.

use std::collections::BTreeSet;

use super::complaint::Complaint;
use super::objects::Objects;
use super::reason::Reason;
use crate::oracle::disruption::{Disruption, EngineRequests};
use crate::record::{
    CONFIG_FILE, CommandRun, DockerContent, DockerFile, LogClient, LogEvent, Record, ReviewOutcome,
    Stage, What, WireMessage, WireWhat,
};
use crate::scenario::{
    ApiStep, CommandStep, DaemonStep, DiskOp, DockerStep, EngineStep, FaultKind, FaultStep,
    LogStep, Step,
};
use crate::steps::{ArmedRules, Steps};

/// The causes that are known at one point of the history.
#[derive(Default)]
pub(super) struct KnownCauses {
    requests: EngineRequests,
    rules: ArmedRules,
    objects: Objects,
    causes: Vec<Cause>,
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
    /// Files of the docker command's configuration that cannot be used.
    unusable_files: BTreeSet<String>,
    /// What is wrong with the disk of the docker command's configuration.
    disk: Option<Reason>,
    /// Objects that the daemon asked the engine to remove. That they are gone is no error.
    removed_by_daemon: BTreeSet<String>,
}

/// One cause.
#[derive(PartialEq, Eq)]
struct Cause {
    reason: Reason,
    /// The object of the engine that it is about, or the file of the configuration; any if `None`.
    object: Option<String>,
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
        self.objects.apply(&record.what);
        match &record.what {
            What::StepDone { .. } => self.step_done = true,
            What::Checkpoint { stage: Stage::Probed, .. } => self.quiet = true,
            What::StepBegan { .. } => {
                // Records before the first step count as a part of the first step.
                if std::mem::take(&mut self.step_done) {
                    self.next_step();
                }
                if let Some(step) = steps.begun(record) {
                    let _ = self.rules.apply(step);
                    self.apply_step(step);
                }
            }
            What::Wire(message) => self.apply_message(message),
            What::ApiWire(message) => self.apply_client_message(message),
            What::Review(review) if review.outcome != ReviewOutcome::Allowed => {
                self.add(Reason::Admission);
            }
            What::DockerFile(file) => self.apply_file(file),
            What::Engine(event) => {
                let is_removal = matches!(event.action.as_str(), "destroy" | "delete" | "untag");
                if is_removal && !self.removed_by_daemon.contains(&event.id) {
                    self.add_about(Reason::Removed, Some(event.id.clone()));
                }
            }
            What::LogClient(LogClient { event: LogEvent::Left { .. }, .. }) => {
                self.add(Reason::ClientLeft);
            }
            What::Process { name, .. } if name == "engine" => self.lose_engine(),
            What::Process { name, .. } if name == "daemon" => self.daemon_moves(),
            What::Command(CommandRun { arguments, .. }) if moves_daemon(arguments) => {
                self.daemon_moves();
            }
            What::Command(CommandRun { interrupted: true, .. }) => self.add(Reason::ClientLeft),
            _ => {}
        }
    }

    /// Applies a step that disrupts the daemon although the wire reports nothing, or reports it only
    /// after the daemon has logged the error.
    fn apply_step(&mut self, step: &Step) {
        match step {
            Step::Api(ApiStep::Keep(_)) => {
                self.mirror_kept = true;
                self.add(Reason::MirrorKept);
            }
            Step::Api(ApiStep::LetGo(_)) => self.mirror_kept = false,
            // A half-open stream ends when its fault is lifted; the wire may report that later.
            Step::Fault(FaultStep::Lift(_)) => self.add(Reason::EngineLost),
            Step::Fault(FaultStep::Inject { .. }) => self.add(Reason::Distorted),
            Step::Docker(DockerStep::Disk(op)) => {
                self.disk = match op {
                    DiskOp::Full => Some(Reason::DiskFull),
                    DiskOp::ReadOnly => Some(Reason::DiskReadOnly),
                    DiskOp::Normal => None,
                };
                self.disk.into_iter().for_each(|reason| self.add(reason));
            }
            Step::Daemon(DaemonStep::Wsl(_)) => self.add(Reason::WslScripted),
            Step::Daemon(
                DaemonStep::Process(_) | DaemonStep::VmProcess(_) | DaemonStep::SshKeys(_),
            )
            | Step::Docker(DockerStep::Killed | DockerStep::Frozen) => {
                self.add(Reason::DaemonMoves);
                self.lose_engine();
            }
            Step::Engine(EngineStep::Process(_) | EngineStep::Guest(_))
            | Step::Fault(FaultStep::ReplaceSocket | FaultStep::Cut(_) | FaultStep::Refuse) => {
                self.lose_engine();
            }
            // The VM boots, or ends and takes the engine with it.
            Step::Command(CommandStep::App(_) | CommandStep::Set(_)) => {
                self.add(Reason::AppMoves);
            }
            Step::Log(LogStep::Crowd(_)) => self.add(Reason::ClientLeft),
            _ => {}
        }
    }

    /// Why this error is excused, if a known cause explains it.
    pub(super) fn explain(&self, complaint: &Complaint) -> Option<Reason> {
        let fits = |cause: &&Cause| {
            cause.reason.explains(complaint.kind) && self.is_about(cause, complaint)
        };
        self.causes.iter().find(fits).map(|cause| cause.reason)
    }

    /// Whether a cause and an error may be about the same object.
    fn is_about(&self, cause: &Cause, complaint: &Complaint) -> bool {
        match (&cause.object, cause.reason) {
            (None, _) => true,
            (Some(path), Reason::FileUnusable) if path == CONFIG_FILE => {
                complaint.mentions(CONFIG_FILE)
            }
            // An error about a context need not name its file.
            (Some(_), Reason::FileUnusable) => !complaint.mentions(CONFIG_FILE),
            // A missing object has a name: that of another one does not fit.
            (Some(object), _) => self.objects.may_be_about(object, complaint),
        }
    }

    /// Whether the daemon is starting or stopping. Its parts then wait for each other and log that they
    /// do (contract 3.4).
    pub(super) fn daemon_is_moving(&self) -> bool {
        self.daemon_moved != Age::Never
    }

    fn daemon_moves(&mut self) {
        self.daemon_moved = Age::ThisStep;
        self.add(Reason::DaemonMoves);
        self.lose_engine();
    }

    fn lose_engine(&mut self) {
        self.engine_lost = true;
        self.add(Reason::EngineLost);
    }

    fn next_step(&mut self) {
        // Until the world was quiet, the daemon may still be handling the disruption.
        if std::mem::take(&mut self.quiet) {
            let (engine_lost, mirror_kept, disk) = (self.engine_lost, self.mirror_kept, self.disk);
            let files = &self.unusable_files;
            self.causes.retain(|Cause { reason, object }| match reason {
                Reason::EngineLost => engine_lost && object.is_none(),
                Reason::MirrorKept => mirror_kept,
                Reason::DiskFull | Reason::DiskReadOnly => disk == Some(*reason),
                Reason::FileUnusable => object.as_ref().is_some_and(|path| files.contains(path)),
                _ => false,
            });
        }
        self.daemon_moved = match self.daemon_moved {
            Age::ThisStep => Age::PreviousStep,
            Age::PreviousStep | Age::Never => Age::Never,
        };
    }

    fn add(&mut self, reason: Reason) {
        self.add_about(reason, None);
    }

    fn add_about(&mut self, reason: Reason, object: Option<String>) {
        let cause = Cause { reason, object };
        if !self.causes.contains(&cause) {
            self.causes.push(cause);
        }
    }

    fn apply_file(&mut self, file: &DockerFile) {
        if file.holds == DockerContent::Passed {
            return;
        }
        let no_endpoint = DockerContent::Context { host: None };
        if file.holds.is_broken() || file.holds == no_endpoint {
            self.unusable_files.insert(file.path.clone());
            self.add_about(Reason::FileUnusable, Some(file.path.clone()));
        } else {
            self.unusable_files.remove(&file.path);
        }
    }

    /// Applies a message between the daemon's API and its clients.
    fn apply_client_message(&mut self, message: &WireMessage) {
        let is_broken = matches!(
            message.event,
            WireWhat::Cut | WireWhat::Faulted { .. } | WireWhat::Abandoned { .. }
        );
        if is_broken {
            self.add(Reason::ClientLeft);
        }
    }

    fn apply_message(&mut self, message: &WireMessage) {
        let request = self.requests.request_of(message);
        let object = request.object.clone();
        match &message.event {
            WireWhat::Response { status } if *status < 400 && request.subscribes => {
                self.engine_lost = false;
            }
            WireWhat::Response { status: 404 } if request.is_removal => {}
            // The daemon stopped waiting for a message that a gate held.
            WireWhat::Abandoned { .. } => self.add_about(Reason::GivenUp, object.clone()),
            WireWhat::Faulted { rule, .. } => {
                self.add_about(self.reason_of_rule(rule), object.clone());
            }
            _ => {}
        }
        let disruption = self.requests.apply(message);
        let request = self.requests.request_of(message);
        if request.is_removal {
            self.removed_by_daemon.extend(request.object);
        }
        match (&message.event, disruption) {
            (_, None) | (WireWhat::Faulted { .. }, Some(_)) => {}
            (WireWhat::Response { .. }, Some(_)) => self.add_about(Reason::Refused, object),
            (_, Some(Disruption::EngineLost)) => self.lose_engine(),
            (_, Some(_)) => self.add_about(Reason::EngineLost, object),
        }
        // Without its lists or its event stream, the daemon connects anew.
        if disruption == Some(Disruption::EngineLost) {
            self.engine_lost = true;
            self.add(Reason::Reconnects);
        }
    }

    /// What a rule of the scenario explains that has changed a message.
    fn reason_of_rule(&self, rule: &str) -> Reason {
        match self.rules.get(rule) {
            // Not an error, and not what was asked for.
            Some(FaultStep::Answer { status: ..400, .. }) => Reason::Distorted,
            Some(FaultStep::Answer { .. }) => Reason::AnsweredByRule,
            Some(FaultStep::Fault(fault)) => match fault.kind {
                FaultKind::Lose | FaultKind::HalfOpen { .. } | FaultKind::Slow { .. } => {
                    Reason::EngineLost
                }
                _ => Reason::Distorted,
            },
            _ => Reason::AnyRule,
        }
    }
}

/// Whether a command of the daemon starts or stops it.
fn moves_daemon(arguments: &[String]) -> bool {
    let mut words = arguments.iter().map(String::as_str);
    words.next() == Some("svc") && matches!(words.next(), Some("start" | "stop" | "delete"))
}
