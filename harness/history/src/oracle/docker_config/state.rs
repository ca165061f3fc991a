//! What is known of the configuration and its user at one point of the history.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{
    CONFIG_FILE, CONTEXT_PREFIX, DockerContent, DockerFile, DockerUser, Record, What,
};
use crate::scenario::{DaemonOp, DaemonStep, DiskOp, DockerStep, Step};
use crate::steps::Steps;
use crate::view::View;

/// The state of the configuration after the records that were applied, in order.
#[derive(Default)]
pub(super) struct ConfigState {
    pub(super) view: View,
    pub(super) user: Option<DockerUser>,
    /// The last content of `config.json` that the harness could read.
    pub(super) config: Option<DockerContent>,
    /// How many changes the harness could not read since then, because another change followed.
    pub(super) unread_changes: usize,
    contexts: BTreeMap<String, DockerContent>,
    /// Arguments of the user's docker commands that run, by their number.
    running: BTreeMap<u32, Vec<String>>,
    /// The address of the user's own engine; `None` if it does not run.
    pub(super) endpoint: Option<String>,
    /// The context `default` leads to the user's own engine.
    pub(super) default: bool,
    /// A user removed the daemon's context, and the daemon has not connected since.
    pub(super) user_removed_context: bool,
    /// A step made the disk full or read-only.
    pub(super) disk_failed: bool,
    /// The disk is still full or read-only.
    pub(super) disk_fails: bool,
    /// A step killed the daemon.
    pub(super) killed: bool,
}

impl ConfigState {
    /// Applies the next record of a history with these steps.
    pub(super) fn apply(&mut self, record: &Record, steps: Steps<'_>) {
        self.view.apply(record);
        self.user_removed_context &= self.is_connected();
        match &record.what {
            What::DockerUser(user) => self.user = Some(user.clone()),
            What::DockerFile(file) => self.apply_file(file),
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
                    self.apply_step(step);
                }
            }
            _ => {}
        }
    }

    fn apply_step(&mut self, step: &Step) {
        match step {
            Step::Daemon(DaemonStep::Process(DaemonOp::Kill))
            | Step::Docker(DockerStep::Killed) => self.killed = true,
            Step::Docker(DockerStep::Disk(op)) => {
                self.disk_fails = *op != DiskOp::Normal;
                self.disk_failed |= self.disk_fails;
            }
            _ => {}
        }
    }

    fn apply_file(&mut self, file: &DockerFile) {
        if file.path == CONFIG_FILE && file.holds == DockerContent::Passed {
            // The content is unknown. The last known one stays, and the count says that it may be old.
            self.unread_changes += 1;
        } else if file.path == CONFIG_FILE {
            self.unread_changes = 0;
            self.config = Some(file.holds.clone());
        } else if let Some(name) = file.context() {
            let is_own = self.user.as_ref().is_some_and(|user| user.context == name);
            if is_own {
                let is_gone = file.holds == DockerContent::Nothing;
                self.user_removed_context = is_gone && (file.by_user || self.user_command_runs());
            }
            self.contexts.insert(name.to_owned(), file.holds.clone());
        }
    }

    /// The context of that name, if it exists.
    pub(super) fn context(&self, name: &str) -> Option<&DockerContent> {
        self.contexts.get(name).filter(|context| **context != DockerContent::Nothing)
    }

    /// The daemon's own context, if it exists.
    pub(super) fn own_context(&self) -> Option<&DockerContent> {
        self.context(&self.user.as_ref()?.context)
    }

    /// Whether a docker command of the user runs. It may be the one that changes a file.
    pub(super) fn user_command_runs(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether a docker command of the user runs that removes credentials.
    pub(super) fn user_logs_out(&self) -> bool {
        self.running.values().any(|words| words.first().is_some_and(|word| word == "logout"))
    }

    /// Whether `config.json` exists and cannot be used.
    pub(super) fn is_broken(&self) -> bool {
        self.config.as_ref().is_some_and(DockerContent::is_broken)
    }

    /// Whether the App wants the engine to run and reports that it is connected.
    pub(super) fn is_connected(&self) -> bool {
        self.view.app().is_some_and(|app| {
            app.wants_mirrors()
                && app.condition("ContainerEngineReady") == Some(("True", "Connected"))
        })
    }

    /// Whether the App wants no mirrors and reports that the daemon does not use the engine any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.view.app().is_some_and(|app| {
            let ready = app.condition("ContainerEngineReady");
            let ended = matches!(ready, Some((_, "Stopped" | "NotApplicable")));
            ended && !app.wants_mirrors()
        })
    }
}

/// Whether a daemon created the context: the run's own one or its neighbour.
pub(super) fn is_of_daemon(context: &str) -> bool {
    context.starts_with(CONTEXT_PREFIX)
}

/// Names as text: sorted, each once, with commas.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}
