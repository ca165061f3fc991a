//! The daemon replaces `config.json` atomically, and keeps everything in it that it does not own.

use std::collections::BTreeMap;

use super::state::{ConfigState, listed};
use crate::record::{DockerContent, DockerFile, FileChange};

/// The key that a new configuration has beside the current context (contract 5).
const FIRST_KEY: &str = "auths";

/// The violations that a change of `config.json` shows. The harness did not make the change.
pub(super) fn violations(state: &ConfigState, file: &DockerFile) -> Vec<String> {
    let nothing = DockerContent::Nothing;
    let before = state.config.as_ref().unwrap_or(&nothing);
    if file.how == FileChange::Found {
        return Vec::new();
    }
    let mut violations = Vec::new();
    if file.how == FileChange::Written {
        // Neither the daemon nor the docker command writes in place, so it does not matter who did.
        violations.push(
            "config.json was written in place, so another program may read a part of it".to_owned(),
        );
    }
    if file.how == FileChange::Unlinked {
        // The docker command follows links as well, so a running command does not explain this either.
        violations.push("config.json was a link, and a regular file has replaced it".to_owned());
    }
    match (&file.holds, before) {
        (broken, before) if broken.is_broken() && before != broken => {
            let why = why(broken);
            violations.push(format!("config.json is not a valid configuration any more: {why}"));
        }
        (DockerContent::Nothing, before) if *before != DockerContent::Nothing => {
            violations.push("config.json is gone".to_owned());
        }
        // A file that nobody can use may still be all that the user has.
        (DockerContent::Config { .. }, before)
            if before.is_broken() && !state.user_command_runs() =>
        {
            let why = why(before);
            violations
                .push(format!("the daemon replaced config.json, which could not be used ({why})"));
        }
        (DockerContent::Config { .. }, DockerContent::Config { .. } | DockerContent::Nothing) => {
            violations.extend(unwanted_change(state, file, before));
        }
        _ => {}
    }
    violations
}

/// The first thing that the daemon must not have removed, changed, added, or written without a change.
fn unwanted_change(
    state: &ConfigState,
    file: &DockerFile,
    before: &DockerContent,
) -> Option<String> {
    let members = |content: &DockerContent| match content {
        DockerContent::Config { members, .. } => members.clone(),
        _ => BTreeMap::new(),
    };
    let (old, new) = (members(before), members(&file.holds));
    if state.user_command_runs() {
        // A login adds credentials and never removes those of another registry. So if some are missing,
        // the daemon has overwritten them.
        let gone = old.keys().filter(|key| key.starts_with("auths/") && !new.contains_key(*key));
        let gone = listed(gone.map(String::as_str));
        let is_lost = !gone.is_empty() && !state.user_logs_out();
        return is_lost.then(|| format!("config.json has lost a login of the user: {gone}"));
    }
    let differs = old.iter().filter(|(key, value)| new.get(*key) != Some(value));
    let differs = listed(differs.map(|(key, _)| key.as_str()));
    if !differs.is_empty() {
        return Some(format!("config.json has lost values of the user: {differs}"));
    }
    let is_new = *before == DockerContent::Nothing;
    let added = new.keys().filter(|key| !old.contains_key(*key));
    let added = listed(added.map(String::as_str).filter(|key| !(is_new && *key == FIRST_KEY)));
    if !added.is_empty() {
        return Some(format!("config.json has new keys that nobody asked for: {added}"));
    }
    let replaced = matches!(file.how, FileChange::Replaced | FileChange::Unlinked);
    // If exactly one change was not read, this one may have undone it, so both changed something.
    let may_undo = state.unread_changes == 1;
    let same = *before == file.holds && replaced && !may_undo;
    same.then(|| "config.json was written, but nothing in it changed".to_owned())
}

/// Why a content cannot be used.
fn why(broken: &DockerContent) -> String {
    match broken {
        DockerContent::Unreadable { why } => why.clone(),
        DockerContent::Malformed { why, bytes } => format!("{bytes} bytes, {why}"),
        _ => String::new(),
    }
}
