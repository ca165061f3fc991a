//! The places of a workload at which its daemon can be stopped, as one history shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use racetrap_history::{
    ApiChange, Change, IMAGE_LABEL, Mirror, MirrorKey, PROBE_VOLUME_PREFIX, Record, Review,
    ReviewOutcome, Side, Step, Steps, UserCommands, What, WireMessage, WireWhat,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{Call, Kind};
use crate::objects::Objects;

/// The `nth` call of its kind since a step of the workload began.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Site {
    /// Index of the step, from 0: the last one before the call that does more than wait.
    pub cause: usize,
    /// The call.
    pub call: Call,
    /// Which of several, from 1.
    pub nth: u32,
    /// What the call is about, by its name in the scenario, if a history tells. It does not identify the
    /// site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The call follows from an event of an earlier step. The engine repeats such an event to a daemon that
    /// connects within the same second, so whether the call comes is chance. It does not identify the site.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

impl Site {
    /// What identifies the site among all of its workload.
    pub(crate) fn identity(&self) -> (usize, &Call, u32) {
        (self.cause, &self.call, self.nth)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) after step {}", self.call, self.nth, self.cause + 1)
    }
}

/// Types of events about what is mirrored.
const MIRRORED: [&str; 3] = ["container", "image", "volume"];

/// The field manager of what the harness writes as a user.
pub const USER: &str = "racetrap-user";

/// The field manager of the daemon's command line (contract 2.4).
const COMMAND_LINE: &str = "rdd";

/// Whether a write is a user's, by its field manager. The step that makes it waits for the answer, so it
/// must not be held by its own write.
#[must_use]
pub fn is_users(manager: &str) -> bool {
    // `ctl` is kubectl, which names itself after its command.
    [USER, COMMAND_LINE].contains(&manager) || manager.starts_with("kubectl-")
}

/// All sites of a history, in their order.
pub(crate) fn sites(history: &[Record]) -> Vec<Site> {
    timed_sites(history).into_iter().map(|(site, _)| site).collect()
}

/// All sites of a history, and when the daemon came to each, in microseconds since the run began.
///
/// A history without reviews shows a write only by its effect, which a watch reports: each change is then
/// taken for a write by anybody, and an update may be one of the status or of the rest.
pub(crate) fn timed_sites(history: &[Record]) -> Vec<(Site, u64)> {
    let steps = Steps::from_history(history);
    let has_reviews = history.iter().any(|record| matches!(record.what, What::Review(_)));
    let mut reading =
        Reading { has_reviews, names: Names::from_history(history), ..Reading::default() };
    for record in history.iter().filter(|record| !record.neighbour) {
        if matches!(record.what, What::Ending) {
            break;
        }
        if let What::StepBegan { index } = record.what
            && let Some(step) = steps.get(index)
            && !matches!(step, Step::Wait(_))
        {
            reading.begin(index, step);
        }
        reading.now_us = record.at_us;
        reading.user_commands.apply(record, steps);
        reading.read(&record.what);
    }
    reading.sites
}

/// Names of what a history is about.
#[derive(Default)]
struct Names {
    /// The scenario's names of containers and images, by the engine's ID.
    by_id: BTreeMap<String, String>,
    /// What each mirror stands for, by the mirror's own name.
    by_mirror: BTreeMap<String, String>,
}

