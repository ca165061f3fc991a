//! What is known of the configuration and its user at one point of the history.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{
    CONFIG_FILE, CONTEXT_PREFIX, DockerContent, DockerFile, DockerUser, Record, What,
};
use crate::scenario::{DaemonOp, DaemonStep, DiskOp, DockerStep, Step};
use crate::steps::Steps;
use crate::view::View;

/// Folds records, in order.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) view: View,
    pub(super) user: Option<DockerUser>,
    pub(super) config: Option<DockerContent>,
    /// How often it has been changed since it was read.
    pub(super) passed: usize,
    contexts: BTreeMap<String, DockerContent>,
    /// Docker commands of the user's that run, by their number.
    running: BTreeMap<u32, Vec<String>>,
    /// Where the user's own engine is.
    pub(super) endpoint: Option<String>,
    /// The context `default` leads there.
    pub(super) default: bool,
    /// Nothing can be written, as the scenario wants it, or could not since the last stop.
    pub(super) disk: bool,
    /// The daemon was killed, and has not been stopped since.
    pub(super) killed: bool,
}

impl Facts {
    /// Takes one more record of a history with these steps.
    pub(super) fn see(&mut self, record: &Record, steps: Steps<'_>) {
        self.view.apply(record);
        match &record.what {
            What::DockerUser(user) => self.user = Some(user.clone()),
            What::DockerFile(file) => self.see_file(file),
            What::Endpoint { address, default } => {
                self.endpoint.clone_from(address);
                self.default = *default;
            }
            What::UserCommand(command) => {
                match &command.end {
                    None => self.running.insert(command.number, command.arguments.clone()),
                    Some(_) => self.running.remove(&command.number),
                };
            }
            What::StepBegan { .. } => {
                if let Some(step) = steps.begun(record) {
                    self.see_step(step);
                }
            }
            _ => {}
        }
    }

    fn see_step(&mut self, step: &Step) {
        match step {
            Step::Daemon(DaemonStep::Process(DaemonOp::Kill))
            | Step::Docker(DockerStep::Killed) => self.killed = true,
            Step::Docker(DockerStep::Disk(DiskOp::Full | DiskOp::ReadOnly)) => self.disk = true,
            _ => {}
        }
    }

    fn see_file(&mut self, file: &DockerFile) {
        if file.path == CONFIG_FILE && file.holds == DockerContent::Passed {
            self.passed += 1;
        } else if file.path == CONFIG_FILE {
            self.passed = 0;
            self.config = Some(file.holds.clone());
        } else if let Some(name) = file.context() {
            self.contexts.insert(name.to_owned(), file.holds.clone());
        }
    }

    /// A context, where there is one of that name.
    pub(super) fn context(&self, name: &str) -> Option<&DockerContent> {
        self.contexts.get(name).filter(|context| **context != DockerContent::Nothing)
    }

    /// A docker command of the user's runs, which may be who changes something.
    pub(super) fn user_is_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// A docker command of the user's runs that removes credentials.
    pub(super) fn user_logs_out(&self) -> bool {
        self.running.values().any(|words| words.first().is_some_and(|word| word == "logout"))
    }

    /// A file of the configuration cannot be used.
    pub(super) fn is_broken(&self) -> bool {
        self.config.as_ref().is_some_and(DockerContent::is_broken)
    }

    /// The engine is connected, as the App wants it.
    pub(super) fn is_connected(&self) -> bool {
        self.view.app().is_some_and(|app| {
            app.wants_mirrors()
                && app.condition("ContainerEngineReady") == Some(("True", "Connected"))
        })
    }

    /// The daemon has told that it has nothing to do with the engine any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.view.app().is_some_and(|app| {
            let end = app.condition("ContainerEngineReady");
            let over = matches!(end, Some((_, "Stopped" | "NotApplicable")));
            over && !app.wants_mirrors()
        })
    }
}

/// Contexts that daemons make: this one, or its neighbour.
pub(super) fn is_of_daemon(context: &str) -> bool {
    context.starts_with(CONTEXT_PREFIX)
}

/// Some names, as a text.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}
