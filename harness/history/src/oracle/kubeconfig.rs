//! The user's kubeconfig has the daemon's entries while Kubernetes is ready, and stays the user's.
//!
//! - Entries and keys that are not the daemon's stay as they are, and so does the mode (contract 3.8.6). The
//!   file is never broken (3.8.7).
//! - While Kubernetes is ready, cluster, context and user `rancher-desktop-X` are there; once it is not
//!   enabled or its VM does not run, none of them is, and none is the current context (3.8.2).
//! - A current context that names nothing becomes the daemon's (3.8.8).
//!
//! No step changes the kubeconfig as the user, so every change is the daemon's. A file that takes the place
//! of another is judged at once, and one that is written in place only at the next checkpoint: before, the
//! daemon may be in the middle of it. What must be there is judged at checkpoints.

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{
    CONTEXT_PREFIX, FileChange, KUBECONFIG_LISTS, Kubeconfig, KubeconfigContent, Record, Stage,
    What,
};
use crate::view::{AppView, View};

/// Judges each change of the user's kubeconfig, and its state at each checkpoint.
#[must_use]
pub fn kubeconfig_integrity(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut judged: Option<&Kubeconfig> = None;
    let mut last: Option<&Kubeconfig> = None;
    for record in history {
        view.apply(record);
        let mut violated = |check, text| {
            finding.violated(check, record.seq, text);
        };
        let is_checkpoint = matches!(record.what, What::Checkpoint { stage: Stage::Probed, .. });
        if let What::Kubeconfig(file) = &record.what {
            last = Some(file);
        } else if !is_checkpoint {
            continue;
        }
        let Some(file) = last else { continue };
        if (is_checkpoint || file.how != FileChange::Written)
            && let Some(before) = judged.replace(file)
        {
            for text in wrong_change(before, file) {
                violated(Check::KubeconfigDamaged, text);
            }
        }
        if let What::Checkpoint { number, .. } = &record.what
            && is_checkpoint
            && let Some(app) = view.app()
            && let Some(text) = wrong_state(&app, file)
        {
            violated(Check::KubeconfigEntries, format!("checkpoint {number}: {text}"));
        }
    }
    finding
}

/// What the daemon has done wrong between two states of the file.
fn wrong_change(before: &Kubeconfig, after: &Kubeconfig) -> Vec<String> {
    let mut wrong = Vec::new();
    if matches!(after.holds, KubeconfigContent::Broken { .. }) && before.holds != after.holds {
        wrong.push(format!("the kubeconfig is broken: {after}"));
    }
    if before.mode != after.mode && before.mode != 0 && after.mode != 0 {
        wrong.push(format!("the mode was {:04o}, and is {:04o}", before.mode, after.mode));
    }
    let KubeconfigContent::Config { members, .. } = &before.holds else { return wrong };
    let now = match &after.holds {
        KubeconfigContent::Config { members, .. } => Some(members),
        KubeconfigContent::Nothing | KubeconfigContent::Broken { .. } => None,
    };
    let lost = members.iter().filter(|(name, value)| {
        !is_own(name) && now.and_then(|now| now.get(*name)) != Some(*value)
    });
    let lost: Vec<_> = lost.map(|(name, _)| name.as_str()).collect();
    if !lost.is_empty() {
        wrong.push(format!("{} of the user are lost or changed: {after}", lost.join(", ")));
    }
    wrong
}

/// What is missing in the kubeconfig of a quiet world, or there although it must not be.
fn wrong_state(app: &AppView, file: &Kubeconfig) -> Option<String> {
    let described = app.describe("KubernetesReady");
    let (_, reason) = app.condition("KubernetesReady")?;
    match reason {
        "Ready" => {
            let KubeconfigContent::Config { current, members } = &file.holds else {
                return Some(format!("{described}; but {file}"));
            };
            let has =
                |list: &&&str| members.keys().any(|key| is_own(key) && key.starts_with(**list));
            if let Some(list) = KUBECONFIG_LISTS.iter().find(|list| !has(list)) {
                return Some(format!("{described}; but its entry in {list} is missing: {file}"));
            }
            let names_nothing = !members.contains_key(&format!("contexts/{current}"));
            names_nothing.then(|| format!("{described}; but no context is current: {file}"))
        }
        "NotApplicable" | "NotRunning" => {
            own(file).next().map(|entry| format!("{described}; but {entry} is left: {file}"))
        }
        _ => None,
    }
}

/// The daemon's entries, and the current context if that is the daemon's.
fn own(file: &Kubeconfig) -> impl Iterator<Item = String> {
    let found = match &file.holds {
        KubeconfigContent::Config { current, members } => Some((current, members)),
        KubeconfigContent::Nothing | KubeconfigContent::Broken { .. } => None,
    };
    found.into_iter().flat_map(|(current, members)| {
        let entries = members.keys().filter(|name| is_own(name)).cloned();
        let current = current.starts_with(CONTEXT_PREFIX).then(|| "current-context".to_owned());
        entries.chain(current)
    })
}

/// Whether an entry is a daemon's. The user of a world has no other daemon.
fn is_own(member: &str) -> bool {
    member.split_once('/').is_some_and(|(list, name)| {
        KUBECONFIG_LISTS.contains(&list) && name.starts_with(CONTEXT_PREFIX)
    })
}
