//! Whether the daemon owes the user another current context: the present one leads to no engine, and the
//! daemon has connected since then (contract 5.2).

use std::collections::{BTreeMap, BTreeSet};

use super::wire::EVENTS;
use crate::record::{
    CONFIG_FILE, CONTEXT_PREFIX, DockerContent, DockerFile, DockerUser, Record, What, WireMessage,
    WireWhat,
};
use crate::scenario::{DiskOp, DockerStep, Step};

/// What decides whether the daemon must make its own context the current one.
#[derive(Clone, Debug, Default)]
pub(super) struct Takeover {
    user: Option<DockerUser>,
    config: Option<DockerContent>,
    /// `config.json` has changed in a way that the harness could not read.
    unread: bool,
    contexts: BTreeMap<String, DockerContent>,
    /// The address of the user's own engine, if it runs.
    endpoint: Option<String>,
    /// The context `default` leads to that engine.
    default: bool,
    /// The docker commands of the user that run.
    commands: BTreeSet<u32>,
    /// The configuration's disk was full or read-only.
    disk_failed: bool,
    /// The exchanges by which the daemon subscribes to the engine's events.
    subscriptions: BTreeSet<u64>,
    /// The daemon has subscribed since the last change of all this. It decides after that, once.
    decides: bool,
}

impl Takeover {
    /// Applies the next record; `begun` is the step that begins with it, if one does.
    pub(super) fn apply(&mut self, record: &Record, begun: Option<&Step>) {
        if let Some(Step::Docker(DockerStep::Disk(DiskOp::Full | DiskOp::ReadOnly))) = begun {
            self.disk_failed = true;
        }
        match &record.what {
            What::DockerUser(user) => self.user = Some(user.clone()),
            What::DockerFile(file) => self.apply_file(file),
            What::Endpoint { address, default } => {
                self.endpoint.clone_from(address);
                self.default = *default;
                self.decides = false;
            }
            What::UserCommand(command) if command.end.is_none() => {
                self.commands.insert(command.number);
            }
            What::UserCommand(command) => {
                self.commands.remove(&command.number);
            }
            What::Wire(message) => self.apply_message(message),
            _ => {}
        }
    }

    fn apply_file(&mut self, file: &DockerFile) {
        let before = if file.path == CONFIG_FILE {
            self.unread = file.holds == DockerContent::Passed;
            if self.unread {
                return;
            }
            self.config.replace(file.holds.clone())
        } else if let Some(name) = file.context().filter(|name| !name.starts_with(CONTEXT_PREFIX)) {
            self.contexts.insert(name.to_owned(), file.holds.clone())
        } else {
            return;
        };
        if before.as_ref() != Some(&file.holds) {
            self.decides = false;
        }
    }

    fn apply_message(&mut self, message: &WireMessage) {
        match &message.event {
            WireWhat::Request { route, .. } if route.as_deref() == Some(EVENTS) => {
                self.subscriptions.insert(message.exchange);
            }
            WireWhat::Response { status } if self.subscriptions.contains(&message.exchange) => {
                self.decides |= *status < 400;
            }
            _ => {}
        }
    }

    /// Why a daemon that is connected must have made its context the current one; `None` if it need not.
    pub(super) fn due(&self) -> Option<String> {
        let user = self.user.as_ref()?;
        let is_known = !self.unread && self.commands.is_empty() && !self.disk_failed;
        if !user.about || user.overruled || !self.decides || !is_known {
            return None;
        }
        let config = self.config.as_ref().unwrap_or(&DockerContent::Nothing);
        if config.is_broken() {
            return None;
        }
        self.why_dead(config.current())
    }

    /// Why nothing answers where this context leads; `None` if something may.
    fn why_dead(&self, current: &str) -> Option<String> {
        if current.is_empty() || current == "default" {
            let text = "no context is the current one, and no engine runs at the default place";
            return (!self.default).then(|| text.to_owned());
        }
        if current.starts_with(CONTEXT_PREFIX) {
            return None;
        }
        match self.contexts.get(current) {
            None | Some(DockerContent::Nothing) => {
                Some(format!("the current context `{current}` does not exist"))
            }
            Some(DockerContent::Context { host: Some(host) }) => {
                let is_asked = host.starts_with("unix://") || host.starts_with("tcp://");
                // The harness runs no engine at any other address.
                let is_dead = is_asked && self.endpoint.as_ref() != Some(host);
                is_dead.then(|| {
                    format!("the current context `{current}` leads to {host}, where no engine runs")
                })
            }
            Some(_) => None,
        }
    }
}
