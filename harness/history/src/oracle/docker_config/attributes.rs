//! Files of the user keep their mode, their owner and the place to which they lead, and the user's
//! contexts stay as they are.

use std::collections::BTreeMap;

use super::state::{ConfigState, is_of_daemon};
use crate::record::{
    CONFIG_FILE, CONTEXTS_DIRECTORY, DockerContent, DockerFile, FileAttributes, FileChange,
};

/// What is known of the files' attributes.
#[derive(Default)]
pub(super) struct Attributes {
    /// By the file's path, as the last record of it has them.
    known: BTreeMap<String, FileAttributes>,
}

impl Attributes {
    /// Applies the next change of a file, and returns the violations that it shows.
    pub(super) fn apply(&mut self, state: &ConfigState, file: &DockerFile) -> Vec<String> {
        // A docker command changes files as well, and has its own rules for owners.
        let by_daemon =
            !file.by_user && file.how != FileChange::Found && !state.user_command_runs();
        let is_judged = by_daemon && is_of_user(file);
        let mut violations = Vec::new();
        if is_judged && let Some(name) = file.context() {
            let nothing = DockerContent::Nothing;
            if state.context(name).unwrap_or(&nothing) != &file.holds {
                violations.push(format!("the daemon changed the user's context {name}"));
            }
        }
        let Some(after) = &file.attributes else {
            if file.holds == DockerContent::Nothing {
                self.known.remove(&file.path);
            }
            return violations;
        };
        let before = self.known.insert(file.path.clone(), after.clone());
        if let Some(before) = before.filter(|_| is_judged) {
            violations.extend(differences(file, &before, after));
        }
        violations
    }
}

/// Whether the file is the user's, and not a context of a daemon.
fn is_of_user(file: &DockerFile) -> bool {
    let of_user = file.context().is_some_and(|name| !is_of_daemon(name));
    of_user || file.path == CONFIG_FILE || file.path == CONTEXTS_DIRECTORY
}

/// What has changed, as sentences.
fn differences(file: &DockerFile, before: &FileAttributes, after: &FileAttributes) -> Vec<String> {
    let path = &file.path;
    let mut differences = Vec::new();
    if before.mode != after.mode {
        let (before, after) = (before.mode, after.mode);
        differences.push(format!("{path} had the mode {before:04o} and has {after:04o}"));
    }
    let (had, has) = ((before.owner, before.group), (after.owner, after.group));
    if had != has {
        differences.push(format!(
            "{path} belonged to user {} and group {} and belongs to user {} and group {}",
            had.0, had.1, has.0, has.1
        ));
    }
    match (&before.link, &after.link) {
        // The record itself says that a file took the place of the link; `writes` reports it.
        (Some(_), None) if file.how == FileChange::Unlinked => {}
        (Some(before), None) => {
            differences.push(format!("{path} was a link to {before} and is none any more"));
        }
        (Some(before), Some(after)) if before != after => {
            differences.push(format!("{path} was a link to {before} and leads to {after}"));
        }
        (None, Some(after)) => differences.push(format!("{path} has become a link to {after}")),
        (Some(_), Some(_)) | (None, None) => {}
    }
    differences
}
