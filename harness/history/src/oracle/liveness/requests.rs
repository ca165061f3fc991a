//! When the world is quiet, the daemon has carried out each request for a container's state, or has
//! reported its failure (contract 4.4; 9, R0; findings 295-I2, 295-I7).
//!
//! A request is the last thing that a user wrote into a container's mirror: its `spec.state`, or the
//! annotation of an action. The daemon has carried it out if the container is in the requested state, or
//! was in it since. The daemon has reported its result if `status.lastAction` names the action. A report of
//! success counts only if something has happened since the request: an event of the container, or a request
//! of the daemon that the engine did not refuse. A daemon that has sent the right request to the engine at least twice, and whose last attempt failed, still
//! retries. If a request was open when the world was level and was answered only after the probe, the run
//! is unknown: perhaps the daemon would never have retried without another event.
//!
//! A request is not judged any more when its mirror is gone, when a step changes containers past the
//! daemon, or when the engine ends. It outlives the daemon's process: a daemon that died before it carried
//! out the request must do so after its next start (contract 4.4).

use std::collections::BTreeMap;

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{ProcessState, Record, Stage, UserWrite, What, WireMessage, WireWhat};
use crate::scenario::{ACTION, EngineStep, STATE, Step};
use crate::steps::Steps;
use crate::view::View;

/// A daemon that has sent a request to the engine so many times retries it.
const RETRYING_ATTEMPTS: usize = 2;

/// A user's request for the state of one container.
struct StateRequest {
    uid: String,
    /// The user wrote the annotation of an action, and not `spec.state`.
    is_action: bool,
    /// The requested state, or the action.
    word: String,
    /// Actions of the engine's events about the container since the request.
    events: Vec<String>,
    /// The daemon's attempts since the request, by exchange.
    attempts: BTreeMap<u64, Attempt>,
}

/// One request of the daemon to the engine about the container.
struct Attempt {
    target: String,
    failed: bool,
}

/// What carries out a [`StateRequest`].
struct Goal {
    /// States of the container in which the request is carried out.
    states: &'static [&'static str],
    /// Actions of events that carry it out.
    events: &'static [&'static str],
    /// The end of the engine's route that the daemon must use.
    route: &'static str,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::from_history(history);
    let mut view = View::default();
    let mut requests: BTreeMap<String, StateRequest> = BTreeMap::new();
    let mut at_level = Vec::new();
    for record in history {
        view.apply(record);
        match &record.what {
            // A new request replaces the earlier one, which the daemon need not carry out any more. The
            // name of a container's mirror is the container's ID.
            What::UserWrite(write) if write.resource == "containers" => {
                if let Some(request) = StateRequest::from_write(write) {
                    requests.insert(write.name.clone(), request);
                }
            }
            What::StepBegan { .. } if steps.begun(record).is_some_and(changes_container) => {
                requests.clear();
            }
            What::Process { name, state, .. }
                if name == "engine" && *state != ProcessState::Started =>
            {
                requests.clear();
            }
            What::Engine(event) => {
                if let Some(request) = requests.get_mut(&event.id) {
                    request.events.push(event.action.clone());
                }
            }
            What::Wire(message) => {
                requests.iter_mut().for_each(|(id, request)| request.apply(id, message));
            }
            What::Checkpoint { stage: Stage::Level, .. } => at_level = open(&requests, &view),
            What::Checkpoint { number, stage: Stage::Probed } => {
                let probed = open(&requests, &view);
                // Only the probe brought the daemon back to these requests.
                for (id, text) in &at_level {
                    if requests.contains_key(id) && !probed.iter().any(|(open, _)| open == id) {
                        finding.unknown(
                            record.seq,
                            format!(
                                "checkpoint {number}: answered only after another event: {text}"
                            ),
                        );
                    }
                }
                for (_, text) in probed {
                    finding.violated(Check::RequestForgotten, record.seq, text);
                }
            }
            _ => {}
        }
    }
    finding
}

/// Whether a step changes containers past the daemon.
fn changes_container(step: &Step) -> bool {
    matches!(step, Step::Engine(EngineStep::Container { .. }))
}

/// Requests that were neither carried out nor reported as failed: the ID of the container, and a
/// description.
fn open(requests: &BTreeMap<String, StateRequest>, view: &View) -> Vec<(String, String)> {
    requests
        .iter()
        .filter_map(|(id, request)| Some((id.clone(), request.violation(id, view)?)))
        .collect()
}