impl Names {
    fn from_history(history: &[Record]) -> Self {
        let mut names = Self::default();
        for record in history.iter().filter(|record| !record.neighbour) {
            names.read(&record.what);
        }
        // By now the names of all IDs are known.
        for name in names.by_mirror.values_mut() {
            if let Some(known) = names.by_id.get(name) {
                name.clone_from(known);
            }
        }
        names
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only these records name objects")]
    fn read(&mut self, what: &What) {
        match what {
            What::Named { id, name } => drop(self.by_id.insert(id.clone(), name.clone())),
            What::Truth(state) => {
                for (id, container) in &state.containers {
                    self.by_id.entry(id.clone()).or_insert_with(|| container.name.clone());
                }
                for (id, image) in &state.images {
                    if let Some(alias) = image.labels.get(IMAGE_LABEL) {
                        self.by_id.entry(id.clone()).or_insert_with(|| alias.clone());
                    }
                }
            }
            What::Api(change) => {
                let own = change.object.pointer("/metadata/name").and_then(Value::as_str);
                let mirror = Mirror::read(&change.resource, &change.object);
                let stands_for = mirror.and_then(|mirror| match mirror.key {
                    MirrorKey::Container(id) | MirrorKey::Image { id, .. } => Some(id),
                    MirrorKey::Volume(name) => Some(name),
                    MirrorKey::Blank { .. } => None,
                });
                if let (Some(own), Some(stands_for)) = (own, stands_for) {
                    self.by_mirror.insert(own.to_owned(), stands_for);
                }
            }
            _ => {}
        }
    }

    /// What a write of a mirror with this name is about. A container's mirror has the container's ID.
    fn of_write(&self, mirror: &str) -> Option<&String> {
        self.by_mirror.get(mirror).or_else(|| self.by_id.get(mirror))
    }
}

/// What is known while a history is read.
#[derive(Default)]
struct Reading {
    names: Names,
    /// The step that causes what comes now; none before the first one.
    cause: Option<usize>,
    /// What there is before that step: a gate that is armed before it can name nothing else.
    nameable: BTreeSet<String>,
    objects: Objects,
    /// The step changes nothing in the engine, so that all events after it are of earlier steps.
    is_still: bool,
    /// Kinds of which such an event has come since the step began.
    repeated: BTreeSet<Kind>,
    counts: BTreeMap<Call, u32>,
    now_us: u64,
    has_reviews: bool,
    user_commands: UserCommands,
    /// Connections of such commands to the engine, which may go by the daemon's own socket.
    users_connections: BTreeSet<u64>,
    sites: Vec<(Site, u64)>,
}

impl Reading {
    fn begin(&mut self, index: usize, step: &Step) {
        self.cause = Some(index);
        self.nameable = self.objects.nameable();
        self.objects.apply(step);
        self.counts.clear();
        self.is_still = matches!(step, Step::Command(_) | Step::Daemon(_) | Step::Fault(_));
        self.repeated.clear();
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only these are calls of the daemon")]
    fn read(&mut self, what: &What) {
        match what {
            What::Wire(message) => self.read_message(Side::Engine, message),
            What::UserWire(message) => self.read_message(Side::User, message),
            What::Review(review) => self.read_review(review),
            What::Api(change) if !self.has_reviews => self.read_change(change),
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a call is known by its beginning")]
    fn read_message(&mut self, wire: Side, message: &WireMessage) {
        match &message.event {
            WireWhat::Request { method, target, route: Some(route), .. } => {
                // Each docker command begins with a ping; the step that runs it must not be held by what it
                // asks itself.
                if wire == Side::Engine && route == "/_ping" && self.user_commands.run() {
                    self.users_connections.insert(message.connection);
                }
                if wire != Side::Engine || !self.users_connections.contains(&message.connection) {
                    self.read_request(wire, method, target, route);
                }
            }
            WireWhat::Frame { frame } => self.read_event(frame),
            _ => {}
        }
    }

    fn read_request(&mut self, wire: Side, method: &str, target: &str, route: &str) {
        let mut params = BTreeMap::new();
        let mut about = None;
        for (key, value) in parameters(target, route) {
            if value.starts_with(PROBE_VOLUME_PREFIX) {
                return;
            }
            let named = self.names.by_id.get(&value).cloned();
            let is_name = key == "name";
            about = named.clone().or_else(|| is_name.then(|| value.clone()));
            // An ID that no step has named cannot be known before a run.
            match named {
                Some(name) if self.nameable.contains(&name) => {
                    params.insert(key, format!("${name}"));
                }
                None if is_name && self.nameable.contains(&value) => {
                    params.insert(key, value);
                }
                Some(_) | None => {}
            }
        }
        let (method, route) = (method.to_owned(), route.to_owned());
        self.add(Call::Exchange { wire, method, route, params }, about);
    }

    fn read_event(&mut self, frame: &Value) {
        let text = |at: &str| frame.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let (Some(r#type), Some(action)) = (text("/Type"), text("/Action")) else { return };
        let id = text("/Actor/ID").unwrap_or_default();
        // Of other events a daemon takes no notice.
        if !MIRRORED.contains(&r#type.as_str()) || id.starts_with(PROBE_VOLUME_PREFIX) {
            return;
        }
        let about = self.names.by_id.get(&id).cloned();
        let about = about.or_else(|| (r#type == "volume").then_some(id));
        let call = Call::Event { r#type, action };
        if self.is_still {
            self.repeated.extend(call.kind());
        }
        self.add(call, about);
    }

    fn read_review(&mut self, review: &Review) {
        let Review { operation, resource, name, manager, outcome } = review;
        if manager.as_deref().is_none_or(is_users) {
            return;
        }
        let about = self.names.of_write(name).cloned();
        let is_probe = about.as_ref().is_some_and(|about| about.starts_with(PROBE_VOLUME_PREFIX));
        if *outcome != ReviewOutcome::Allowed || is_probe {
            return;
        }
        let (operation, resource) = (operation.to_lowercase(), resource.clone());
        self.add(Call::Write { operation, resource, manager: manager.clone() }, about);
    }

    fn read_change(&mut self, change: &ApiChange) {
        let Some(mirror) = Mirror::read(&change.resource, &change.object) else { return };
        if mirror.is_probe() {
            return;
        }
        let (operation, resources) = match change.change {
            Change::Added => ("create", vec![change.resource.clone()]),
            Change::Deleted => ("delete", vec![change.resource.clone()]),
            Change::Modified => {
                ("update", vec![format!("{}/status", change.resource), change.resource.clone()])
            }
        };
        for resource in resources {
            let operation = operation.to_owned();
            self.add(Call::Write { operation, resource, manager: None }, None);
        }
    }

    fn add(&mut self, call: Call, about: Option<String>) {
        let Some(cause) = self.cause else { return };
        let count = self.counts.entry(call.clone()).or_default();
        *count += 1;
        // A full sync reads what it needs before it subscribes to events. It creates mirrors and writes their
        // status; only an event makes the daemon write anything else of a mirror.
        let is_sync = matches!(&call, Call::Write { operation, resource, .. }
            if operation != "update" || resource.ends_with("/status"));
        let repeated = !is_sync && call.kind().is_some_and(|it| self.repeated.contains(&it));
        let site = Site { cause, call, nth: *count, about, repeated };
        self.sites.push((site, self.now_us));
    }
}

/// Names and values of a route's parameters in a target. Nothing if a value may contain a slash.
fn parameters(target: &str, route: &str) -> Vec<(String, String)> {
    let path = target.split('?').next().unwrap_or(target);
    let values: Vec<_> = path.split('/').collect();
    let keys: Vec<_> = route.split('/').skip(1).collect();
    let Some(first) = values.len().checked_sub(keys.len()) else { return Vec::new() };
    let pairs = keys.iter().zip(&values[first..]);
    let fits = pairs.clone().all(|(key, value)| key.starts_with('{') || key == value);
    // Before the route, a target has nothing but the version of the engine's API.
    if !fits || first > 2 {
        return Vec::new();
    }
    let parameters = pairs.filter_map(|(key, value)| {
        let name = key.strip_prefix('{')?.strip_suffix('}')?;
        Some((name.to_owned(), (*value).to_owned()))
    });
    parameters.collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::with_version("/v1.41/volumes/data?x=1", "/volumes/{name}", &[("name", "data")])]
    #[case::in_the_middle("/v1.41/containers/c1/json", "/containers/{id}/json", &[("id", "c1")])]
    #[case::none("/_ping", "/_ping", &[])]
    #[case::with_a_slash("/v1.41/images/a/b:1/json", "/images/{id}/json", &[])]
    fn parameters_are_read_where_the_target_fits_the_route(
        #[case] target: &str,
        #[case] route: &str,
        #[case] expected: &[(&str, &str)],
    ) {
        let found = parameters(target, route);
        let found: Vec<_> = found.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(found, expected);
    }
}
