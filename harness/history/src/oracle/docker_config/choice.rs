//! Which context is the current one.

use super::facts::{Facts, is_of_daemon};
use crate::record::{
    CONFIG_FILE, DockerContent, DockerFile, FileChange, Record, What, WireMessage, WireWhat,
};

/// How long the user's engine may take for its answer, in microseconds (contract 5: 3 s), less what the
/// harness may have seen late.
const PATIENCE_US: u64 = 2_800_000;

/// The route by which an engine is asked whether it is there.
const PING: &str = "/_ping";

/// What came of the last question to the user's engine.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Ping {
    /// There was none.
    #[default]
    Never,
    /// Nothing yet.
    Asked { exchange: u64, at_us: u64 },
    /// It was given up.
    GivenUp { at_us: u64, after_us: u64 },
    /// It says that it is there.
    Answered,
    /// It says something else, or cannot say anything.
    Failed,
}

#[derive(Default)]
pub(super) struct Choice {
    ping: Ping,
}

impl Choice {
    /// Takes one more record.
    pub(super) fn see(&mut self, record: &Record) {
        match &record.what {
            What::UserWire(message) => self.see_wire(message, record.at_us),
            // Another engine, of which nothing is known yet.
            What::Endpoint { .. } => self.ping = Ping::Never,
            _ => {}
        }
    }

    fn see_wire(&mut self, message: &WireMessage, now: u64) {
        if let WireWhat::Request { route: Some(route), .. } = &message.event
            && route == PING
        {
            self.ping = Ping::Asked { exchange: message.exchange, at_us: now };
        }
        let Ping::Asked { exchange, at_us } = self.ping else { return };
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

    /// What is wrong with a change of the current context that was not the harness's own.
    pub(super) fn wrong(&self, facts: &Facts, file: &DockerFile, now: u64) -> Option<String> {
        let user = facts.user.as_ref()?;
        let nothing = DockerContent::Nothing;
        let before = facts.config.as_ref().unwrap_or(&nothing);
        let is_change = file.path == CONFIG_FILE && file.how != FileChange::Found;
        let is_read = file.holds != DockerContent::Passed;
        if !is_change
            || !is_read
            || before.is_broken()
            || file.holds.is_broken()
            || facts.user_is_busy()
        {
            return None;
        }
        let (old, new) = (before.current(), file.holds.current());
        if old == new || is_of_daemon(old) && new.is_empty() {
            return None;
        }
        let shown =
            |name: &str| if name.is_empty() { "none".to_owned() } else { format!("`{name}`") };
        let changed = format!("the current context was {} and is {}", shown(old), shown(new));
        // What was not read may have been the daemon's, which it has given back.
        let given_back = facts.passed > 0 && new.is_empty();
        if !is_of_daemon(new) && !given_back {
            return Some(format!("{changed}, which is nobody's choice"));
        }
        if !user.about {
            return None;
        }
        let why = self.must_stay(facts, old, now)?;
        Some(format!("{changed}, though {why}"))
    }

    /// Why the daemon had to leave that context alone, by contract 5.
    fn must_stay(&self, facts: &Facts, current: &str, now: u64) -> Option<String> {
        if facts.user.as_ref().is_some_and(|user| user.overruled) {
            return Some("the daemon's environment names an engine or a context".to_owned());
        }
        if is_of_daemon(current) {
            return None;
        }
        if current.is_empty() || current == "default" {
            return if facts.default { self.answers(now) } else { None };
        }
        match facts.context(current)? {
            DockerContent::Context { host: None } => {
                Some("it has no docker endpoint, so that it cannot be asked".to_owned())
            }
            DockerContent::Context { host: Some(host) } => {
                let scheme = host.split_once("://").map_or("", |(scheme, _)| scheme);
                match scheme {
                    "unix" | "tcp" if facts.endpoint.as_ref() == Some(host) => self.answers(now),
                    // Nobody is there, as the scenario knows.
                    "unix" | "tcp" | "npipe" => None,
                    _ => Some(format!("`{host}` cannot be asked")),
                }
            }
            _ => Some("nobody can say where it leads".to_owned()),
        }
    }

    /// Why the user's own engine, which is there, does not count as dead.
    fn answers(&self, now: u64) -> Option<String> {
        let seconds = |us: u64| us as f64 / 1e6;
        match self.ping {
            Ping::Never => Some("its engine is there, and was not asked".to_owned()),
            Ping::Answered => Some("its engine answers".to_owned()),
            Ping::Asked { at_us, .. } if now - at_us < PATIENCE_US => {
                Some(format!("its engine was asked only {:.1} s before", seconds(now - at_us)))
            }
            Ping::GivenUp { at_us, after_us } if after_us < PATIENCE_US => {
                let (gave, ago) = (seconds(after_us), seconds(now - at_us));
                Some(format!("its engine had {gave:.1} s for its answer, {ago:.1} s before"))
            }
            Ping::Asked { .. } | Ping::GivenUp { .. } | Ping::Failed => None,
        }
    }
}
