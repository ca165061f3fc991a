//! The daemon replaces the user's current context only if the contract allows it (contract 5.2).

use super::state::{ConfigState, is_of_daemon};
use crate::record::{
    CONFIG_FILE, DockerContent, DockerFile, FileChange, Record, What, WireMessage, WireWhat,
};

/// How long the daemon must wait for the answer of the user's engine, in microseconds: 3 s (contract 5),
/// minus the time by which the harness may have recorded the request late.
const PING_TIMEOUT_US: u64 = 2_800_000;

/// The route by which a client asks whether an engine runs.
const PING: &str = "/_ping";

/// The state of the last ping of the user's engine.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Ping {
    /// The daemon has sent none.
    #[default]
    Never,
    /// The engine has not answered yet.
    Sent { exchange: u64, at_us: u64 },
    /// The daemon stopped waiting at `at_us`, after it had waited for `after_us`.
    GivenUp { at_us: u64, after_us: u64 },
    /// The engine answered that it runs.
    Answered,
    /// The engine answered with an error, or the connection broke.
    Failed,
}

/// Follows what the daemon can know about the engine of the user's current context.
#[derive(Default)]
pub(super) struct CurrentContext {
    ping: Ping,
}

impl CurrentContext {
    /// Applies the next record.
    pub(super) fn apply(&mut self, record: &Record) {
        match &record.what {
            What::UserWire(message) => self.apply_message(message, record.at_us),
            // From here on it is another engine, which the daemon has not pinged yet.
            What::Endpoint { .. } => self.ping = Ping::Never,
            _ => {}
        }
    }

    fn apply_message(&mut self, message: &WireMessage, now: u64) {
        if let WireWhat::Request { route: Some(route), .. } = &message.event
            && route == PING
        {
            self.ping = Ping::Sent { exchange: message.exchange, at_us: now };
        }
        let Ping::Sent { exchange, at_us } = self.ping else { return };
        if exchange != message.exchange {
            return;
        }
        self.ping = match &message.event {
            WireWhat::Response { status } if *status < 400 => Ping::Answered,
            WireWhat::Abandoned { .. } => Ping::GivenUp { at_us: now, after_us: now - at_us },
            WireWhat::Response { .. }
            | WireWhat::Faulted { .. }
            | WireWhat::UpstreamLost { .. }
            | WireWhat::Cut => Ping::Failed,
            _ => return,
        };
    }

    /// The violation that a change of `config.json` shows, at `now` in microseconds. The harness did not
    /// make the change.
    pub(super) fn violation(
        &self,
        state: &ConfigState,
        file: &DockerFile,
        now: u64,
    ) -> Option<String> {
        let user = state.user.as_ref()?;
        let nothing = DockerContent::Nothing;
        let before = state.config.as_ref().unwrap_or(&nothing);
        let is_change = file.path == CONFIG_FILE && file.how != FileChange::Found;
        let is_read = file.holds != DockerContent::Passed;
        if !is_change
            || !is_read
            || before.is_broken()
            || file.holds.is_broken()
            || state.user_command_runs()
        {
            return None;
        }
        let (old, new) = (before.current(), file.holds.current());
        // After a stop, the daemon must remove its own context, so it may leave none.
        if old == new || is_of_daemon(old) && new.is_empty() {
            return None;
        }
        let shown =
            |name: &str| if name.is_empty() { "none".to_owned() } else { format!("`{name}`") };
        let changed = format!("the current context was {} and is {}", shown(old), shown(new));
        // A change that was not read may have made the daemon's context the current one, and this change
        // has removed it again.
        let given_back = state.unread_changes > 0 && new.is_empty();
        if !is_of_daemon(new) && !given_back {
            return Some(format!("{changed}, but the user did not choose that"));
        }
        if !user.about {
            return None;
        }
        let why = self.must_keep(state, old, now)?;
        Some(format!("{changed}, although {why}"))
    }

    /// Why the daemon must not replace this context (contract 5); `None` if it may.
    fn must_keep(&self, state: &ConfigState, current: &str, now: u64) -> Option<String> {
        if state.user.as_ref().is_some_and(|user| user.overruled) {
            return Some("the daemon's environment names an engine or a context".to_owned());
        }
        if is_of_daemon(current) {
            return None;
        }
        if current.is_empty() || current == "default" {
            return if state.default { self.may_be_alive(now) } else { None };
        }
        match state.context(current)? {
            DockerContent::Context { host: None } => {
                Some("it has no docker endpoint, so the daemon cannot ping it".to_owned())
            }
            DockerContent::Context { host: Some(host) } => {
                let scheme = host.split_once("://").map_or("", |(scheme, _)| scheme);
                match scheme {
                    "unix" | "tcp" if state.endpoint.as_ref() == Some(host) => {
                        self.may_be_alive(now)
                    }
                    // The harness runs no engine at any other address, so nothing answers there.
                    "unix" | "tcp" | "npipe" => None,
                    _ => Some(format!("the daemon cannot ping `{host}`")),
                }
            }
            _ => Some("the daemon cannot read its address".to_owned()),
        }
    }

    /// Why the daemon must not treat the user's running engine as dead; `None` if it may.
    fn may_be_alive(&self, now: u64) -> Option<String> {
        let seconds = |us: u64| us as f64 / 1e6;
        match self.ping {
            Ping::Never => Some("its engine runs, and the daemon did not ping it".to_owned()),
            Ping::Answered => Some("its engine answers".to_owned()),
            Ping::Sent { at_us, .. } if now - at_us < PING_TIMEOUT_US => {
                let ago = seconds(now - at_us);
                Some(format!("the daemon pinged its engine only {ago:.1} s before"))
            }
            Ping::GivenUp { at_us, after_us } if after_us < PING_TIMEOUT_US => {
                let (waited, ago) = (seconds(after_us), seconds(now - at_us));
                Some(format!(
                    "the daemon waited only {waited:.1} s for its engine's answer, {ago:.1} s before"
                ))
            }
            Ping::Sent { .. } | Ping::GivenUp { .. } | Ping::Failed => None,
        }
    }
}
