//! How `config.json` is written, and what of it stays.

use std::collections::BTreeMap;

use super::facts::{Facts, listed};
use crate::record::{DockerContent, DockerFile, FileChange};

/// The key that a new configuration begins with, beside the current context (contract 5).
const FIRST_KEY: &str = "auths";

/// What is wrong with a change that was not the harness's own.
pub(super) fn wrong(facts: &Facts, file: &DockerFile) -> Vec<String> {
    let nothing = DockerContent::Nothing;
    let before = facts.config.as_ref().unwrap_or(&nothing);
    if file.how == FileChange::Found {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    if file.how == FileChange::Written {
        // Neither daemon nor docker command may do that, so it does not matter which it was.
        wrong.push("config.json was written to in its place, where anybody may be reading".into());
    }
    if file.how == FileChange::Unlinked {
        // Both follow links, so neither is an excuse.
        wrong.push("config.json was a link, and is a file of its own now".to_owned());
    }
    match (&file.holds, before) {
        (broken, before) if broken.is_broken() && before != broken => {
            wrong.push(format!("config.json is no configuration any more: {}", why(broken)));
        }
        (DockerContent::Nothing, before) if *before != DockerContent::Nothing => {
            wrong.push("config.json is gone".to_owned());
        }
        (DockerContent::Config { .. }, before) if before.is_broken() && !facts.user_is_busy() => {
            let why = why(before);
            wrong.push(format!(
                "config.json could not be used ({why}), and was replaced by another"
            ));
        }
        (DockerContent::Config { .. }, DockerContent::Config { .. } | DockerContent::Nothing) => {
            wrong.extend(lost(facts, file, before));
        }
        _ => {}
    }
    wrong
}

/// What the daemon took, changed, added, or wrote for nothing.
fn lost(facts: &Facts, file: &DockerFile, before: &DockerContent) -> Option<String> {
    let members = |content: &DockerContent| match content {
        DockerContent::Config { members, .. } => members.clone(),
        _ => BTreeMap::new(),
    };
    let (old, new) = (members(before), members(&file.holds));
    if facts.user_is_busy() {
        // A login adds credentials, and none takes those of another registry.
        let gone = old.keys().filter(|key| key.starts_with("auths/") && !new.contains_key(*key));
        let gone = listed(gone.map(String::as_str));
        let is_lost = !gone.is_empty() && !facts.user_logs_out();
        return is_lost.then(|| format!("a login of the user's is lost from config.json: {gone}"));
    }
    let differs = old.iter().filter(|(key, value)| new.get(*key) != Some(value));
    let differs = listed(differs.map(|(key, _)| key.as_str()));
    if !differs.is_empty() {
        return Some(format!("config.json has lost what is the user's: {differs}"));
    }
    // A configuration without settings is begun like a new one: that is how the docker command writes.
    let is_new = old.is_empty();
    let added = new.keys().filter(|key| !old.contains_key(*key));
    let added = listed(added.map(String::as_str).filter(|key| !(is_new && *key == FIRST_KEY)));
    if !added.is_empty() {
        return Some(format!("config.json has got what nobody asked for: {added}"));
    }
    let replaced = matches!(file.how, FileChange::Replaced | FileChange::Unlinked);
    // Of two changes, the second may take back the first.
    let there_and_back = facts.passed == 1;
    let same = *before == file.holds && replaced && !there_and_back;
    same.then(|| "config.json was written, and nothing in it is different".to_owned())
}

fn why(broken: &DockerContent) -> String {
    match broken {
        DockerContent::Unreadable { why } => why.clone(),
        DockerContent::Malformed { why, bytes } => format!("{bytes} bytes, {why}"),
        _ => String::new(),
    }
}
