//! The docker command's configuration: which context is the current one, and what is the daemon's.

use std::collections::BTreeMap;

use crate::record::{CONFIG_FILE, DockerContent, DockerFile, FileChange};

/// What the files of a configuration are.
#[derive(Clone, Debug, Default)]
pub(super) struct Docker {
    pub(super) current: String,
    /// Name of the daemon's context.
    pub(super) own: String,
    own_is_there: bool,
    pub(super) strays: BTreeMap<String, Stray>,
}

/// A file that is neither the configuration nor one of its contexts, and that no user has put there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stray {
    /// The record that told of it first.
    pub(super) since: u64,
    /// Its daemon has ended: it is no write that is under way.
    is_left: bool,
}

impl Docker {
    pub(super) fn see(&mut self, file: &DockerFile, seq: u64) {
        if file.path == CONFIG_FILE {
            if file.holds != DockerContent::Passed {
                file.holds.current().clone_into(&mut self.current);
            }
        } else if let Some(context) = file.context() {
            if context == self.own {
                self.own_is_there = file.holds != DockerContent::Nothing;
            }
        } else if file.path.starts_with("other/") {
            // Of a configuration that is not this one.
        } else if file.how == FileChange::Removed {
            self.strays.remove(&file.path);
        } else if !file.by_user && file.how != FileChange::Found {
            self.strays.entry(file.path.clone()).or_insert(Stray { since: seq, is_left: false });
        }
    }

    /// A daemon was started: whatever is there is not of its making.
    pub(super) fn see_start(&mut self) {
        self.strays.values_mut().for_each(|stray| stray.is_left = true);
    }

    pub(super) fn is_being_written(&self) -> bool {
        self.strays.values().any(|stray| !stray.is_left)
    }

    pub(super) fn is_cleared(&self) -> bool {
        let is_current = self.current == self.own && !self.own.is_empty();
        !self.own_is_there && !is_current && self.strays.is_empty()
    }
}
