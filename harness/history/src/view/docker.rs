//! The docker command's configuration: the current context, the daemon's context, and the files beside it.

use std::collections::BTreeMap;

use crate::record::{CONFIG_FILE, CONTEXTS_DIRECTORY, DockerContent, DockerFile, FileChange};

/// The state of the configuration's files.
#[derive(Clone, Debug, Default)]
pub(super) struct DockerConfig {
    /// Name of the current context; empty if none is named.
    pub(super) current: String,
    /// Name of the daemon's context.
    pub(super) own: String,
    own_exists: bool,
    /// Files that the daemon left or is writing, by path.
    pub(super) strays: BTreeMap<String, Stray>,
}

/// A file that is neither the configuration nor one of its contexts, and that no user put there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stray {
    /// The first record that shows the file.
    pub(super) since: u64,
    /// The daemon that created the file has ended, so it is not writing the file any more.
    is_leftover: bool,
}

impl DockerConfig {
    pub(super) fn apply(&mut self, file: &DockerFile, seq: u64) {
        // Only `config.json` names the current context.
        if file.path == CONFIG_FILE {
            // The content of a file that changed again before it was read is unknown; the next record
            // has it.
            if file.holds != DockerContent::Passed {
                file.holds.current().clone_into(&mut self.current);
            }
        } else if let Some(context) = file.context() {
            if context == self.own {
                self.own_exists = file.holds != DockerContent::Nothing;
            }
        } else if file.path.starts_with("other/") || file.path == CONTEXTS_DIRECTORY {
            // The file belongs to another configuration, or the directory to all contexts.
        } else if file.how == FileChange::Removed {
            self.strays.remove(&file.path);
        } else if !file.by_user && file.how != FileChange::Found {
            // Files that existed before the run do not belong to this daemon.
            self.strays
                .entry(file.path.clone())
                .or_insert(Stray { since: seq, is_leftover: false });
        }
    }

    /// Notes that a daemon was started: it did not create the files that exist now.
    pub(super) fn daemon_started(&mut self) {
        self.strays.values_mut().for_each(|stray| stray.is_leftover = true);
    }

    pub(super) fn is_being_written(&self) -> bool {
        self.strays.values().any(|stray| !stray.is_leftover)
    }

    pub(super) fn is_cleared(&self) -> bool {
        // Before the daemon's context is known, its name is empty, as is that of no current context.
        let is_current = self.current == self.own && !self.own.is_empty();
        !self.own_exists && !is_current && self.strays.is_empty()
    }
}
