//! Reasons that a daemon may have for an error in its log, as far as the harness knows.
//!
//! Lines are read at the end of each step, and a daemon may complain later than it was disturbed: a
//! reason counts up to the end of the step in which the world has become quiet after it. One that
//! takes the engine away counts until the daemon has subscribed to it anew, and as long after.

use std::collections::BTreeSet;

use crate::oracle::excuse::{Requests, Trouble};
use crate::record::{
    CommandRun, DockerContent, Record, ReviewOutcome, Stage, What, WireMessage, WireWhat,
};
use crate::scenario::{ApiStep, DaemonStep, DockerStep, EngineStep, FaultStep, Step};
use crate::steps::Steps;

/// What is known at one point of the history.
#[derive(Default)]
pub(super) struct Reasons {
    requests: Requests,
    trouble: Option<Trouble>,
    /// The world was quiet since the last step began.
    judged: bool,
    /// The engine was taken away, and the daemon has not subscribed to it anew.
    lost: bool,
    /// The daemon was started or stopped.
    moved: Age,
    /// Somebody else keeps a mirror, for which a stop waits in vain (contract 4.6).
    kept: bool,
    /// A step was done since the last one began.
    done: bool,
    /// The harness has reviewed a write.
    reviews: bool,
    /// Parts of the docker command's configuration that nobody can use.
    docker: BTreeSet<String>,
    /// Nothing could be written there.
    disk: bool,
}

/// How long ago something happened, in steps.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Age {
    #[default]
    Never,
    InThisStep,
    InTheLast,
}

impl Reasons {
    /// Takes one more record of a history with these steps.
    pub(super) fn see(&mut self, record: &Record, steps: Steps<'_>) {
        match &record.what {
            What::StepDone { .. } => self.done = true,
            What::Checkpoint { stage: Stage::Probed, .. } => self.judged = true,
            What::StepBegan { .. } => {
                // What precedes the first step belongs to it.
                if std::mem::take(&mut self.done) {
                    self.next_step();
                }
                if let Some(step) = steps.begun(record) {
                    self.see_step(step);
                }
            }
            What::Wire(message) => self.see_wire(message),
            What::Review(review) => {
                self.reviews = true;
                if review.outcome == ReviewOutcome::Denied {
                    self.add(Trouble::Failed);
                }
            }
            What::DockerFile(file) => {
                let no_endpoint = DockerContent::Context { host: None };
                if file.holds.is_broken() || file.holds == no_endpoint {
                    self.docker.insert(file.path.clone());
                }
            }
            What::Process { name, .. } if name == "engine" => self.add(Trouble::Lost),
            What::Process { name, .. } if name == "daemon" => self.daemon_moves(),
            What::Command(CommandRun { arguments, .. }) if moves_daemon(arguments) => {
                self.daemon_moves();
            }
            _ => {}
        }
    }

    /// Some steps are trouble although nothing on the wire tells of it, or only after the daemon has
    /// complained.
    fn see_step(&mut self, step: &Step) {
        match step {
            Step::Api(ApiStep::Keep(_)) => self.kept = true,
            Step::Api(ApiStep::LetGo(_)) if std::mem::take(&mut self.kept) => {
                self.add(Trouble::Failed);
            }
            // A half-open stream ends with its fault; what the wire says of that may come later.
            Step::Fault(FaultStep::Lift(_)) => self.add(Trouble::Failed),
            Step::Docker(DockerStep::Disk(_)) => self.disk = true,
            Step::Engine(EngineStep::Process(_))
            | Step::Daemon(DaemonStep::Process(_))
            | Step::Docker(DockerStep::Killed)
            | Step::Fault(FaultStep::ReplaceSocket | FaultStep::Cut(_) | FaultStep::Refuse) => {
                self.add(Trouble::Lost);
            }
            _ => {}
        }
    }

    /// Some reason explains this error.
    pub(super) fn excuse(&self, text: &str) -> bool {
        // Where the harness stands in the way of a write, it is told of by this word.
        if self.reviews && text.contains("webhook") {
            return true;
        }
        // What the user has there stays a reason for as long as the run, because probes end late.
        if (self.disk || !self.docker.is_empty()) && text.to_lowercase().contains("context") {
            return true;
        }
        match self.trouble {
            _ if self.lost || self.kept => true,
            Some(Trouble::Refused) => !says_not_found(text),
            Some(Trouble::Failed | Trouble::Lost) => true,
            None => false,
        }
    }

    /// The daemon begins or ends, and its parts wait for each other and say so (contract 3.4).
    pub(super) fn daemon_is_moving(&self) -> bool {
        self.moved != Age::Never
    }

    fn daemon_moves(&mut self) {
        self.moved = Age::InThisStep;
        self.add(Trouble::Lost);
    }

    fn next_step(&mut self) {
        if std::mem::take(&mut self.judged) {
            self.trouble = None;
        }
        self.moved = match self.moved {
            Age::InThisStep => Age::InTheLast,
            Age::InTheLast | Age::Never => Age::Never,
        };
    }

    fn add(&mut self, trouble: Trouble) {
        self.lost |= trouble == Trouble::Lost;
        self.trouble = self.trouble.max(Some(trouble));
    }

    fn see_wire(&mut self, message: &WireMessage) {
        let request = self.requests.of(message);
        match &message.event {
            WireWhat::Response { status } if *status < 400 && request.subscribes => {
                self.lost = false;
            }
            // What the daemon waited for in vain.
            WireWhat::Abandoned { .. } => self.add(Trouble::Failed),
            _ => {}
        }
        if let Some(trouble) = self.requests.see(message) {
            self.add(trouble);
        }
    }
}

fn moves_daemon(arguments: &[String]) -> bool {
    let mut words = arguments.iter().map(String::as_str);
    words.next() == Some("svc") && matches!(words.next(), Some("start" | "stop" | "delete"))
}

/// The daemon complains that something is not there.
fn says_not_found(text: &str) -> bool {
    let text = text.to_lowercase();
    ["not found", "notfound", "no such"].iter().any(|words| text.contains(words))
}
