//! Requests of users to the daemon's API that the daemon has not carried out yet.
//!
//! The harness uses them only to know when a world is quiet. Oracles judge whether the daemon had to carry
//! them out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::objects::{Objects, text};
use crate::record::{EngineState, UserWrite};
use crate::scenario::{ACTION, STATE};

/// A request of a user.
#[derive(Clone, Debug)]
enum Request {
    Deletion,
    Action,
    State(String),
}

/// The last request for each object, by the object's UID.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(BTreeMap<String, Request>);

impl Requests {
    pub(super) fn apply(&mut self, write: &UserWrite) {
        let written = |pointer| write.wrote(pointer).and_then(Value::as_str);
        // A later request for the same object replaces the earlier one. Other writes, such as a label,
        // request nothing of the daemon.
        let request = if write.deleted {
            Request::Deletion
        } else if written(ACTION).is_some() {
            Request::Action
        } else if let Some(state) = written(STATE) {
            Request::State(state.to_owned())
        } else {
            return;
        };
        self.0.insert(write.uid.clone(), request);
    }

    /// Descriptions of the open requests. A request ends when its object is gone.
    pub(super) fn pending(&self, objects: &Objects, truth: &EngineState) -> Vec<String> {
        let open = self.0.iter().filter_map(|(uid, request)| {
            let object = objects.by_uid(uid)?;
            let name = text(object, "/metadata/name").unwrap_or(uid);
            match request {
                Request::Deletion => Some(format!("{name} is not deleted yet")),
                // The daemon removes the annotation when it has carried out the action.
                Request::Action => {
                    let action = text(object, ACTION)?;
                    Some(format!("the action `{action}` of {name} is not done yet"))
                }
                Request::State(wanted) => {
                    let is = &truth.containers.get(name)?.state;
                    let runs = is == "running";
                    // A paused container must be resumed before it counts as stopped.
                    let done = if wanted == "running" { runs } else { !runs && is != "paused" };
                    (!done).then(|| format!("{name} should be {wanted}, but is {is}"))
                }
            }
        });
        open.collect()
    }
}
