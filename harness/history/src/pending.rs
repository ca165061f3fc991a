//! What a user has asked the daemon's API for, and what is not there yet.
//!
//! Only used to know when a world is quiet; whether a wish had to be fulfilled, oracles judge.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{ACTION, UserWrite, View};

/// The state that a container shall have (contract 9, R0).
const STATE: &str = "/spec/state";

/// A wish, by the UID of the object that it is about.
#[derive(Clone, Debug)]
enum Wish {
    Deletion,
    Action,
    State(String),
}

/// Wishes that were told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes(BTreeMap<String, Wish>);

impl Wishes {
    pub(crate) fn see(&mut self, write: &UserWrite) {
        let wished = |pointer| write.wrote(pointer).and_then(Value::as_str);
        let wish = if write.deleted {
            Wish::Deletion
        } else if wished(ACTION).is_some() {
            Wish::Action
        } else if let Some(state) = wished(STATE) {
            Wish::State(state.to_owned())
        } else {
            return;
        };
        self.0.insert(write.uid.clone(), wish);
    }

    /// Wishes about objects that are still there, as sentence fragments.
    pub(crate) fn pending(&self, view: &View) -> Vec<String> {
        let open = self.0.iter().filter_map(|(uid, wish)| {
            let object = view.object_by_uid(uid)?;
            let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or(uid);
            match wish {
                Wish::Deletion => Some(format!("{name} shall be deleted")),
                Wish::Action => {
                    let action = object.pointer(ACTION).and_then(Value::as_str)?;
                    Some(format!("{name} shall {action}"))
                }
                Wish::State(wanted) => {
                    let is = &view.truth().containers.get(name)?.state;
                    let runs = is == "running";
                    let done = if wanted == "running" { runs } else { !runs && is != "paused" };
                    (!done).then(|| format!("{name} shall be {wanted}, and is {is}"))
                }
            }
        });
        open.collect()
    }
}