impl StateRequest {
    /// The request in a user's write, if there is one. A user who removes a field requests nothing.
    fn from_write(write: &UserWrite) -> Option<Self> {
        let value = |pointer: &str| write.wrote(pointer)?.as_str().map(str::to_owned);
        // If one write contains both, the action is the newer way to ask.
        let (is_action, word) = match (value(ACTION), value(STATE)) {
            (Some(action), _) => (true, action),
            (None, Some(state)) => (false, state),
            (None, None) => return None,
        };
        let uid = write.uid.clone();
        Some(Self { uid, is_action, word, events: Vec::new(), attempts: BTreeMap::new() })
    }

    fn apply(&mut self, id: &str, message: &WireMessage) {
        match &message.event {
            WireWhat::Request { method, target, .. } if method == "POST" && target.contains(id) => {
                let attempt = Attempt { target: target.clone(), failed: false };
                self.attempts.insert(message.exchange, attempt);
            }
            WireWhat::Response { status } if *status < 400 => {}
            WireWhat::Response { .. }
            | WireWhat::Faulted { .. }
            | WireWhat::Cut
            | WireWhat::UpstreamLost { .. } => {
                if let Some(attempt) = self.attempts.get_mut(&message.exchange) {
                    attempt.failed = true;
                }
            }
            _ => {}
        }
    }

    /// A description of what is wrong if the daemon neither carried out this request nor reported its
    /// failure.
    fn violation(&self, id: &str, view: &View) -> Option<String> {
        let app = view.app()?;
        let mirror = view.object("containers", id)?;
        let exists = mirror.pointer("/metadata/uid")?.as_str() == Some(&self.uid)
            && mirror.pointer("/metadata/deletionTimestamp").is_none();
        let container = view.truth().containers.get(id)?;
        // A request that is in flight or at a gate may still change the container.
        let idle = view.in_flight().is_empty() && view.held().is_empty();
        if !app.wants_mirrors() || !exists || !idle {
            return None;
        }
        let state = container.state.as_str();
        let Goal { states, events, route } = self.goal(state)?;
        let carried_out = states.contains(&state)
            || self.events.iter().any(|action| events.contains(&action.as_str()));
        let last = |field: &str| mirror.pointer(&format!("/status/lastAction/{field}"))?.as_str();
        let is_reported = self.is_action && last("action") == Some(&self.word);
        let is_report_true = last("state") != Some("Succeeded")
            || !self.events.is_empty()
            || self.attempts.values().any(|attempt| !attempt.failed);
        let attempts: Vec<_> =
            self.attempts.values().filter(|attempt| attempt.target.contains(route)).collect();
        let retries = attempts.len() >= RETRYING_ATTEMPTS
            && attempts.last().is_some_and(|attempt| attempt.failed);
        if carried_out || (is_reported && is_report_true) || retries {
            return None;
        }
        let (word, name, attempts) = (&self.word, &container.name, attempts.len());
        let reported = if is_reported { "success" } else { "no failure" };
        Some(format!(
            "container {name}: a user requested `{word}`, but the container is {state}; the daemon \
             sent `{route}` to the engine {attempts} times, and reported {reported}"
        ))
    }

    /// What carries out the request, for a container in this state; `None` for an unknown request.
    fn goal(&self, state: &str) -> Option<Goal> {
        // The engine cannot start a paused container; it must resume it (finding 295-I2).
        let start_route = if state == "paused" { "/unpause" } else { "/start" };
        let (states, events, route): (&[&str], &[&str], _) =
            match (self.is_action, self.word.as_str()) {
                (false, "running") => (&["running"], &["start", "unpause"], start_route),
                (false, "created") => (&["created", "exited", "dead"], &["stop", "die"], "/stop"),
                (true, "start") => (&["running"], &["start"], "/start"),
                (true, "stop") => (&["created", "exited", "dead"], &["stop", "die"], "/stop"),
                (true, "pause") => (&["paused"], &["pause"], "/pause"),
                (true, "unpause") => (&["running"], &["unpause"], "/unpause"),
                // A container is running before and after a restart, so only the event counts.
                (true, "restart") => (&[], &["restart"], "/restart"),
                _ => return None,
            };
        Some(Goal { states, events, route })
    }
}
