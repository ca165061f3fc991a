//! A wish for a container's state is fulfilled, or its failure told, by the time that the world is
//! quiet (contract 4.4; 9, R0; findings 295-I2, 295-I7).
//!
//! A wish is what a user wrote last into a container's mirror: its `spec.state`, or the action's
//! annotation. It is fulfilled where the container is as wished, or was since; it is told where
//! `status.lastAction` says what became of it. A daemon that has asked the engine at least twice
//! for the right thing, and was refused the last time, is still trying. A wish that was still open when
//! the world was level, and that was only answered after the probe, is neither kept nor forgotten: the
//! daemon may never have come back to it without another event.
//!
//! A wish ends with its mirror, with a step that changes containers past the daemon, and with the
//! engine. It outlives the daemon's process: one that has died in the middle of it carries it out when
//! it is there again (contract 4.4).

use std::collections::BTreeMap;

use crate::oracle::Finding;
use crate::record::{ProcessState, Record, Stage, UserWrite, What, WireMessage, WireWhat};
use crate::scenario::{ACTION, EngineStep, OracleName, STATE, Step};
use crate::steps::Steps;
use crate::view::View;

/// What is asked of the engine twice is being tried again.
const TRIED_AGAIN: usize = 2;

/// A user's wish for one container.
struct Wish {
    uid: String,
    is_action: bool,
    word: String,
    /// Events of the engine about the container since.
    events: Vec<String>,
    /// Requests about the container since: target by exchange, and whether it failed.
    asked: BTreeMap<u64, (String, bool)>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::of(history);
    let mut view = View::default();
    let mut wishes: BTreeMap<String, Wish> = BTreeMap::new();
    let mut at_level = Vec::new();
    for record in history {
        view.apply(record);
        match &record.what {
            What::UserWrite(write) if write.resource == "containers" => {
                if let Some(wish) = Wish::of(write) {
                    wishes.insert(write.name.clone(), wish);
                }
            }
            What::StepBegan { .. } if steps.begun(record).is_some_and(changes_container) => {
                wishes.clear();
            }
            What::Process { name, state, .. }
                if name == "engine" && *state != ProcessState::Started =>
            {
                wishes.clear();
            }
            What::Engine(event) => {
                if let Some(wish) = wishes.get_mut(&event.id) {
                    wish.events.push(event.action.clone());
                }
            }
            What::Wire(message) => wishes.iter_mut().for_each(|(id, wish)| wish.see(id, message)),
            What::Checkpoint { stage: Stage::Level, .. } => at_level = open(&wishes, &view),
            What::Checkpoint { number, stage: Stage::Probed } => {
                let probed = open(&wishes, &view);
                for (id, text) in &at_level {
                    if wishes.contains_key(id) && !probed.iter().any(|(open, _)| open == id) {
                        finding.unknowns.push(format!(
                            "checkpoint {number}: answered only after another event: {text}"
                        ));
                    }
                }
                for (_, text) in probed {
                    finding.violated(OracleName::Liveness, record.seq, text);
                }
            }
            _ => {}
        }
    }
    finding
}

/// A step that changes containers past the daemon.
fn changes_container(step: &Step) -> bool {
    matches!(step, Step::Engine(EngineStep::Container { .. }))
}

/// Wishes that are neither fulfilled nor told to have failed: the container, and what is wrong.
fn open(wishes: &BTreeMap<String, Wish>, view: &View) -> Vec<(String, String)> {
    wishes.iter().filter_map(|(id, wish)| Some((id.clone(), wish.broken(id, view)?))).collect()
}

impl Wish {
    /// The last wish in what a user wrote; taking one back is none.
    fn of(write: &UserWrite) -> Option<Self> {
        let wish = |pointer: &str| write.wrote(pointer)?.as_str().map(str::to_owned);
        let (is_action, word) = match (wish(ACTION), wish(STATE)) {
            (Some(action), _) => (true, action),
            (None, Some(state)) => (false, state),
            (None, None) => return None,
        };
        let uid = write.uid.clone();
        Some(Self { uid, is_action, word, events: Vec::new(), asked: BTreeMap::new() })
    }

    fn see(&mut self, id: &str, message: &WireMessage) {
        match &message.event {
            WireWhat::Request { method, target, .. } if method == "POST" && target.contains(id) => {
                self.asked.insert(message.exchange, (target.clone(), false));
            }
            WireWhat::Response { status } if *status < 400 => {}
            WireWhat::Response { .. }
            | WireWhat::Faulted { .. }
            | WireWhat::Cut
            | WireWhat::UpstreamLost { .. } => {
                if let Some((_, failed)) = self.asked.get_mut(&message.exchange) {
                    *failed = true;
                }
            }
            _ => {}
        }
    }

    /// What is wrong, where this wish was neither fulfilled nor told to have failed.
    fn broken(&self, id: &str, view: &View) -> Option<String> {
        let app = view.app()?;
        let mirror = view.object("containers", id)?;
        let lives = mirror.pointer("/metadata/uid")?.as_str() == Some(&self.uid)
            && mirror.pointer("/metadata/deletionTimestamp").is_none();
        let container = view.truth().containers.get(id)?;
        let idle = view.in_flight().is_empty() && view.held().is_empty();
        if !app.wants_mirrors() || !lives || !idle {
            return None;
        }
        let is = container.state.as_str();
        let (states, events, request) = self.target(is)?;
        let fulfilled = states.contains(&is) || self.events.iter().any(|e| events.contains(&&**e));
        let told = mirror.pointer("/status/lastAction/action").and_then(|told| told.as_str());
        let right = |(target, _): &&(String, bool)| target.contains(request);
        let tries: Vec<_> = self.asked.values().filter(right).collect();
        let trying = tries.len() >= TRIED_AGAIN && tries.last().is_some_and(|(_, failed)| *failed);
        if fulfilled || (self.is_action && told == Some(&self.word)) || trying {
            return None;
        }
        let (word, name, tries) = (&self.word, &container.name, tries.len());
        Some(format!(
            "container {name}: `{word}` was wished, but it is {is}; the engine was asked {tries} \
             times for `{request}`, and nothing tells of a failure"
        ))
    }

    /// States in which it is fulfilled, events that fulfil it, and the request that does it.
    fn target(
        &self,
        is: &str,
    ) -> Option<(&'static [&'static str], &'static [&'static str], &'static str)> {
        let starting = if is == "paused" { "/unpause" } else { "/start" };
        Some(match (self.is_action, self.word.as_str()) {
            (false, "running") => (&["running"], &["start", "unpause"], starting),
            (false, "created") => (&["created", "exited", "dead"], &["stop", "die"], "/stop"),
            (true, "start") => (&["running"], &["start"], "/start"),
            (true, "stop") => (&["created", "exited", "dead"], &["stop", "die"], "/stop"),
            (true, "pause") => (&["paused"], &["pause"], "/pause"),
            (true, "unpause") => (&["running"], &["unpause"], "/unpause"),
            (true, "restart") => (&[], &["restart"], "/restart"),
            _ => return None,
        })
    }
}
